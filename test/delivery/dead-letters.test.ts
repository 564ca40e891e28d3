import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSealer } from "../../src/auth/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { DELIVERED, event, setup } from "./support.ts";

const HOUR = 3_600_000;
const REJECTED = { status: "rejected", known: true, message: "value is missing", code: "E1" } as const;

/** A destination with dead letters: each of `reasons` is what became of one event. */
async function withDead(count: number, options: Parameters<typeof setup>[0] = {}) {
  let rejecting = true;
  const world = await setup({
    answer: () => (rejecting ? REJECTED : DELIVERED),
    settings: { lingerMs: 0 },
    ...options,
  });
  const { clock, delivery } = world;
  for (let n = 1; n <= count; n++) {
    await delivery.append([event(n)]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    await clock.advance(HOUR);
  }
  rejecting = false;
  world.events.sent.length = 0;
  const drain = () => clock.run(delivery.drain({ maxMs: 20_000 }), { maxMs: 60_000 });
  const list = async () => (await delivery.deadLetters.list({ destinationId: "d1" })).items;
  return { ...world, drain, list };
}

describe("dead letters", () => {
  it("say what died, why, in Snapchat's words, after how many attempts, and how long ago", async () => {
    const { list } = await withDead(2);
    expect(await list()).toMatchObject([
      {
        type: "event",
        of: "pixel-1",
        reason: "rejected",
        message: "value is missing",
        code: "E1",
        eventId: "e-2",
        eventName: "PURCHASE",
        attempts: 0,
        whole: false,
      },
      { eventId: "e-1" },
    ]);
    const [newest, oldest] = await list();
    expect(newest?.ageMs).toBeGreaterThanOrEqual(HOUR);
    expect(oldest?.ageMs).toBeGreaterThanOrEqual(2 * HOUR);
  });

  it("are listed by reason and time, in pages", async () => {
    const { delivery } = await withDead(4);
    const of = (o: object) => delivery.deadLetters.list({ destinationId: "d1", ...o });
    expect((await of({ reason: "expired" })).items).toEqual([]);
    expect((await of({ maxAgeMs: 2.5 * HOUR })).items.map(({ eventId }) => eventId)).toEqual(["e-4", "e-3"]);
    expect((await of({ minAgeMs: 2.5 * HOUR })).items.map(({ eventId }) => eventId)).toEqual(["e-2", "e-1"]);
    const first = await of({ limit: 3 });
    expect(first.items).toHaveLength(3);
    expect((await of({ limit: 3, after: first.after })).items.map(({ eventId }) => eventId)).toEqual(["e-1"]);
  });

  it("are purged by id, reason and time, and only those", async () => {
    const { delivery, list } = await withDead(4);
    const [, third] = await list();
    expect(await delivery.deadLetters.purge({ destinationId: "d1", ids: [third?.id ?? ""] })).toBe(1);
    expect(await delivery.deadLetters.purge({ destinationId: "d1", minAgeMs: 3.5 * HOUR })).toBe(1);
    expect((await list()).map(({ eventId }) => eventId)).toEqual(["e-4", "e-2"]);
    expect(await delivery.deadLetters.purge({ destinationId: "d1", reason: "expired" })).toBe(0);
    expect(await delivery.deadLetters.purge({ destinationId: "d1", maxAgeMs: 1.5 * HOUR })).toBe(1);
    expect((await list()).map(({ eventId }) => eventId)).toEqual(["e-2"]);
    expect(await delivery.deadLetters.purge({ destinationId: "d1", reason: "rejected" })).toBe(1);
  });

  it("are sealed, words and all", async () => {
    const clock = createFakeClock();
    const storage = memory({ clock });
    const sealer = createSealer({ keys: [randomBytes(32).toString("base64")] });
    const { list } = await withDead(1, { clock, storage, sealer });
    const { items } = await storage.outbox.dead.list({ destinationId: "d1", limit: 1 });
    const stored = Buffer.concat([
      items[0]?.payload ?? new Uint8Array(),
      items[0]?.detail ?? new Uint8Array(),
    ]).toString("latin1");
    expect(stored).not.toMatch(/e-1|PURCHASE|missing/);
    expect(await list()).toMatchObject([{ eventId: "e-1", message: "value is missing" }]);
  });
});

describe("replay", () => {
  it("says in a dry run what it would do, and does nothing", async () => {
    const { delivery, list, storage } = await withDead(3);
    const report = await delivery.deadLetters.replay({ destinationId: "d1", dryRun: true });
    expect(report).toEqual({ matched: 3, replayed: 3, items: 3, skipped: {}, withdrawn: 0 });
    expect(await list()).toHaveLength(3);
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0 }]);
  });

  it("sends by id, by reason, by time; each once, however often it is called", async () => {
    const { delivery, drain, events, list } = await withDead(3);
    const [newest] = await list();
    await delivery.deadLetters.replay({ destinationId: "d1", ids: [newest?.id ?? ""] });
    await delivery.deadLetters.replay({ destinationId: "d1", minAgeMs: 2.5 * HOUR });
    await delivery.deadLetters.replay({ destinationId: "d1", minAgeMs: 2.5 * HOUR });
    await drain();
    expect(events.sent.flatMap(({ eventIds }) => eventIds).sort()).toEqual(["e-1", "e-3"]);
    await delivery.deadLetters.replay({ destinationId: "d1", reason: "rejected" });
    await drain();
    expect(events.sent.flatMap(({ eventIds }) => eventIds).sort()).toEqual(["e-1", "e-2", "e-3"]);
    expect(await list()).toEqual([]);
  });

  it("goes behind live traffic", async () => {
    const { clock, delivery, events } = await withDead(2);
    await delivery.deadLetters.replay({ destinationId: "d1" });
    await delivery.append([event("live")]);
    const worker = delivery.startWorker({ maxBatch: 1, concurrency: 1 });
    await clock.advance(5_000);
    await clock.run(worker.stop());
    expect(events.sent.map(({ eventIds }) => eventIds[0])).toEqual(["e-live", "e-1", "e-2"]);
  });

  it("leaves what is too old for Snapchat where it is, and says so", async () => {
    const { clock, delivery, list } = await withDead(1);
    await clock.advance(8 * 24 * HOUR);
    await delivery.append([
      event("late", { maxAgeMs: 24 * HOUR, eventTime: Math.floor(clock.now() / 1_000) - 30 * 3_600 }),
    ]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    expect((await list()).map(({ reason }) => reason)).toEqual(["event_too_old", "rejected"]);
    const report = await delivery.deadLetters.replay({ destinationId: "d1" });
    expect(report).toMatchObject({ matched: 2, replayed: 1, skipped: { event_too_old: 1 } });
  });

  it("asks about consent again: what was withdrawn is removed, not sent", async () => {
    let allowed = true;
    const { delivery, drain, events, list } = await withDead(2, {
      consent: { allowed: (_t, _d, [subject]) => allowed || subject !== "subject-1" },
    });
    allowed = false;
    expect(await delivery.deadLetters.replay({ destinationId: "d1" })).toMatchObject({ replayed: 1, withdrawn: 1 });
    await drain();
    expect(events.sent.flatMap(({ eventIds }) => eventIds)).toEqual(["e-2"]);
    expect(await list()).toEqual([]);
  });

  it("leaves out of a dropped entry what of it is delivered", async () => {
    let calls = 0;
    const { clock, delivery, storage, events } = await setup({
      settings: { lingerMs: 0 },
      answer: () => (calls++ === 0 ? [DELIVERED, { status: "retry", known: true, code: "http_503" }] : DELIVERED),
    });
    await delivery.append([event(1), event(2)]);
    await clock.run(delivery.drain({ maxMs: 100 }), { maxMs: 5_000 });
    await storage.outbox.bury({ destinationId: "d1" }, "dropped", { limit: 10 });
    expect(await delivery.deadLetters.replay({ destinationId: "d1" })).toMatchObject({ matched: 1, items: 1 });
    await clock.run(delivery.drain({ maxMs: 5_000 }), { maxMs: 20_000 });
    expect(events.sent.slice(1).map(({ eventIds }) => eventIds)).toEqual([["e-2"]]);
  });

  it("does not send a dropped entry again whose outcome is older than Snapchat remembers", async () => {
    const { clock, delivery, storage } = await setup({
      settings: { lingerMs: 0 },
      answer: () => ({ status: "retry", known: false, code: "request_timeout" }),
    });
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 100 }), { maxMs: 5_000 });
    // It waits, paused, for days; then it is dropped.
    await clock.advance(60 * HOUR);
    await storage.outbox.bury({ destinationId: "d1" }, "dropped", { limit: 10 });
    expect(await delivery.deadLetters.replay({ destinationId: "d1" })).toMatchObject({
      skipped: { outcome_unknown: 1 },
    });
  });

  it("does not send again what may have arrived longer ago than Snapchat remembers, unless told to", async () => {
    const { clock, delivery, events } = await setup({
      settings: { lingerMs: 0 },
      answer: ({ eventIds }) =>
        eventIds.includes("e-1") && events.sent.length < 2
          ? { status: "retry", known: false, code: "request_timeout" }
          : DELIVERED,
    });
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 300 }), { maxMs: 5_000 });
    expect(events.sent).toHaveLength(1);
    await clock.advance(49 * HOUR);
    await clock.run(delivery.drain({ maxMs: 1_000 }), { maxMs: 5_000 });
    expect(events.sent).toHaveLength(1);
    expect((await delivery.deadLetters.list({ destinationId: "d1" })).items).toMatchObject([
      { reason: "outcome_unknown" },
    ]);
    expect(await delivery.deadLetters.replay({ destinationId: "d1" })).toMatchObject({
      replayed: 0,
      skipped: { outcome_unknown: 1 },
    });
    expect(await delivery.deadLetters.replay({ destinationId: "d1", resendUnknown: true })).toMatchObject({
      replayed: 1,
    });
    await clock.run(delivery.drain({ maxMs: 1_000 }), { maxMs: 5_000 });
    expect(events.sent).toHaveLength(2);
  });

  it("that was cut off between queue and removal sends nothing twice, also when it is repeated days later", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    let broken = false;
    const storage: Storage = {
      ...inner,
      outbox: {
        ...inner.outbox,
        dead: {
          ...inner.outbox.dead,
          async delete(o) {
            if (broken) throw new Error("cut off");
            return inner.outbox.dead.delete(o);
          },
        },
      },
    };
    const { delivery, drain, events, list } = await withDead(1, { clock, storage });
    broken = true;
    await expect(delivery.deadLetters.replay({ destinationId: "d1" })).rejects.toThrow("cut off");
    broken = false;
    await drain();
    expect(await list()).toHaveLength(1);
    await clock.advance(72 * HOUR);
    await delivery.deadLetters.replay({ destinationId: "d1" });
    await drain();
    expect(events.sent.flatMap(({ eventIds }) => eventIds)).toEqual(["e-1"]);
    expect(await list()).toEqual([]);
  });
});

