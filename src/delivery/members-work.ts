import { isSnapchatError } from "../errors.ts";
import type { Outcome, SegmentRef } from "../storage/ports.ts";
import { nextDelay } from "./backoff.ts";
import { type Context, safeError } from "./context.ts";
import { createGate, type Gate } from "./gate.ts";
import type { Credential, SegmentSender, SegmentSendOptions } from "./interfaces.ts";
import { type Ended, giveBack, type Job, pauseCredential, resolveCredential, type Started, settle } from "./job.ts";
import { type MemberEntry, openMembers } from "./members-entry.ts";
import { judgeFailure, type SegmentFailure } from "./members-failure.ts";
import { foldMembers, type PlacedMember } from "./members-fold.ts";
import { type MembersPlan, planMembers } from "./members-plan.ts";
import { markUnknown, writeProgress } from "./progress.ts";
import { report } from "./report.ts";
import { type RequestLines, requestLines } from "./request-lines.ts";
import { type EnsuredSegment, ensureSegment } from "./segment-ensure.ts";
import { readSegmentLink, writeSegmentLink } from "./segment-link.ts";
import { storageCall } from "./storage-call.ts";

/** Kept under the lease after a request's deadline: for the commit and the settle. */
const SETTLE_MARGIN_MS = 10_000;

/** Brings a segment's members to what the claim's changes say. One claim of a segment is worked on at a time. */
export async function workOnMembers(
  context: Context,
  job: Job,
  link: string,
  started: readonly Started[],
  outcomes: Outcome[],
): Promise<Ended> {
  const { circuits, segments: sender } = context;
  if (!sender) return giveBack(context, job, outcomes, 60_000);
  const passage = circuits.enter(circuitOf(job));
  if (!passage.pass) return giveBack(context, job, outcomes, passage.retryInMs);

  try {
    return await throughCircuit(context, job, link, sender, started, outcomes);
  } finally {
    passage.leave();
  }
}

async function throughCircuit(
  context: Context,
  job: Job,
  link: string,
  sender: SegmentSender,
  started: readonly Started[],
  outcomes: Outcome[],
): Promise<Ended> {
  const { limits, settings } = context;
  const { tenantId, destinationId } = job.claim.group;
  const credential = await resolveCredential(context, job, outcomes);
  if ("end" in credential) return credential;
  const scopes = credential.limits.segments;
  const blockedMs = limits.blockedForMs(scopes);
  const segment: SegmentRef = { tenantId, destinationId, link };
  const { entries, waiting } = await openMembers(context, job, started);
  outcomes.push(...waiting);
  if (blockedMs > 0 || entries === "unanswered") {
    return giveBack(context, job, outcomes, blockedMs || 5_000, blockedMs || undefined);
  }

  const gate = createGate({
    clock: context.clock,
    limits,
    scopes,
    lease: job.lease,
    signal: job.signal,
    deadlineMs: settings.requestTimeoutMs + SETTLE_MARGIN_MS,
    patienceMs: 1_000,
  });
  const call: SegmentSendOptions = {
    token: credential.token,
    signal: job.signal,
    timeoutMs: settings.requestTimeoutMs,
  };
  const circuit = circuitOf(job);
  const journal = requestLines(context, job);
  const work: Work = { context, job, sender, segment, entries, outcomes, gate, call, credential, circuit, journal };
  try {
    return await bring(work);
  } catch (error) {
    return await failed(work, error);
  } finally {
    journal.write();
  }
}

/** Two destinations may call their segments the same. */
const circuitOf = ({ claim }: Job) => `${claim.group.destinationId} ${claim.group.name}`;

interface Work {
  context: Context;
  job: Job;
  sender: SegmentSender;
  segment: SegmentRef;
  entries: MemberEntry[];
  outcomes: Outcome[];
  gate: Gate;
  call: SegmentSendOptions;
  credential: Credential;
  circuit: string;
  journal: RequestLines;
}

