import type { Context } from "./context.ts";
import { matching } from "./dead-letters.ts";

/**
 * When the oldest payload that is still stored was sealed, at the latest. A dead letter of one item was sealed when it
 * died, a whole entry when it was queued: up to the retention of the queue before. Reads every dead letter.
 */
export async function oldestPayload({
  storage,
  settings,
}: Pick<Context, "storage" | "settings">): Promise<number | undefined> {
  let oldestMs = 0;
  for (const { destinationId, entries, oldestAgeMs, dead } of await storage.outbox.depth()) {
    if (entries > 0) oldestMs = Math.max(oldestMs, oldestAgeMs, 1);
    if (Object.keys(dead).length === 0) continue;
    for await (const letters of matching(storage, { destinationId })) {
      for (const { ageMs, itemIndex } of letters) {
        oldestMs = Math.max(oldestMs, ageMs + (itemIndex === -1 ? settings.entryRetentionMs : 0), 1);
      }
    }
  }
  return oldestMs === 0 ? undefined : (await storage.records.now()) - oldestMs;
}
