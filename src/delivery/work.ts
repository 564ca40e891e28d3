import type { Claim, ClaimedEntry, Outcome } from "../storage/ports.ts";
import { type Context, safeError } from "./context.ts";
import { encodeDetail } from "./dead.ts";
import { workOnEvents } from "./events-work.ts";
import { parseGroup } from "./item.ts";
import { type Ended, giveBack, type Job, type Started, settle } from "./job.ts";
import { holdLease } from "./lease.ts";
import { workOnMembers } from "./members-work.ts";
import { isKnownFormat, payloadAad, sealPayload } from "./payload.ts";
import { markUnknown, newProgress, openIndexes, type Progress, readProgress, writeProgress } from "./progress.ts";

const NOTHING = new Uint8Array();
/** Claimed this often without a settle, an entry comes alone, as the port says. What came along with it gets away so. */
const CLAIMS_BEFORE_ALONE = 5;

export interface WorkOptions {
  claimedAtMs: number;
  abort: AbortController;
}

/** Works on one claim to its end: settled, released or lost. Faults of the engine leave it to its lease. */
export async function work(context: Context, claim: Claim, options: WorkOptions): Promise<Ended> {
  const { clock, settings, storage, emit } = context;
  const { claimedAtMs, abort } = options;
  const { tenantId, destinationId, name: group } = claim.group;
  const lease = holdLease(claim, {
    outbox: storage.outbox,
    clock,
    leaseMs: settings.leaseMs,
    renewEveryMs: settings.renewEveryMs,
    claimedAtMs,
    onLost() {
      abort.abort();
    },
  });
  const job: Job = {
    claim,
    lease,
    signal: abort.signal,
    ageMs: (entry) => entry.ageMs + (clock.monotonic() - claimedAtMs),
  };
  try {
    const ended = await dispatch(context, job);
    if (ended.end === "lost") {
      context.counters.lost++;
      emit({ type: "claim_lost", tenantId, destinationId, group });
    }
    return ended;
  } catch (error) {
    // Not settled and not released: the lease runs out and the claim stays counted, so that an entry that does this
    // every time ends as `crashes_worker`.
    emit({ type: "worker_error", ...safeError(error), destinationId });
    return { end: "lost" };
  } finally {
    lease.end();
  }
}

async function dispatch(context: Context, job: Job): Promise<Ended> {
  const { claim } = job;
  const kind = parseGroup(claim.group.name);
  if (kind === undefined) return giveBack(context, job, [], 60_000);
  const { started, outcomes } = await triage(context, job, kind.type);
  if (started.length === 0) return settle(context, job, outcomes);
  if (kind.type === "event") return workOnEvents(context, job, kind.of, started, outcomes);
  return workOnMembers(context, job, kind.of, started, outcomes);
}

/** Sorts out, before anything is opened or sent, entries that must not be worked on as they are. */
async function triage(
  context: Context,
  job: Job,
  type: "event" | "member",
): Promise<{ started: Started[]; outcomes: Outcome[] }> {
  const { settings, emit } = context;
  const { tenantId, destinationId, name: group } = job.claim.group;
  const started: Started[] = [];
  const outcomes: Outcome[] = [];
  for (const entry of job.claim.entries) {
    const progress = readProgress(entry.progress, entry.items);
    if (progress) noteUnsettled(entry, progress);
    if (entry.claims > CLAIMS_BEFORE_ALONE + 1) {
      outcomes.push(await crashed(context, job, entry));
    } else if (!progress || !isKnownFormat(entry.payload)) {
      emit({ type: "entry_unreadable", tenantId, destinationId, group, reason: "unknown_format" });
      outcomes.push({
        id: entry.id,
        rest: { retryInMs: 5 * 60_000, progress: progress ? writeProgress(progress) : (entry.progress ?? NOTHING) },
      });
    } else if (type === "event" && job.ageMs(entry) - progress.writtenAgeMs > settings.stampAfterMs) {
      outcomes.push(stamp(job, { entry, progress }));
    } else {
      started.push({ entry, progress });
    }
  }
  return { started, outcomes };
}

/** A claim before this one was neither settled nor given back: what is open may have been sent since the last note. */
function noteUnsettled(entry: ClaimedEntry, progress: Progress): void {
  if (entry.claims > 1) markUnknown(progress, openIndexes(progress, entry.items), progress.writtenAgeMs, entry.items);
}

/**
 * Notes the time and sends nothing. If a worker dies after sending an old entry, the doubt about it then dates from the
 * note, not from the day it was queued.
 */
function stamp(job: Job, { entry, progress }: Started): Outcome {
  return {
    id: entry.id,
    rest: { retryInMs: 0, progress: writeProgress({ ...progress, writtenAgeMs: job.ageMs(entry) }) },
  };
}

async function crashed(context: Context, job: Job, entry: ClaimedEntry): Promise<Outcome> {
  const { tenantId, destinationId, name } = job.claim.group;
  const { counters } = context;
  counters.dead.crashes_worker = (counters.dead.crashes_worker ?? 0) + entry.items;
  context.emit({
    type: "dead_letter",
    tenantId,
    destinationId,
    group: name,
    reason: "crashes_worker",
    items: entry.items,
  });
  const progress = readProgress(entry.progress, entry.items) ?? newProgress(entry.items);
  const detail = encodeDetail({
    message: "Every worker that took this entry ended before it could say what became of it.",
    attempts: progress.attempts,
    unknownForMs: job.ageMs(entry) - progress.writtenAgeMs,
    done: Buffer.from(progress.done).toString("base64"),
  });
  const sealed = await sealPayload(detail, payloadAad(tenantId, destinationId, name), context.sealer);
  return {
    id: entry.id,
    dead: [{ itemIndex: -1, reason: "crashes_worker", payload: entry.payload, detail: sealed }],
  };
}
