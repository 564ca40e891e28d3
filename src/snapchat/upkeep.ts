import type { Vault } from "../auth/index.ts";
import type { Clock } from "../clock.ts";
import type { Worker } from "../delivery/index.ts";
import type { Destinations } from "../destinations/index.ts";
import type { Backfills } from "./segments/backfill.ts";

const EVERY_MS = 30_000;
const BACKFILL_EVERY_MS = 10_000;
const KEEP_ALIVE_EVERY_MS = 24 * 3_600_000;

/**
 * Lets a worker do what has to be done now and then: finish changes that a crash cut off, ask again about Conversions
 * tokens that are not accepted yet, bring existing members into segments that were switched on, and once a day refresh
 * logins that nobody uses. Safe in every process at once.
 */
export function withUpkeep(
  worker: Worker,
  {
    clock,
    destinations,
    vault,
    backfills,
  }: {
    clock: Clock;
    destinations: Pick<Destinations, "maintain">;
    vault: Pick<Vault, "keepAlive">;
    backfills: Pick<Backfills, "run">;
  },
): Worker {
  const stopping = new AbortController();
  const { signal } = stopping;

  const upkeep = (async () => {
    let keptAliveAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal);
      if (signal.aborted) return;
      // What fails now is tried again in half a minute; the storage's own trouble shows in health().
      await destinations.maintain(signal).catch(() => {});
      if (clock.monotonic() - keptAliveAt < KEEP_ALIVE_EVERY_MS) continue;
      keptAliveAt = clock.monotonic();
      await vault.keepAlive({ signal }).catch(() => {});
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
    await Promise.all([worker.stop(), upkeep, backfilling]);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
