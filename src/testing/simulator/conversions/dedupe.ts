import type { Knobs } from "../knobs.ts";
import { createFingerprints } from "./fingerprints.ts";

/** Where an event came in. */
export type Channel = "server" | "pixel";

/** What deduplication looks at. */
export interface Sighting {
  channel: Channel;
  assetId: string;
  name: string;
  eventId: string | undefined;
  timeMs: number;
  orderId: string | undefined;
  /** Arrival, epoch milliseconds. */
  at: number;
}

/**
 * Snapchat's memory: 48 h by `event_id` on one asset, and for PURCHASE 30 days by order id between pixel and server.
 * Two server events of one order with different ids are two purchases.
 */
export function createDedupe(knobs: Knobs) {
  const ids = createFingerprints();
  const orders = createFingerprints();

  return {
    /** Whether an equal event came before; remembers this one either way. */
    isDuplicate(sighting: Sighting): boolean {
      const byId = sighting.eventId !== undefined && seenById(sighting, sighting.eventId);
      const byOrder =
        sighting.name === "PURCHASE" && sighting.orderId !== undefined && seenByOrder(sighting, sighting.orderId);
      return byId || byOrder;
    },
    get size() {
      return ids.size + orders.size;
    },
    clear() {
      ids.clear();
      orders.clear();
    },
  };

  function seenById(sighting: Sighting, eventId: string): boolean {
    const { channel, assetId, name, timeMs, at } = sighting;
    const notBefore = at - knobs.dedupeMs;
    const key = `${assetId} ${knobs.dedupeByName ? name : ""} ${eventId}`;
    // Only two server events can be told apart by time: the pixel's is when it was sent.
    if (!knobs.dedupeByTime) return ids.seenOrAdd(key, at, notBefore) !== undefined;
    if (channel === "pixel") {
      const server = ids.seen(`s ${key}`, notBefore) !== undefined;
      return ids.seenOrAdd(`p ${key}`, at, notBefore) !== undefined || server;
    }
    const pixel = ids.seen(`p ${key}`, notBefore) !== undefined;
    ids.seenOrAdd(`s ${key}`, at, notBefore);
    return ids.seenOrAdd(`${key} ${timeMs}`, at, notBefore) !== undefined || pixel;
  }

  function seenByOrder(sighting: Sighting, orderId: string): boolean {
    const { channel, assetId, at } = sighting;
    const notBefore = at - knobs.purchaseDedupeMs;
    const other = channel === "pixel" ? "server" : "pixel";
    const seen = orders.seen(`${other} ${assetId} ${orderId}`, notBefore) !== undefined;
    orders.seenOrAdd(`${channel} ${assetId} ${orderId}`, at, notBefore);
    return seen;
  }
}