async function bring(work: Work): Promise<Ended> {
  const { context, job, sender, segment, entries, gate, call, journal } = work;
  const { members } = context.storage;
  const { settings } = context;
  const placed = entries.flatMap((entry) => entry.placed);
  const plan = await planMembers(foldMembers(placed, members !== undefined), {
    members,
    segment,
    pageSize: settings.identifiersPerRequest,
    renewAfterMs: settings.renewMembersAfterMs,
  });
  const ensured = await ensureSegment(context, sender, segment, call, gate);
  if (ensured.state !== "ready") return notReady(work, ensured);

  for (const page of plan.pages) {
    await gate.pass();
    const startedMs = context.clock.monotonic();
    const written = { op: page.op, items: page.hashes.length, eventIds: () => eventIdsOf(placed, page.op) };
    try {
      const { requestId } = await sender.members[page.op](ensured.segmentId, page.kind, page.hashes, call);
      journal.members(written, { status: "delivered", startedMs, requestId });
    } catch (error) {
      journal.members(written, { status: "retry", startedMs, ...safeError(error) });
      throw judgeFailure(error) === "gone" ? new SegmentGone(ensured.segmentId, error) : error;
    }
  }
  if ((await commit(work, plan)) === "lost") return { end: "lost" };
  await forgetLetGo(work);

  const done = entries.map((entry): Outcome => ({ id: entry.entry.id }));
  const ended = await settle(context, job, [...work.outcomes, ...done]);
  context.counters.requests += gate.passed;
  if (gate.passed > 0) reportCircuit(work, true);
  if (plan.pages.length === 0) journal.unchanged(() => placed.flatMap(({ member }) => member.eventId ?? []));
  if (ended.end === "settled") {
    count(context, plan);
    report(
      context,
      job,
      entries.map(({ settled }) => ({ settled, left: 0 })),
      gate.passed,
    );
  }
  return ended;
}

function eventIdsOf(placed: readonly PlacedMember[], op: "add" | "remove"): string[] {
  return [...new Set(placed.flatMap(({ member }) => (member.op === op ? (member.eventId ?? []) : [])))];
}

/** Writes down what Snapchat holds now. Refused where a later claim has done so. */
async function commit({ context, job, segment }: Work, plan: MembersPlan): Promise<"committed" | "lost"> {
  const { clock, random } = context;
  const { members } = context.storage;
  for (const { ops, sent } of members ? plan.commits : []) {
    const fence = job.claim.fence;
    const end = await storageCall(
      () => members?.commit(segment, ops, { fence, sent }) ?? Promise.resolve("lost" as const),
      {
        clock,
        random,
        maxMs: 30_000,
      },
    );
    if (end === "lost") return "lost";
  }
  return "committed";
}

/** A segment that was let go of meanwhile leaves no members behind. */
async function forgetLetGo({ context, segment }: Work): Promise<void> {
  const { members, records } = context.storage;
  if (members && !(await readSegmentLink(records, segment))) await members.drop(segment);
}

function count({ counters }: Context, { pages }: MembersPlan): void {
  for (const { op, hashes } of pages) {
    if (op === "add") counters.membersAdded += hashes.length;
    else counters.membersRemoved += hashes.length;
  }
}

/** The segment was there and is not any more: deleted in Ads Manager. */
class SegmentGone extends Error {
  readonly segmentId: string;
  readonly reason: unknown;

  constructor(segmentId: string, reason: unknown) {
    super("The segment is gone.");
    this.segmentId = segmentId;
    this.reason = reason;
  }
}

async function notReady(work: Work, ensured: Exclude<EnsuredSegment, { state: "ready" }>): Promise<Ended> {
  const { context, job, segment, outcomes } = work;
  if (ensured.state === "busy") return giveBack(context, job, outcomes, ensured.retryInMs);
  if (ensured.state === "deleted") {
    await pauseGroup(work, "segment_deleted");
    return giveBack(context, job, outcomes);
  }
  context.emit({
    type: "segment_refused",
    ...segment,
    code: "segment_link_missing",
    message: "No link is stored for this group; it waits until one is.",
  });
  return giveBack(context, job, outcomes, 60_000);
}

