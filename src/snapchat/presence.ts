import type { Clock } from "../clock.ts";
import type { Records } from "../storage/ports.ts";

/** Whether anybody delivers: what waits for delivery would otherwise wait without an end, and nobody would hear of it. */
export interface Presence {
  /** This process delivers now. Written down at most every half minute. */
  note(): Promise<void>;
  /** Some process, this one or another, has delivered in the last five minutes. */
  seen(): Promise<boolean>;
}

const KEY = "~lock/snapchat/delivers";
const EVERY_MS = 30_000;
const SEEN_FOR_MS = 5 * 60_000;

export function createPresence({ records, clock }: { records: Pick<Records, "get" | "put">; clock: Clock }): Presence {
  let notedAt = Number.NEGATIVE_INFINITY;
  return {
    async note() {
      if (clock.monotonic() - notedAt < EVERY_MS) return;
      notedAt = clock.monotonic();
      await records.put(KEY, Buffer.of(1), { ttlMs: SEEN_FOR_MS });
    },
    seen: async () => (await records.get(KEY)) !== undefined,
  };
}
