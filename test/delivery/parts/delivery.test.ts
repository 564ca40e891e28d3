import { describe, expect, it } from "vitest";
import { createDelivery, type JournalLine } from "../../../src/delivery/index.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import {
  type Answer,
  credential,
  DELIVERED,
  event,
  eventsOf,
  fakeEvents,
  goodCredentials,
  member,
  setup,
} from "../support.ts";

const HOUR = 3_600_000;
const REJECTED = { status: "rejected", known: true, message: "no" } as const;

describe("entries that a host appends itself", () => {
  it("wait for company as long as the settings say, and are known for as long", async () => {
    const { delivery } = await setup({ settings: { lingerMs: 70, memberLingerMs: 90, dedupeMs: 110 } });
    const entries = await delivery.prepareEntries([event(1), event(2), member(1, "add")]);
    expect(entries).toMatchObject([
      { group: { name: "events/pixel-1" }, items: 2, delayMs: 70, dedupeMs: 110, itemIndexes: [0, 1] },
      { group: { name: "members/vip" }, items: 1, delayMs: 90, dedupeMs: 110, itemIndexes: [2] },
    ]);
    expect(await delivery.prepareEntries([])).toEqual([]);
  });

  it("are sealed, and no larger than the engine takes", async () => {
    const inner = memory();
    const storage = { ...inner, capabilities: { ...inner.capabilities, maxEntryBytes: 70_000 } };
    const sealer = {
      seal: (content: Uint8Array) => content.map((byte) => byte ^ 0xff),
      open: (content: Uint8Array) => content.map((byte) => byte ^ 0xff),
    };
    const delivery = createDelivery({ storage, credentials: goodCredentials, sealer });
    const pad = "x".repeat(40_000);
    const entries = await delivery.prepareEntries([1, 2].map((n) => event(n, { json: JSON.stringify({ n, pad }) })));
    expect(entries).toHaveLength(2);
    for (const { payload } of entries) expect(Buffer.from(payload).toString("latin1")).not.toContain("xxxx");
  });
});

describe("events of a worker's process", () => {
  async function sentAfter(lingerMs: number | undefined) {
    const { clock, delivery, events } = await setup({ settings: { lingerMs: 2_000 } });
    const worker = delivery.startWorker(lingerMs === undefined ? {} : { lingerMs });
    await delivery.append([event(1)]);
    const began = clock.monotonic();
    await clock.advance(3_000);
    await clock.run(worker.stop());
    expect(clock.sleeping).toBe(0);
    return (events.sent[0]?.atMs ?? 0) - began;
  }

  it("wait for company as long as the worker says, else as long as the settings say", async () => {
    expect(await sentAfter(500)).toBeLessThan(600);
    expect(await sentAfter(0)).toBeLessThan(100);
    expect(await sentAfter(undefined)).toBeGreaterThanOrEqual(2_000);
  });

  it("stop both its work and its sweeps at the end of a block", async () => {
    const { clock, delivery } = await setup();
    const worker = delivery.startWorker();
    await clock.advance(1_000);
    expect(clock.sleeping).toBeGreaterThan(1);
    await clock.run(worker[Symbol.asyncDispose]());
    expect(clock.sleeping).toBe(0);
  });
});

