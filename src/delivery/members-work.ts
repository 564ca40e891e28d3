import { isSnapchatError } from "../errors.ts";
import type { Outcome, SegmentRef } from "../storage/ports.ts";
import { nextDelay } from "./backoff.ts";
import { type Context, safeError } from "./context.ts";
import { createGate, type Gate } from "./gate.ts";
import type { Credential, SegmentSender, SegmentSendOptions } from "./interfaces.ts";
import { type Ended, giveBack, type Job, pauseCredential, resolveCredential, type Started, settle } from "./job.ts";
import { bringBatch } from "./members-batch.ts";
import { batchesOf, type MemberEntry, openMembers } from "./members-entry.ts";
import { failedAnswer, judgeFailure, type SegmentFailure } from "./members-failure.ts";
import { nothing, SegmentGone } from "./members-tell.ts";
import { notAllTaken } from "./not-all-taken.ts";
import { type PageDone, sum } from "./page-done.ts";
import { markUnknown, writeProgress } from "./progress.ts";
import { report } from "./report.ts";
import { type RequestLines, requestLines } from "./request-lines.ts";
import { deleteSurplus, type EnsuredSegment, ensureSegment } from "./segment-ensure.ts";
import { changeSegmentLink, readSegmentLink, SEGMENT_DELETED, type SegmentProblem } from "./segment-link.ts";
import { retryBounds, settleMarginMs } from "./settings.ts";
import { storageCall } from "./storage-call.ts";

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
    deadlineMs: settings.requestTimeoutMs + settleMarginMs(settings).members,
    patienceMs: 1_000,
  });
  const call: SegmentSendOptions = {
    token: credential.token,
    signal: job.signal,
    timeoutMs: settings.requestTimeoutMs,
  };
  const circuit = circuitOf(job);
  const journal = requestLines(context, job);
  const work: Work = {
    context,
    job,
    sender,
    segment,
    entries,
    outcomes,
    gate,
    call,
    credential,
    circuit,
    journal,
    done: [],
    batch: entries,
    passedBefore: 0,
  };
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
  /** What is told and written down already. */
  done: MemberEntry[];
  /** What is being told, and the requests that had passed before. */
  batch: readonly MemberEntry[];
  passedBefore: number;
}

async function bring(work: Work): Promise<Ended> {
  const { context, job, sender, segment, entries, gate, call, journal } = work;
  const startedMs = context.clock.monotonic();
  const ensured = await ensureSegment(context, sender, segment, call, gate).catch((error: unknown) => {
    if (gate.passed > 0) journal.segmentNotMade({ startedMs, ...failedAnswer(error) }, () => eventIdsOf(entries));
    throw error;
  });
  if (ensured.state === "stopped") return dropped(work);
  if (ensured.state !== "ready") return notReady(work, ensured);
  if (ensured.made) journal.segmentMade(ensured.link, ensured.segmentId, () => eventIdsOf(entries));
  await deleteSurplus(context, sender, segment, ensured, call, gate);
  const bringing = { context, job, sender, segment, ensured, gate, call, journal };
  let total = nothing();
  for (const batch of batchesOf(entries)) {
    work.batch = batch;
    work.passedBefore = gate.passed;
    const brought = await bringBatch(bringing, batch);
    if (brought === "lost") return { end: "lost" };
    total = sum(total, brought);
    work.done.push(...batch);
  }
  await forgetLetGo(work);
  const short = notAllTaken(total.added + total.removed, total.accepted);
  if (short || ensured.link.problem) await noteProblem(context, segment, short);

  const ended = await settle(context, job, [...work.outcomes, ...doneOf(work)]);
  context.counters.requests += gate.passed;
  if (gate.passed > 0) reportCircuit(work, true);
  if (ended.end === "settled") reportDone(work, total);
  return ended;
}

/** A segment that was let go of meanwhile leaves no members behind. */
async function forgetLetGo({ context, segment }: Work): Promise<void> {
  const { members, records } = context.storage;
  if (members && !(await readSegmentLink(records, segment))) await members.drop(segment);
}

function eventIdsOf(entries: readonly MemberEntry[]): string[] {
  return [...new Set(entries.flatMap(({ placed }) => placed.flatMap(({ member }) => member.eventId ?? [])))];
}

function doneOf({ done }: Work): Outcome[] {
  return done.map(({ entry }): Outcome => ({ id: entry.id }));
}

function reportDone({ context, job, segment, done, gate }: Work, { added, removed, accepted }: PageDone): void {
  context.counters.membersAdded += added;
  context.counters.membersRemoved += removed;
  context.counters.membersAccepted += accepted;
  if (added + removed > 0) context.emit({ type: "members_sent", ...segment, added, removed, accepted });
  report(
    context,
    job,
    done.map(({ settled }) => ({ settled, left: 0 })),
    gate.passed,
  );
}

/** Nobody wants the segment in step any more: what is queued for it says nothing. */
async function dropped(work: Work): Promise<Ended> {
  const { context, job, entries } = work;
  work.done.push(...entries);
  for (const { settled } of entries) for (const item of settled) item.status = "withdrawn";
  const ended = await settle(context, job, [...work.outcomes, ...doneOf(work)]);
  if (ended.end === "settled") reportDone(work, nothing());
  return ended;
}

