import { describe, expect, it } from "vitest";
import { oldestPayload } from "../../../src/delivery/oldest-payload.ts";
import { settingsOf } from "../../../src/delivery/settings.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { eventsOf } from "../support.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function world() {
  const clock = createFakeClock();
  const storage = memory({ clock });
  const settings = settingsOf({ entryRetentionMs: 10 * DAY });
  await storage.outbox.open([eventsOf(), eventsOf({ destinationId: "d2" })]);
  const entry = (id: string, destinationId = "d1") => {
    const group = { destinationId, name: "events/pixel-1" };
    return storage.outbox.append([{ id, group, priority: 0, items: 1, payload: new Uint8Array(4) }]);
  };
  /** Ends what waits: alone as an item, or whole. */
  async function die(itemIndex: number): Promise<void> {
    const claim = await storage.outbox.claim({ owner: "w", leaseMs: 1_000, maxItems: 1, maxBytes: 10 });
    if (!claim) throw new Error("nothing waits");
    const letter = { itemIndex, reason: "rejected", payload: new Uint8Array(4), detail: new Uint8Array() };
    await storage.outbox.settle(claim, [{ id: claim.entries[0]?.id ?? "", dead: [letter] }]);
  }
  return { clock, entry, die, bury: storage.outbox.bury, oldest: () => oldestPayload({ storage, settings }) };
}

describe("the oldest payload that is stored", () => {
  it("is none where nothing is", async () => {
    expect(await (await world()).oldest()).toBeUndefined();
  });

  it("is the oldest entry that waits, of any destination", async () => {
    const { clock, entry, oldest } = await world();
    const start = clock.now();
    await entry("1", "d2");
    expect(await oldest()).toBe(start - 1);
    await clock.advance(HOUR);
    await entry("2");
    await clock.advance(HOUR);
    expect(await oldest()).toBe(start);
  });

  it("is a dead letter that is older than what waits, and not one that is younger", async () => {
    const { clock, entry, die, oldest } = await world();
    await entry("1");
    await die(0);
    const died = clock.now();
    expect(await oldest()).toBe(died - 1);
    await clock.advance(HOUR);
    await entry("2");
    await clock.advance(HOUR);
    expect(await oldest()).toBe(died);
    await die(0);
    expect(await oldest()).toBe(died);
  });

  it("is a whole entry that died as early as it may have been queued", async () => {
    const { clock, entry, die, oldest } = await world();
    await entry("1");
    await die(-1);
    await clock.advance(HOUR);
    expect(await oldest()).toBe(clock.now() - HOUR - 10 * DAY);
  });
});