describe("the report of a drain", () => {
  it("says what this one has done, not what was done before", async () => {
    const answers: Answer = ({ eventIds }) =>
      eventIds.map((id) => {
        if (id.startsWith("e-bad")) return REJECTED;
        return id.startsWith("e-slow") ? { status: "retry", known: true, code: "http_503" } : DELIVERED;
      });
    const { clock, delivery, events } = await setup({ settings: { lingerMs: 0, retryMinMs: 60_000 }, answer: answers });
    const drain = () => clock.run(delivery.drain({ maxMs: 5_000 }));
    await delivery.append([event(1), event(2), event("bad-1")]);
    expect(await drain()).toEqual({ delivered: 2, retrying: 0, dead: 1, requests: 1, left: 0 });
    await delivery.append([event(3), event("slow-1"), event("slow-2"), event("bad-2"), event("bad-3")]);
    expect(await drain()).toEqual({ delivered: 1, retrying: 2, dead: 2, requests: 1, left: 5 });
    expect(await drain()).toEqual({ delivered: 0, retrying: 0, dead: 0, requests: 0, left: 5 });
    expect(delivery.counters).toMatchObject({ delivered: 3, dead: { rejected: 3 }, requests: 2 });
    expect(events.sent).toHaveLength(2);
  });

  it("says what is left over all destinations", async () => {
    const { clock, delivery } = await setup({ settings: { lingerMs: 0 } });
    await delivery.open([eventsOf({ destinationId: "d2" })]);
    await delivery.pause({ destinationId: "d1" });
    await delivery.pause({ destinationId: "d2" });
    await delivery.append([event(1), event(2), event(3, { destinationId: "d2" })]);
    expect(await clock.run(delivery.drain({ maxMs: 1_000 }))).toMatchObject({ left: 3 });
  });

  it("holds a sweep where one is due", async () => {
    const { clock, delivery, storage } = await setup({ settings: { lingerMs: 0 }, answer: () => REJECTED });
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    clock.jump(31 * 24 * HOUR);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ dead: {} }]);
  });
});

describe("a pause", () => {
  it("is the operator's where no other reason is given, of everything or of one target", async () => {
    const { clock, delivery } = await setup();
    const target = { destinationId: "d1" };
    await delivery.pause();
    await delivery.pause(target);
    await delivery.pause(target, "lunch");
    await clock.advance(2_000);
    expect(await delivery.stats()).toMatchObject({
      paused: ["operator"],
      destinations: [{ paused: ["lunch", "operator"] }],
    });
    await delivery.resume(undefined, "another");
    await delivery.resume(target, "another");
    await clock.advance(2_000);
    expect(await delivery.stats()).toMatchObject({ paused: ["operator"] });
    await delivery.resume();
    await delivery.resume(target);
    await clock.advance(2_000);
    expect(await delivery.stats()).toMatchObject({ paused: [], destinations: [{ paused: ["lunch"] }] });
    await delivery.resume(target, "lunch");
    await clock.advance(2_000);
    expect(await delivery.stats()).toMatchObject({ destinations: [{ paused: [] }] });
  });
});

describe("a database from a backup", () => {
  it("is known before the first letter is replayed", async () => {
    const { clock, delivery, storage } = await setup({ settings: { lingerMs: 0 }, answer: () => REJECTED });
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    await clock.advance(60 * HOUR);
    await delivery.restored({ backupTakenAtMs: clock.now() - 59 * HOUR });
    await clock.advance(1);
    const other = createDelivery({ storage, credentials: goodCredentials, clock });
    expect(await other.deadLetters.replay({ destinationId: "d1", dryRun: true })).toMatchObject({
      skipped: { outcome_unknown: 1 },
    });
  });
});

describe("retention", () => {
  it("is applied when it is asked for", async () => {
    const { clock, delivery, storage } = await setup({ settings: { lingerMs: 0 } });
    await delivery.append([event(1)]);
    clock.jump(38 * 24 * HOUR);
    expect(await delivery.oldestPayloadMs()).toBe(clock.now() - 38 * 24 * HOUR);
    await delivery.sweep();
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0, dead: { expired: 1 } }]);
    expect((await delivery.deadLetters.list({ destinationId: "d1" })).items).toMatchObject([{ reason: "expired" }]);
    expect(await delivery.deadLetters.purge({ destinationId: "d1" })).toBe(1);
    expect(await delivery.oldestPayloadMs()).toBeUndefined();
  });
});

