import type { Vault } from "../auth/index.ts";
import type { Clock } from "../clock.ts";
import type { DrainReport, Worker } from "../delivery/index.ts";
import { isStorageConflict } from "../destinations/failure.ts";
import type { Destinations } from "../destinations/index.ts";
import type { Records } from "../storage/ports.ts";
import type { Presence } from "./presence.ts";
import type { Backfills } from "./segments/backfill.ts";

const EVERY_MS = 30_000;
const BACKFILL_EVERY_MS = 10_000;
const KEPT_ALIVE = "~lock/snapchat/keep-alive";
const KEEP_ALIVE_EVERY_MS = 24 * 3_600_000;
/** How often a process asks whether the day is over. */
const ASK_EVERY_MS = 3_600_000;
/** A round that its process did not finish is taken over after this long. */
const TAKE_OVER_MS = 10 * 60_000;
/** No login's refresh begins this shortly before a drain ends: one that is cut off loses the login. */
const LAST_BEGIN_MS = 5_000;

/** What has to be done now and then beside delivery. Safe in every process at once; what fails is tried again. */
export interface Upkeep {
  /** Finishes changes that a crash cut off, and asks again about Conversions tokens that are not accepted yet. */
  maintain(signal: AbortSignal): Promise<void>;
  /** Once a day, in one process: refreshes logins that nobody uses, and tells again of those that are over. */
  keepAlive(signal: AbortSignal): Promise<void>;
  /** Says that this process delivers. */
  present(): Promise<void>;
}

export function createUpkeep({
  clock,
  records,
  destinations,
  vault,
  presence,
}: {
  clock: Clock;
  records: Pick<Records, "put" | "delete">;
  destinations: Pick<Destinations, "maintain">;
  vault: Pick<Vault, "keepAlive">;
  presence: Pick<Presence, "note">;
}): Upkeep {
  async function keepAlive(signal: AbortSignal): Promise<void> {
    let version: number;
    try {
      version = await records.put(KEPT_ALIVE, Buffer.of(1), { ifVersion: 0, ttlMs: TAKE_OVER_MS });
    } catch (error) {
      if (isStorageConflict(error)) return;
      throw error;
    }
    await vault.keepAlive({ signal });
    // Cut off: whoever comes next goes on.
    if (signal.aborted) await records.delete(KEPT_ALIVE, { ifVersion: version });
    else await records.put(KEPT_ALIVE, Buffer.of(1), { ifVersion: version, ttlMs: KEEP_ALIVE_EVERY_MS });
  }
  return {
    maintain: nowAndThen(clock, EVERY_MS / 2, (signal) => destinations.maintain(signal)),
    keepAlive: nowAndThen(clock, ASK_EVERY_MS, keepAlive),
    // The storage's own trouble shows in health().
    present: () => presence.note().catch(() => {}),
  };
}

/** Not again for a while once it was done to its end here: a host may drain after every call of `track`. */
function nowAndThen(clock: Clock, everyMs: number, task: (signal: AbortSignal) => Promise<unknown>) {
  let doneAt = Number.NEGATIVE_INFINITY;
  return async (signal: AbortSignal): Promise<void> => {
    if (clock.monotonic() - doneAt < everyMs) return;
    try {
      await task(signal);
      if (!signal.aborted) doneAt = clock.monotonic();
    } catch {
      // The storage's own trouble shows in health().
    }
  };
}

/** Lets a worker do the upkeep, and bring existing members into segments that were switched on. */
export function withUpkeep(
  worker: Worker,
  { clock, upkeep, backfills }: { clock: Clock; upkeep: Upkeep; backfills: Pick<Backfills, "run"> },
): Worker {
  const stopping = new AbortController();
  const { signal } = stopping;

  const keeping = (async () => {
    while (!signal.aborted) {
      void upkeep.present();
      await clock.sleep(EVERY_MS, signal);
      if (signal.aborted) return;
      await upkeep.maintain(signal);
      await upkeep.keepAlive(signal);
    }
  })();

  const backfilling = (async () => {
    while (!signal.aborted) {
      // What is cut off goes on where it was, here or in another process.
      await backfills.run(signal).catch(() => {});
      await clock.sleep(BACKFILL_EVERY_MS, signal);
    }
  })();

  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([worker.stop(), keeping, backfilling]);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** A drain that does the upkeep beside its work, in the same time: for hosts without a running worker. */
export async function drainWithUpkeep(
  drain: () => Promise<DrainReport>,
  { clock, upkeep, maxMs, signal }: { clock: Clock; upkeep: Upkeep; maxMs: number; signal?: AbortSignal },
): Promise<DrainReport> {
  const over = new AbortController();
  const own = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const ended = new AbortController();
  void clock.sleep(Math.max(maxMs - LAST_BEGIN_MS, maxMs / 2), ended.signal).then(() => over.abort());
  void upkeep.present();
  const kept = Promise.all([upkeep.maintain(own), upkeep.keepAlive(own)]);
  try {
    return await drain();
  } finally {
    // A refresh that is under way is let finish: its successor has to be stored.
    await kept;
    ended.abort();
  }
}
