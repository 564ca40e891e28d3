import type { ClaimedEntry, Outcome } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import { type DeadItem, sealDead } from "./dead.ts";
import type { SettledItem } from "./emitted.ts";
import type { Job, Started } from "./job.ts";
import { decodeEvents, encodeEvents, openPayload, payloadAad, type StoredEvent } from "./payload.ts";
import { markUnknown, openIndexes, type Progress, unknownSince, writeProgress } from "./progress.ts";

/** An events entry that is open, and what has become of its items so far in this claim. */
export interface OpenEvents {
  entry: ClaimedEntry;
  progress: Progress;
  events: StoredEvent[];
  dead: DeadItem[];
  settled: SettledItem[];
  /** The age of the entry when it was opened: none of its items left earlier. */
  openedAgeMs: number;
  /** Items that must be tried again, and how. */
  again: Again | undefined;
}

export interface Again {
  /** It counts as a failed try. */
  attempt: boolean;
  minDelayMs: number;
  code?: string | undefined;
  message?: string | undefined;
}

/** One event of an open entry. */
export interface Line {
  of: OpenEvents;
  index: number;
}

/** Opens entries. Those that do not open now wait, and stay as they are. */
export async function openEvents(
  context: Context,
  job: Job,
  started: readonly Started[],
): Promise<{ opened: OpenEvents[]; waiting: Outcome[] }> {
  const { tenantId, destinationId, name } = job.claim.group;
  const aad = payloadAad(tenantId, destinationId, name);
  const opened: OpenEvents[] = [];
  const waiting: Outcome[] = [];
  for (const { entry, progress } of started) {
    try {
      const events = decodeEvents(await openPayload(entry.payload, aad, context.sealer));
      const open: OpenEvents = {
        entry,
        progress,
        events,
        dead: [],
        settled: [],
        openedAgeMs: job.ageMs(entry),
        again: undefined,
      };
      noteDoubt(context, job, open);
      opened.push(open);
    } catch {
      context.emit({ type: "entry_unreadable", tenantId, destinationId, group: name, reason: "payload_unreadable" });
      waiting.push({ id: entry.id, rest: { retryInMs: 5 * 60_000, progress: writeProgress(progress) } });
    }
  }
  return { opened, waiting };
}

/** A replay, or a database from a backup: what is open may have been sent since then. */
function noteDoubt(context: Context, job: Job, { entry, progress, events }: OpenEvents): void {
  const age = job.ageMs(entry);
  for (const [index, { doubtMs }] of events.entries()) {
    if (doubtMs !== undefined) markUnknown(progress, [index], -doubtMs, events.length);
  }
  const restored = context.restored();
  if (restored && age > restored.restoredAgeMs) {
    const since = Math.max(0, age - restored.backupAgeMs);
    markUnknown(progress, openIndexes(progress, events.length), since, events.length);
  }
}

/** Until when Snapchat would know an item again that it may have taken; `undefined`: it has not been sent. */
export function memoryEndsAtAge(context: Context, open: OpenEvents, index: number): number | undefined {
  const since = unknownSince(open.progress, index);
  if (since === undefined) return undefined;
  const { unknownMs, purchaseUnknownMs } = context.settings;
  const event = open.events[index];
  const purchase = event?.eventName === "PURCHASE" && event.orderId !== undefined;
  return since + (purchase && purchaseUnknownMs !== undefined ? Math.max(unknownMs, purchaseUnknownMs) : unknownMs);
}

/** Ends an item as a dead letter. */
export function bury(
  job: Job,
  open: OpenEvents,
  index: number,
  reason: string,
  words: Partial<DeadItem["detail"]>,
): void {
  const event = open.events[index];
  if (!event) return;
  const since = unknownSince(open.progress, index);
  open.dead.push({
    index,
    reason,
    content: encodeEvents([event]),
    detail: {
      ...words,
      attempts: open.progress.attempts,
      ...(since === undefined ? {} : { unknownForMs: Math.round(job.ageMs(open.entry) - since) }),
      eventId: event.eventId,
      eventName: event.eventName,
      eventTime: event.eventTime,
    },
  });
  open.settled.push({
    eventId: event.eventId,
    orderId: event.orderId,
    rule: event.rule,
    status: "dead",
    reason,
    message: words.message,
    requestId: words.requestId,
  });
}

/** What the outbox stores of an entry after this claim. */
export async function outcomeOf(context: Context, job: Job, open: OpenEvents, retryInMs: number): Promise<Outcome> {
  const { entry, progress } = open;
  const dead = open.dead.length === 0 ? {} : { dead: await sealDead(context, job.claim.group, open.dead) };
  if (!open.again) return { id: entry.id, ...dead };
  progress.writtenAgeMs = job.ageMs(entry);
  return { id: entry.id, ...dead, rest: { retryInMs: Math.ceil(retryInMs), progress: writeProgress(progress) } };
}
