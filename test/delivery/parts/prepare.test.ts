import { describe, expect, it } from "vitest";
import { prepareItems } from "../../../src/delivery/prepare.ts";
import { event } from "../support.ts";

describe("the items of a call", () => {
  it("fit an engine of small entries, whatever letters they are written in", async () => {
    const json = JSON.stringify({ event_id: "e", note: "漢字".repeat(300) });
    const items = Array.from({ length: 100 }, (_, n) => event(n, { json, orderId: `order-${n}`.repeat(20) }));
    const { entries, tooLarge } = await prepareItems(items, {
      ...{ sealer: undefined, maxEntryBytes: 65_536, lingerMs: 0, memberLingerMs: 0, dedupeMs: 0 },
    });
    expect(tooLarge).toEqual([]);
    expect(entries.flatMap(({ itemIndexes }) => itemIndexes)).toEqual(items.map((_, n) => n));
    expect(Math.max(...entries.map(({ payload }) => payload.byteLength))).toBeLessThanOrEqual(65_536);
  });
});
