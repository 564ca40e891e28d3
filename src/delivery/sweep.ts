import type { Depth } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import { membersGroup } from "./item.ts";
import { queueRenewals } from "./renewal.ts";
import { SEGMENT_DELETED, segmentLinks } from "./segment-link.ts";
import { isVersionConflict } from "./storage-call.ts";

const LOCK = "~lock/delivery/sweep";
const PAGE = 1_000;

/** Removes what is past its retention here, and renews what would soon be past it at Snapchat. */
export async function sweep(
  { storage, settings, lists }: Pick<Context, "storage" | "settings" | "lists">,
  signal?: AbortSignal,
): Promise<void> {
  const { outbox, members, journal } = storage;
  const page = { limit: PAGE };
  const { entryRetentionMs, deadLetterRetentionMs } = settings;
  const depth = await outbox.depth();
  for (const { destinationId, oldestAgeMs } of depth) {
    if (oldestAgeMs <= entryRetentionMs) continue;
    await until(() => outbox.bury({ destinationId }, "expired", { ...page, olderThanMs: entryRetentionMs }), signal);
  }
  await until(() => outbox.expire({ ...page, deadOlderThanMs: deadLetterRetentionMs }), signal);
  if (journal) await until(() => journal.expire(settings.journalRetentionMs, page), signal);
  // Removed members stay as long as an entry or a dead letter may still speak of them.
  if (members) await until(() => members.expire(entryRetentionMs + deadLetterRetentionMs, page), signal);
  await resumeAnswered(storage, depth, signal);
  await queueRenewals(storage, lists, signal);
}

/**
 * Segments that were made again, or let go, while a pause for their deletion was on its way, by a process that ended before
 * it could take it back. Should one be deleted again just now, its next claim pauses it again.
 */
async function resumeAnswered(
  { records, outbox }: Pick<Context["storage"], "records" | "outbox">,
  depth: readonly Depth[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const held = new Set(
    depth.filter(({ paused }) => paused.includes(SEGMENT_DELETED)).map(({ destinationId }) => destinationId),
  );
  if (held.size === 0) return;
  for await (const { ref, link } of segmentLinks(records)) {
    if (signal?.aborted) return;
    if (link.state === "deleted" || !held.has(ref.destinationId)) continue;
    await outbox.resume({ destinationId: ref.destinationId, group: membersGroup(ref.link) }, SEGMENT_DELETED);
  }
}

async function until(step: () => Promise<boolean>, signal: AbortSignal | undefined): Promise<void> {
  while (!signal?.aborted && !(await step())) {}
}

/** One process at a time, at most once in `sweepEveryMs`. */
async function myTurn({ storage, settings }: Context): Promise<boolean> {
  try {
    const ttlMs = Math.floor(settings.sweepEveryMs * 0.9);
    await storage.records.put(LOCK, Buffer.of(1), { ifVersion: 0, ttlMs });
    return true;
  } catch (error) {
    if (isVersionConflict(error)) return false;
    throw error;
  }
}

/** Sweeps where nobody has for `sweepEveryMs`. What fails is tried again next time. */
async function sweepWhenDue(context: Context, signal: AbortSignal): Promise<void> {
  try {
    if (!(await myTurn(context))) return;
    await sweep(context, signal);
    // Cut off: whoever comes next goes on.
    if (signal.aborted) await context.storage.records.delete(LOCK);
  } catch {
    const message = "Old rows could not be removed; tried again later.";
    context.emit({ type: "worker_error", code: "sweep_failed", message });
  }
}

/** Sweeps now and then while a worker runs. */
export async function keepSwept(context: Context, signal: AbortSignal): Promise<void> {
  const { clock, random, settings } = context;
  while (!signal.aborted) {
    await sweepWhenDue(context, signal);
    await clock.sleep(settings.sweepEveryMs * (0.9 + 0.2 * random()), signal);
  }
}

/** One sweep where one is due, for hosts without a worker: it ends after `maxMs`, and the next call goes on. */
export async function sweepWithin(context: Context, maxMs: number): Promise<void> {
  if (maxMs <= 0) return;
  const bound = new AbortController();
  const over = context.clock.sleep(maxMs, bound.signal).then(() => bound.abort());
  await Promise.race([sweepWhenDue(context, bound.signal), over]);
  bound.abort();
}