async function notReady(work: Work, ensured: Exclude<EnsuredSegment, { state: "ready" | "stopped" }>): Promise<Ended> {
  const { context, job, segment, outcomes } = work;
  if (ensured.state === "busy") return giveBack(context, job, outcomes, ensured.retryInMs);
  if (ensured.state === "deleted") {
    await pauseDeleted(work);
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

/** Kept with the link, so that the segment's list and `verify` can say why it does not follow. */
async function noteProblem(
  { storage }: Context,
  segment: SegmentRef,
  problem: SegmentProblem | undefined,
): Promise<void> {
  await changeSegmentLink(storage.records, segment, ({ problem: before, ...link }) => ({
    ...link,
    ...(problem ? { problem } : {}),
  })).catch(() => undefined);
}

function problemOf(cause: unknown): SegmentProblem | undefined {
  return isSnapchatError(cause) ? { code: cause.code, message: cause.message, fix: cause.fix } : undefined;
}

/** Some request did not end well. What was sent stays in doubt until it is told again. */
async function failed(work: Work, error: unknown): Promise<Ended> {
  const { context, job, segment, entries, gate, outcomes, credential, done, batch } = work;
  const { limits, settings, random, emit } = context;
  const { tenantId, destinationId, name: group } = job.claim.group;
  const gone = error instanceof SegmentGone ? error : undefined;
  const cause = gone ? gone.reason : error;
  const failure: SegmentFailure = gone ? "gone" : judgeFailure(error);
  const { code, message } = safeError(cause);
  context.counters.requests += gate.passed;

  let waitMs = 0;
  let holdMs = 0;
  let attempt = false;
  switch (failure) {
    case "not_sent":
      waitMs = isSnapchatError(cause) ? (cause.retryAfterMs ?? 0) : 0;
      if (gate.passed === 0 && done.length === 0) return giveBack(context, job, outcomes, waitMs, waitMs);
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
      await noteProblem(context, segment, problemOf(cause));
      break;
    case "gone":
      if (await deleted(work, gone?.segmentId)) {
        emit({ type: "segment_deleted", ...segment, segmentId: gone?.segmentId ?? "" });
      }
      break;
    case "refused":
      attempt = true;
      waitMs = 60_000;
      emit({ type: "segment_refused", ...segment, code, message });
      await noteProblem(context, segment, problemOf(cause));
      break;
    case "unknown":
      attempt = true;
      // A request that is still on its way must have landed before the same identifiers are told again.
      waitMs = holdMs = settings.settleDownMs;
      holdMs = Math.max(holdMs, reportCircuit(work, false));
      break;
  }
  const left = entries.filter((open) => !done.includes(open));
  const rest = left.map((open): Outcome => {
    const { entry, progress } = open;
    // What comes after the batch that failed has not been touched; it waits behind it.
    if (!batch.includes(open)) return { id: entry.id, rest: { retryInMs: 0, progress: writeProgress(progress) } };
    if (gate.passed > work.passedBefore) markUnknown(progress, [0], job.ageMs(entry), entry.items);
    if (attempt) {
      progress.attempts++;
      progress.delayMs = nextDelay(progress.delayMs, random, retryBounds(settings));
    }
    progress.writtenAgeMs = job.ageMs(entry);
    const retryInMs = Math.ceil(Math.max(waitMs, attempt ? (progress.delayMs ?? 0) : 0));
    return { id: entry.id, rest: { retryInMs, progress: writeProgress(progress) } };
  });
  const ended = await settle(context, job, [...outcomes, ...doneOf(work), ...rest], holdMs);
  if (ended.end === "settled") {
    const settled = done.map((open) => ({ settled: open.settled, left: 0 }));
    report(context, job, [...settled, ...left.map(({ entry }) => ({ settled: [], left: entry.items }))], gate.passed);
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

/**
 * Marks the segment as deleted, then pauses its group: whoever answers for it has to find it deleted. False: another one
 * has taken its place meanwhile, and the work goes there.
 */
async function deleted(work: Work, segmentId: string | undefined): Promise<boolean> {
  const { storage, clock, random } = work.context;
  const mark = () =>
    changeSegmentLink(storage.records, work.segment, (link) =>
      link.segmentId === segmentId && link.state !== "stopped" && link.state !== "deleted"
        ? { ...link, state: "deleted" }
        : link,
    );
  const link = await storageCall(mark, { clock, random, maxMs: 20_000 });
  return link?.state === "deleted" && (await pauseDeleted(work));
}

/**
 * Pauses the group of a deleted segment. False: that was answered while the pause was on its way, and nobody would take it
 * back. Where this process ends in between, the sweep does.
 */
async function pauseDeleted({ context, job, segment }: Work): Promise<boolean> {
  const { storage, clock, random } = context;
  const { destinationId, name: group } = job.claim.group;
  const patience = { clock, random, maxMs: 20_000 };
  await storageCall(() => storage.outbox.pause({ destinationId, group }, SEGMENT_DELETED), patience);
  const stored = await storageCall(() => readSegmentLink(storage.records, segment), patience);
  if (stored?.link.state === "deleted") return true;
  await storageCall(() => storage.outbox.resume({ destinationId, group }, SEGMENT_DELETED), patience);
  return false;
}
