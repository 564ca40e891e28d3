import { describe, expect, it } from "vitest";
import { createDelivery } from "../../src/delivery/index.ts";
import { SnapchatError } from "../../src/errors.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/clock.ts";
import {
  event,
  eventsOf,
  fakeEvents,
  fakeSegments,
  goodCredentials,
  hashOf,
  linkSegment,
  member,
  onClock,
  seeded,
} from "./support.ts";

const DAY = 86_400_000;
const engines: Record<string, (clock: FakeClock) => Storage> = {
  memory: (clock) => memory({ clock }),
  sqlite: (clock) => sqlite(":memory:", { clock }),
};

describe.each(Object.entries(engines))("what is stored on %s is removed after its time", (_, open) => {
  async function world(resolve = goodCredentials.resolve) {
    const clock = createFakeClock();
    const storage = open(clock);
    await storage.migrate();
    const events = fakeEvents(clock, () => ({ status: "rejected", known: true, message: "no", code: "E" }));
    const delivery = createDelivery({
      storage: onClock(storage, clock),
      clock,
      events,
      segments: fakeSegments(),
      random: seeded(1),
      settings: { lingerMs: 0, memberLingerMs: 0, journalShare: 1 },
      credentials: { resolve, refused: async () => "pause" },
    });
    await delivery.open([eventsOf()]);
    const daysLater = async (days: number) => {
      clock.jump(days * DAY);
      await delivery.sweep();
      const [depth] = await storage.outbox.depth(["d1"]);
      const letters = (await delivery.deadLetters.list({ destinationId: "d1" })).items;
      return { entries: depth?.entries ?? 0, letters: letters.map(({ reason }) => reason) };
    };
    const drain = async () => {
      const ended = delivery.drain({ maxMs: 2_000 });
      let open = true;
      void ended.finally(() => {
        open = false;
      });
      while (open) await clock.advance(50);
      return ended;
    };
    return { clock, storage, delivery, daysLater, drain };
  }

  it("an entry that a lost login holds: 37 days in the queue, 30 as a dead letter, then it is gone", async () => {
    const lost = new SnapchatError({ code: "reauth_required", kind: "reauthorize", message: "", fix: "" });
    const { delivery, daysLater, drain } = await world(async () => {
      throw lost;
    });
    await delivery.append([event(1)]);
    await drain();
    expect(await daysLater(36.9)).toEqual({ entries: 1, letters: [] });
    expect(await daysLater(0.2)).toEqual({ entries: 0, letters: ["expired"] });
    expect(await daysLater(29.9)).toEqual({ entries: 0, letters: ["expired"] });
    expect(await daysLater(0.2)).toEqual({ entries: 0, letters: [] });
  });

  it("a dead letter: 30 days", async () => {
    const { delivery, daysLater, drain } = await world();
    await delivery.append([event(1)]);
    await drain();
    expect(await daysLater(29.9)).toEqual({ entries: 0, letters: ["rejected"] });
    expect(await daysLater(0.2)).toEqual({ entries: 0, letters: [] });
  });

  it("a journal line: 7 days", async () => {
    const { delivery, storage, daysLater, drain } = await world();
    await delivery.append([event(1)]);
    await drain();
    const lines = async () =>
      (await storage.journal?.find({ destinationId: "d1", fromAgeMs: 0, toAgeMs: 90 * DAY, limit: 10 }))?.items.length;
    await daysLater(6.9);
    expect(await lines()).toBeGreaterThan(0);
    await daysLater(0.2);
    expect(await lines()).toBe(0);
  });

  it("a member: as long as it is in the segment; once removed, as long as an older word about it may still come", async () => {
    const { clock, delivery, storage, daysLater, drain } = await world();
    const ref = await linkSegment(storage);
    await delivery.append([member(1, "add"), member(2, "add")]);
    await drain();
    await daysLater(400);
    expect(await storage.members?.count(ref, {})).toBe(2);
    await delivery.append([member(1, "remove", { acceptedAtMs: clock.now() })]);
    await drain();
    expect(await storage.members?.count(ref, {})).toBe(1);
    // An add that was queued before the removal, replayed late: it comes back only once the removal is forgotten.
    const old = { op: "add" as const, kind: 0 as const, hash: Buffer.from(hashOf(1), "hex"), position: 1 };
    const wouldAdd = async () => ((await storage.members?.diff(ref, [old]))?.[0] ?? 0) === 1;
    const person = Buffer.from((1).toString(16).padStart(32, "0"), "hex");
    Object.assign(old, { person });
    await daysLater(66.9);
    expect(await wouldAdd()).toBe(false);
    await daysLater(0.2);
    expect(await wouldAdd()).toBe(true);
  });

  it("also where nothing but drain ever runs", async () => {
    const { clock, delivery, storage, drain } = await world();
    await delivery.append([event(1)]);
    await drain();
    clock.jump(30.1 * DAY);
    await drain();
    expect((await storage.outbox.dead.list({ destinationId: "d1", limit: 1 })).items).toEqual([]);
  });

  it("the memory of an entry's id: 48 hours after it left", async () => {
    const { clock, delivery, drain } = await world();
    await delivery.append([event(1)]);
    await drain();
    clock.jump(47.9 * 3_600_000);
    expect(await delivery.append([event(1)])).toEqual(["duplicate"]);
    clock.jump(0.2 * 3_600_000);
    expect(await delivery.append([event(1)])).toEqual(["queued"]);
  });
});