describe("receipts of a delivery", () => {
  const line: JournalLine = {
    ...{ type: "ingest", id: "l-1", atMs: Date.UTC(2026, 0, 1), offered: 1 },
    events: [{ eventId: "e-1", parts: [{ rule: "shop", channel: "server", target: "PURCHASE", status: "queued" }] }],
  };

  it("hold what track wrote and what delivery did", async () => {
    const answer: Answer = () => ({ status: "delivered", known: true });
    const { clock, delivery } = await setup({ settings: { lingerMs: 0, journalShare: 1 }, answer });
    delivery.receipts.write("d1", ["e-1"], line);
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    const { items } = await delivery.receipts.find("d1", { eventId: "e-1" });
    expect(items).toMatchObject([{ status: "delivered", entries: [{ type: "decision" }, { type: "attempt" }] }]);
    await clock.advance(HOUR);
    const lines = async (window: object) => {
      const texts: string[] = [];
      for await (const text of delivery.receipts.export("d1", window)) texts.push(text);
      return texts.length;
    };
    expect(await lines({})).toBe(2);
    expect(await lines({ sinceMs: clock.now() - 60_000 })).toBe(0);
  });
});

it("receipts are flushed once they are with the engine", async () => {
  const clock = createFakeClock();
  const { journal, ...inner } = memory({ clock });
  const write = () => clock.sleep(500);
  const storage = { ...inner, ...(journal && { journal: { ...journal, write } }) };
  const delivery = createDelivery({ storage, credentials: goodCredentials, clock });
  delivery.receipts.write("d1", [], { type: "ingest", id: "l-1", atMs: 0, offered: 0, events: [] });
  await clock.run(delivery.receipts.flush());
  expect(clock.monotonic()).toBe(500);
});

describe("a delivery", () => {
  it("goes on where a listener throws", async () => {
    const fault = () => {
      throw new Error("the listener's own");
    };
    for (const listeners of [{ emit: fault }, { onSettled: fault }]) {
      const { clock, delivery, seen } = await setup({ settings: { lingerMs: 0 }, ...listeners });
      await delivery.append([event(1)]);
      expect(await clock.run(delivery.drain({ maxMs: 1_000 }))).toMatchObject({ delivered: 1, left: 0 });
      expect(seen.filter(({ type }) => type === "worker_error")).toEqual([]);
    }
  });

  it("says what needs a person", async () => {
    const { delivery } = await setup();
    expect(await delivery.health()).toEqual({ ok: true, problems: [] });
  });

  it("keeps limits on records where the engine keeps no slots", async () => {
    const clock = createFakeClock();
    const { slots: _, ...inner } = memory({ clock });
    const limits = { events: [{ key: "narrow", perWindow: 1, windowMs: 1_000 }], segments: [] };
    const credentials = { ...goodCredentials, resolve: async (id: string) => ({ ...credential(id), limits }) };
    const { delivery, events } = await setup({
      clock,
      storage: inner as Storage,
      credentials,
      settings: { lingerMs: 0 },
    });
    for (const n of [1, 2]) {
      await delivery.open([eventsOf({ name: `events/pixel-${n}` })]);
      await delivery.append([event(n, { assetId: `pixel-${n}` })]);
    }
    const worker = delivery.startWorker();
    await clock.advance(1_500);
    await clock.run(worker.stop());
    const [first, second] = events.sent.map(({ atMs }) => atMs);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it("probes an asset that fails within the bounds of its retries", async () => {
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0, retryMinMs: 10, retryMaxMs: 40 },
      answer: () => ({ status: "retry", known: true, code: "http_503" }),
    });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker();
    await clock.advance(500);
    const { circuits } = await delivery.stats();
    expect(circuits).toMatchObject([{ asset: "events/pixel-1" }]);
    expect(circuits[0]?.retryInMs).toBeLessThanOrEqual(40);
    await clock.run(worker.stop());
  });

  it("works by the process's own clock where none is given", async () => {
    const storage = memory();
    const events = fakeEvents({ ...createFakeClock() });
    const delivery = createDelivery({ storage, credentials: goodCredentials, events, settings: { lingerMs: 0 } });
    await delivery.open([eventsOf()]);
    const now = Math.floor(Date.now() / 1_000);
    await delivery.append([event(1, { eventTime: now })]);
    expect(await delivery.drain({ maxMs: 60_000 })).toMatchObject({ delivered: 1 });
  });
});
