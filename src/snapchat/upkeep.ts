import type { Vault } from "../auth/index.ts";
import type { Clock } from "../clock.ts";
import type { Worker } from "../delivery/index.ts";
import type { Destinations } from "../destinations/index.ts";

const EVERY_MS = 30_000;
const KEEP_ALIVE_EVERY_MS = 24 * 3_600_000;

/**
 * Lets a worker do what has to be done now and then: finish changes that a crash cut off, ask again about Conversions
 * tokens that are not accepted yet, and once a day refresh logins that nobody uses. Safe in every process at once.
 */
export function withUpkeep(
  worker: Worker,
  {
    clock,
    destinations,
    vault,
  }: { clock: Clock; destinations: Pick<Destinations, "maintain">; vault: Pick<Vault, "keepAlive"> },
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

  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([worker.stop(), upkeep]);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
