import { isSnapchatError } from "../errors.ts";
import type { Outcome } from "../storage/ports.ts";
import { nextDelay } from "./backoff.ts";
import { setBit } from "./bits.ts";
import { type Context, safeError } from "./context.ts";
import {
  type Again,
  bury,
  type Line,
  memoryEndsAtAge,
  type OpenEvents,
  openEvents,
  outcomeOf,
} from "./events-entry.ts";
import { createGate, type Gate } from "./gate.ts";
import { FORBIDDEN_MIN_MS, type Heard, hear, type Sent } from "./heard.ts";
import type { Credential, EventOutcome, EventSender, RequestRecord } from "./interfaces.ts";
import { type Ended, giveBack, type Job, resolveCredential, type Started, settle } from "./job.ts";
import { markUnknown, openIndexes } from "./progress.ts";
import { type Reported, report } from "./report.ts";
import { requestLines } from "./request-lines.ts";
import { retryBounds, settleMarginMs } from "./settings.ts";

/** What was judged is judged again after this long. */
const JUDGED_FOR_MS = 60_000;

/** Sends the events of a claim and settles each by its outcome. */
export async function workOnEvents(
  context: Context,
  job: Job,
  assetId: string,
  started: readonly Started[],
  outcomes: Outcome[],
): Promise<Ended> {
  const { circuits, limits, events: sender } = context;
  const circuit = job.claim.group.name;
  if (!sender) return giveBack(context, job, outcomes, 60_000);
  const passage = circuits.enter(circuit);
  if (!passage.pass) return giveBack(context, job, outcomes, passage.retryInMs);
  try {
    const credential = await resolveCredential(context, job, outcomes);
    if ("end" in credential) return credential;
    const scopes = credential.limits.events;
    const reserved = await limits.reserve(scopes);
    if (!("slot" in reserved)) return await giveBack(context, job, outcomes, reserved.retryInMs, reserved.retryInMs);

    const { opened, waiting } = await openEvents(context, job, started);
    outcomes.push(...waiting);
    const lines = await judge(context, job, opened);
    if (lines === "unanswered") return await giveBack(context, job, outcomes, 5_000);

    const gate = createGate({
      clock: context.clock,
      limits,
      scopes,
      lease: job.lease,
      signal: job.signal,
      first: reserved.slot,
      deadlineMs: context.settings.requestTimeoutMs + settleMarginMs(context.settings).events,
      notAfterMs: notAfter(context, job, lines),
    });
    const journal = requestLines(context, job);
    const requests: RequestRecord[] = [];
    let holdMs = 0;
    for (const batch of batches(lines)) {
      const sent = await send(context, job, { sender, assetId, credential, gate, batch });
      requests.push(...sent.requests);
      journal.events(batch, sent.outcomes, sent.requests);
      holdMs = Math.max(holdMs, await apply(context, job, credential, batch, sent));
    }
    const entries = await Promise.all(
      opened.map((open) => outcomeOf(context, job, open, retryDelay(context, job, open))),
    );
    const ended = await settle(context, job, [...outcomes, ...entries], holdMs);
    journal.write();
    context.counters.requests += requests.length;
    if (ended.end === "settled") report(context, job, opened.map(reported), requests.length);
    return ended;
  } finally {
    passage.leave();
  }
}

function reported({ settled, again, progress, events }: OpenEvents): Reported {
  return { settled, left: again ? [...openIndexes(progress, events.length)].length : 0 };
}

/** Decides for each open item whether it is sent. Dead and withdrawn ones are noted on their entry. */
async function judge(context: Context, job: Job, opened: readonly OpenEvents[]): Promise<Line[] | "unanswered"> {
  const { consent, settings, clock } = context;
  const { tenantId, destinationId } = job.claim.group;
  const lines: Line[] = [];
  const nowMs = clock.now();
  try {
    for (const open of opened) {
      const age = job.ageMs(open.entry);
      for (const index of openIndexes(open.progress, open.events.length)) {
        const event = open.events[index];
        if (!event) continue;
        const memoryEnds = memoryEndsAtAge(context, open, index);
        // Judged with room for the wait until the request leaves.
        if (memoryEnds !== undefined && age + settings.leaseMs > memoryEnds) {
          end(open, index);
          bury(job, open, index, "outcome_unknown", {
            message: "Snapchat may have taken it, and would not recognise it any more if it came again.",
          });
        } else if (nowMs - event.eventTime * 1_000 > (event.maxAgeMs ?? settings.entryRetentionMs)) {
          end(open, index);
          bury(job, open, index, "event_too_old", { message: "The event is older than Snapchat takes." });
        } else {
          const allowed = consent?.allowed(tenantId, destinationId, event.subjects, event.acceptedAtMs, event) ?? true;
          if (allowed === true || (allowed !== false && (await allowed))) lines.push({ of: open, index });
          else withdraw(open, index);
        }
      }
    }
  } catch (error) {
    context.emit({ type: "worker_error", ...safeError(error), destinationId });
    return "unanswered";
  }
  return lines;
}

function withdraw(open: OpenEvents, index: number): void {
  const event = open.events[index];
  end(open, index);
  open.settled.push({ eventId: event?.eventId, orderId: event?.orderId, rule: event?.rule, status: "withdrawn" });
}