describe("a database that came back from a backup", () => {
  /** What was queued when the backup was taken is delivered afterwards; then the backup comes back. */
  async function restoredAfter(hours: number) {
    const clock = createFakeClock();
    const before = memory({ clock });
    const first = await setup({ clock, storage: before, settings: { lingerMs: 0 } });
    await first.delivery.append([event(1)]);
    await clock.run(first.delivery.drain({ maxMs: 1_000 }));
    const takenAtMs = clock.now() - 1_000;
    await clock.advance(hours * HOUR);

    // The same entry as the backup has it: queued an hour before the backup, never sent as far as it knows.
    let shiftMs = -(hours * HOUR + HOUR);
    const backup = memory({ clock: { now: () => clock.now() + shiftMs } });
    const second = await setup({ clock, storage: backup, settings: { lingerMs: 0 } });
    await second.delivery.append([event(1)]);
    shiftMs = 0;
    await second.delivery.restored({ backupTakenAtMs: takenAtMs });
    return { ...second, clock };
  }

  it("sends again what Snapchat still recognises", async () => {
    const { clock, delivery, events } = await restoredAfter(5);
    await clock.run(delivery.drain({ maxMs: 1_000 }), { maxMs: 5_000 });
    expect(events.sent).toHaveLength(1);
  });

  it("sends nothing that may have been sent longer ago than Snapchat remembers: it is a dead letter", async () => {
    const { clock, delivery, events } = await restoredAfter(50);
    await clock.run(delivery.drain({ maxMs: 1_000 }), { maxMs: 5_000 });
    expect(events.sent).toEqual([]);
    const { items } = await delivery.deadLetters.list({ destinationId: "d1" });
    expect(items).toMatchObject([{ reason: "outcome_unknown" }]);
  });

  it("replays no dead letter of the backup that may have been replayed since", async () => {
    const { clock, delivery, list, drain, events } = await withDead(1);
    await clock.advance(60 * HOUR);
    await delivery.restored({ backupTakenAtMs: clock.now() - 55 * HOUR });
    await clock.advance(1_000);
    expect(await delivery.deadLetters.replay({ destinationId: "d1" })).toMatchObject({
      skipped: { outcome_unknown: 1 },
    });
    await drain();
    expect(events.sent).toEqual([]);
    expect(await list()).toHaveLength(1);
  });
});