/** Some request did not end well. What was sent stays in doubt until it is told again. */
async function failed(work: Work, error: unknown): Promise<Ended> {
  const { context, job, segment, entries, gate, outcomes, credential } = work;
  const { limits, settings, random, emit } = context;
  const { tenantId, destinationId, name: group } = job.claim.group;
  const cause = error instanceof SegmentGone ? error.reason : error;
  const failure: SegmentFailure = error instanceof SegmentGone ? "gone" : judgeFailure(error);
  const { code, message } = safeError(cause);
  context.counters.requests += gate.passed;

  let waitMs = 0;
  let holdMs = 0;
  let attempt = false;
  switch (failure) {
    case "not_sent":
      waitMs = isSnapchatError(cause) ? (cause.retryAfterMs ?? 0) : 0;
      if (gate.passed === 0) return giveBack(context, job, outcomes, waitMs, waitMs);
      break;
    case "limited":
      context.counters.rateLimited++;
      waitMs = await limits.refused(
        credential.limits.segments,
        isSnapchatError(cause) ? cause.retryAfterMs : undefined,
      );
      emit({ type: "rate_limited", key: credential.limits.segments[0]?.key ?? credential.id, forMs: waitMs });
      break;
    case "unauthorized":
      if ((await context.credentials.refused(credential)) === "pause") await pauseCredential(context, job.claim.group);
      else waitMs = 1_000;
      break;
    case "forbidden":
      waitMs = holdMs = 60_000;
      emit({ type: "forbidden", tenantId, destinationId, group, message });
      break;
    case "gone":
      await markDeleted(work);
      await pauseGroup(work, "segment_deleted");
      emit({ type: "segment_deleted", ...segment, segmentId: error instanceof SegmentGone ? error.segmentId : "" });
      break;
    case "refused":
      attempt = true;
      waitMs = 60_000;
      emit({ type: "segment_refused", ...segment, code, message });
      break;
    case "unknown":
      attempt = true;
      // A request that is still on its way must have landed before the same identifiers are told again.
      waitMs = holdMs = settings.settleDownMs;
      holdMs = Math.max(holdMs, reportCircuit(work, false));
      break;
  }
  const rest = entries.map(({ entry, progress }): Outcome => {
    if (gate.passed > 0) markUnknown(progress, [0], job.ageMs(entry), entry.items);
    if (attempt) {
      progress.attempts++;
      progress.delayMs = nextDelay(progress.delayMs, random);
    }
    progress.writtenAgeMs = job.ageMs(entry);
    const retryInMs = Math.ceil(Math.max(waitMs, attempt ? (progress.delayMs ?? 0) : 0));
    return { id: entry.id, rest: { retryInMs, progress: writeProgress(progress) } };
  });
  const ended = await settle(context, job, [...outcomes, ...rest], holdMs);
  if (ended.end === "settled") {
    report(
      context,
      job,
      entries.map(({ entry }) => ({ settled: [], left: entry.items })),
      gate.passed,
    );
  }
  return ended;
}

/** Tells the circuit; answers for how long the group is held. */
function reportCircuit({ context, job, circuit }: Work, ok: boolean): number {
  const { circuits, emit } = context;
  const { destinationId, name: group } = job.claim.group;
  const changed = circuits.report(circuit, ok);
  if (changed) emit({ type: changed === "opened" ? "circuit_opened" : "circuit_closed", destinationId, group });
  return circuits.open().find(({ asset }) => asset === circuit)?.retryInMs ?? 0;
}

async function pauseGroup({ context, job }: Work, reason: string): Promise<void> {
  const { storage, clock, random } = context;
  const { destinationId, name: group } = job.claim.group;
  await storageCall(() => storage.outbox.pause({ destinationId, group }, reason), { clock, random, maxMs: 20_000 });
}

async function markDeleted({ context, segment }: Work): Promise<void> {
  const { records } = context.storage;
  const stored = await readSegmentLink(records, segment);
  if (!stored || stored.link.state === "deleted") return;
  await writeSegmentLink(records, segment, { ...stored.link, state: "deleted" }, stored.version).catch(() => undefined);
}