const end = (open: OpenEvents, index: number) => setBit(open.progress.done, index);

/**
 * The last moment at which Snapchat would still recognise every line that it may have taken, and at which the answer
 * about consent is fresh enough.
 */
function notAfter(context: Context, job: Job, lines: readonly Line[]): number {
  let leftMs = JUDGED_FOR_MS;
  for (const { of, index } of lines) {
    const memoryEnds = memoryEndsAtAge(context, of, index);
    if (memoryEnds !== undefined) leftMs = Math.min(leftMs, memoryEnds - job.ageMs(of.entry));
  }
  return context.clock.monotonic() + leftMs;
}

/** Real events apart from trials: they are different calls. */
function batches(lines: readonly Line[]): Line[][] {
  const byCall = new Map<string, Line[]>();
  for (const line of lines) {
    const event = line.of.events[line.index];
    const call = event?.validateOnly ? "validate" : `send ${event?.testEventCode ?? ""}`;
    const batch = byCall.get(call);
    if (batch) batch.push(line);
    else byCall.set(call, [line]);
  }
  return [...byCall.values()];
}

async function send(
  context: Context,
  job: Job,
  call: { sender: EventSender; assetId: string; credential: Credential; gate: Gate; batch: readonly Line[] },
): Promise<Sent> {
  const { batch, gate } = call;
  const events = batch.map(({ of, index }) => of.events[index] ?? { json: "", eventId: "" });
  const [first] = batch;
  const { validateOnly, testEventCode } = first?.of.events[first.index] ?? {};
  const passedBefore = gate.passed;
  try {
    return await call.sender.sendPrepared(call.assetId, events, {
      token: call.credential.token,
      signal: job.signal,
      timeoutMs: context.settings.requestTimeoutMs,
      beforeRequest: () => gate.pass(),
      ...(validateOnly ? { validateOnly } : {}),
      ...(testEventCode === undefined ? {} : { testEventCode }),
    });
  } catch (error) {
    const { code, message } = safeError(error);
    const refused = isSnapchatError(error) && error.kind === "fix_configuration";
    const outcome: EventOutcome = {
      status: refused ? "forbidden" : "retry",
      known: gate.passed === passedBefore,
      code,
      message,
      ...(isSnapchatError(error) ? { retryAfterMs: error.retryAfterMs } : {}),
    };
    return { outcomes: batch.map(() => outcome), requests: [] };
  }
}

/** Puts the outcomes of one call where they belong. Answers for how long the group is held. */
async function apply(
  context: Context,
  job: Job,
  credential: Credential,
  batch: readonly Line[],
  sent: Sent,
): Promise<number> {
  const heard = await hear(context, job.claim.group, credential, sent);
  for (const [at, line] of batch.entries()) {
    const outcome = sent.outcomes[at];
    if (!outcome) throw new Error("The sender answered fewer outcomes than it was given events.");
    settleLine(job, line, outcome, heard);
  }
  return heard.holdMs;
}

function settleLine(job: Job, { of: open, index }: Line, outcome: EventOutcome, { waitMs, login }: Heard): void {
  const event = open.events[index];
  if (!event) return;
  const { code, message, requestId } = outcome;
  if (outcome.status === "delivered") {
    end(open, index);
    const status = event.validateOnly ? "validated" : "delivered";
    const { eventId, orderId, rule, eventName, eventTime } = event;
    open.settled.push({ eventId, orderId, rule, eventName, eventTime, status, requestId });
    return;
  }
  if (outcome.status === "rejected") {
    end(open, index);
    bury(job, open, index, "rejected", { code, message, requestId });
    return;
  }
  if (!outcome.known && !event.validateOnly) {
    markUnknown(open.progress, [index], open.openedAgeMs, open.events.length);
  }
  const again: Again = { attempt: false, minDelayMs: 0, code, message };
  if (outcome.status === "unauthorized") again.minDelayMs = login === "pause" ? 0 : 1_000;
  else if (outcome.status === "forbidden") again.minDelayMs = FORBIDDEN_MIN_MS;
  else if (code === "rate_limited") again.minDelayMs = waitMs;
  else {
    again.attempt = code !== "slot_refused" && code !== "aborted";
    again.minDelayMs = outcome.retryAfterMs ?? 0;
  }
  open.again = open.again
    ? {
        ...again,
        attempt: open.again.attempt || again.attempt,
        minDelayMs: Math.max(open.again.minDelayMs, again.minDelayMs),
      }
    : again;
}

/** The wait of an entry that goes back; an entry tried too often ends here. */
function retryDelay(context: Context, job: Job, open: OpenEvents): number {
  const { again, progress } = open;
  if (!again) return 0;
  if (!again.attempt) return again.minDelayMs;
  progress.attempts++;
  progress.delayMs = nextDelay(progress.delayMs, context.random, retryBounds(context.settings));
  if (progress.attempts >= context.settings.maxAttempts) {
    for (const index of openIndexes(progress, open.events.length)) bury(job, open, index, "attempts_exhausted", again);
    open.again = undefined;
  }
  return Math.max(progress.delayMs, again.minDelayMs);
}
