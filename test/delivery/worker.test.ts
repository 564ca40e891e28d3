import { describe, expect, it } from "vitest";
import { createDelivery } from "../../src/delivery/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { createProcess } from "./checker/logical-worker.ts";
import { credential, DELIVERED, event, eventsOf, fakeEvents, goodCredentials, setup } from "./support.ts";

const MINUTE = 60_000;
const never = () => new Promise<never>(() => {});

describe("a worker that stops", () => {
  it("takes nothing new and lets what is under way finish", async () => {
    const { clock, delivery, events } = await setup({
      settings: { lingerMs: 0 },
      answer: async () => {
        await clock.sleep(4_000);
        return DELIVERED;
      },
    });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker();
    await clock.advance(1_000);
    const stopped = worker.stop();
    await delivery.append([event(2)]);
    await clock.run(stopped);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-1"]]);
    expect(delivery.counters.delivered).toBe(1);
  });

  it("ends requests that take longer than it may wait, and notes that their outcome is unknown", async () => {
    const { clock, delivery, storage } = await setup({
      settings: { lingerMs: 0 },
      answer: async (_, { signal }) => {
        await clock.sleep(14_000, signal);
        return { status: "retry", known: false, code: "aborted" };
      },
    });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker({ stopWithinMs: 2_000 });
    await clock.advance(1_000);
    await clock.run(worker.stop(), { maxMs: 2_100 });
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 1 }]);
  });

  it("returns in time where the engine never answers", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const storage: Storage = { ...inner, outbox: { ...inner.outbox, settle: never } };
    const { delivery } = await setup({ clock, storage, settings: { lingerMs: 0 } });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker({ stopWithinMs: 2_000 });
    await clock.advance(1_000);
    await clock.run(worker.stop(), { maxMs: 7_100 });
  });

  it("stops by its signal, and at the end of a block", async () => {
    const { clock, delivery } = await setup();
    const abort = new AbortController();
    const bySignal = delivery.startWorker({ signal: abort.signal });
    abort.abort();
    await clock.run(bySignal.stop(), { maxMs: 100 });
    const atEnd = delivery.startWorker();
    await clock.run(atEnd[Symbol.asyncDispose](), { maxMs: 100 });
    expect(clock.sleeping).toBe(0);
  });
});

describe("drain", () => {
  it("delivers what is due and returns long before its time is over", async () => {
    const { clock, delivery } = await setup();
    await delivery.append([event(1), event(2)]);
    const report = await clock.run(delivery.drain({ maxMs: 60_000 }), { maxMs: 5_000 });
    expect(report).toMatchObject({ delivered: 2, requests: 1, left: 0, dead: 0, retrying: 0 });
  });

  it("ends in time although every place is taken by slow requests", async () => {
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0 },
      answer: async (_, { signal }) => {
        await clock.sleep(14_000, signal);
        return { status: "retry", known: false, code: "aborted" };
      },
    });
    await delivery.append([event(1)]);
    const report = await clock.run(delivery.drain({ maxMs: 1_000, concurrency: 1 }), { maxMs: 1_200 });
    expect(report).toMatchObject({ delivered: 0, left: 1 });
  });

  it("stays for what comes due again within a second", async () => {
    let answers = 0;
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0, retryMinMs: 300, retryMaxMs: 900 },
      answer: () => (++answers <= 3 ? { status: "retry", known: true, code: "server_error" } : DELIVERED),
    });
    await delivery.append([event(1)]);
    const report = await clock.run(delivery.drain({ maxMs: 60_000 }), { maxMs: 5_000 });
    expect(report).toMatchObject({ delivered: 1, retrying: 3, left: 0 });
  });

  it("stays for the next slot of a limit", async () => {
    const narrow = { events: [{ key: "narrow", perWindow: 1, windowMs: 900 }], segments: [] };
    const credentials = { ...goodCredentials, resolve: async (id: string) => ({ ...credential(id), limits: narrow }) };
    const { clock, delivery } = await setup({ credentials, settings: { lingerMs: 0 } });
    for (let n = 0; n < 4; n++) {
      await delivery.open([eventsOf({ name: `events/pixel-${n}` })]);
      await delivery.append([event(n, { assetId: `pixel-${n}` })]);
    }
    const report = await clock.run(delivery.drain({ maxMs: 60_000, concurrency: 1 }), { maxMs: 10_000 });
    expect(report).toMatchObject({ delivered: 4, requests: 4, left: 0 });
  });

  it("leaves what comes due later to the next call", async () => {
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0, retryMinMs: 1_500 },
      answer: () => ({ status: "retry", known: true, code: "server_error" }),
    });
    await delivery.append([event(1)]);
    const report = await clock.run(delivery.drain({ maxMs: 60_000 }), { maxMs: 1_000 });
    expect(report).toMatchObject({ delivered: 0, retrying: 1, left: 1 });
  });
});

it("keeps no more payload in hand than it may, but for one claim", async () => {
  let inHand = 0;
  let most = 0;
  const { clock, delivery } = await setup({
    settings: { lingerMs: 0 },
    answer: async ({ eventIds }) => {
      inHand += eventIds.length;
      most = Math.max(most, inHand);
      await clock.sleep(1_000);
      inHand -= eventIds.length;
      return DELIVERED;
    },
  });
  for (let n = 0; n < 8; n++)
    await delivery.append([event(n, { json: JSON.stringify({ event_id: `e-${n}`, pad: "x".repeat(50_000) }) })]);
  const worker = delivery.startWorker({ maxInFlightBytes: 120_000 });
  await clock.advance(MINUTE);
  await clock.run(worker.stop());
  expect(delivery.counters.delivered).toBe(8);
  expect(most).toBe(3);
});

it("an entry that ends every worker is tried alone, then buried; what was claimed along with it is delivered", async () => {
  const clock = createFakeClock();
  const storage = memory({ clock });
  const first = await setup({ clock, storage, settings: { lingerMs: 0 } });
  for (const n of [1, 2, 3]) await first.delivery.append([event(n)]);
  const deadly = "e-2";
  const tries: string[][] = [];
  for (let life = 0; life < 12; life++) {
    const chances = { crash: 0, freeze: 0, stall: 0, storageFault: 0 };
    const process = createProcess(
      `w${life}`,
      clock,
      () => 0.5,
      () => chances,
      () => {},
      () => {},
    );
    const events = fakeEvents(process.clock, ({ eventIds }) => {
      tries.push(eventIds);
      if (!eventIds.includes(deadly)) return DELIVERED;
      process.dead = true;
      return never();
    });
    const settings = { lingerMs: 0 };
    createDelivery({
      storage: process.reach(storage),
      credentials: goodCredentials,
      events,
      settings,
      clock: process.clock,
    }).startWorker({ concurrency: 1 });
    await clock.advance(2 * MINUTE);
    process.dead = true;
    await clock.advance(2 * MINUTE);
  }
  const { items } = await first.delivery.deadLetters.list({ destinationId: "d1" });
  expect(items).toMatchObject([{ reason: "crashes_worker", whole: true }]);
  expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0 }]);
  expect(tries.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => ["e-1", "e-2", "e-3"]));
  expect(tries.slice(5).sort()).toEqual([["e-1"], ["e-2"], ["e-3"]]);
});

it("a payload of a newer version is left alone, whatever comes of it: not sent, not counted, not buried", async () => {
  const { clock, delivery, storage, events, seen } = await setup({ lookMs: 1_000 });
  const newer = Uint8Array.of(9, 9, 1, 2, 3);
  await storage.outbox.append([
    { id: "newer", group: { destinationId: "d1", name: "events/pixel-1" }, priority: 0, items: 1, payload: newer },
  ]);
  await delivery.append([event(1)]);
  const worker = delivery.startWorker();
  await clock.advance(60 * MINUTE);
  expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-1"]]);
  expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 1, dead: {} }]);
  expect(seen).toContainEqual(expect.objectContaining({ type: "entry_unreadable", reason: "unknown_format" }));
  await clock.run(worker.stop());
  await clock.advance(5 * MINUTE);
  const claim = await storage.outbox.claim({ owner: "newer", leaseMs: 1_000, maxItems: 10, maxBytes: 1e6 });
  expect(claim?.entries[0]?.payload).toEqual(newer);
});

it("pauses everything, one destination, or one credential, and goes on", async () => {
  const { clock, delivery, events } = await setup({ lookMs: 1_000, settings: { lingerMs: 0 } });
  const worker = delivery.startWorker();
  for (const target of [undefined, { destinationId: "d1" }, { credentialId: "conversions/acme/d1/1" }]) {
    const before = events.sent.length;
    await delivery.pause(target, "lunch");
    await clock.advance(3_000);
    await delivery.append([event(`paused-${events.sent.length}`)]);
    await clock.advance(10 * MINUTE);
    expect(events.sent).toHaveLength(before);
    await delivery.resume(target, "lunch");
    await clock.advance(5_000);
    expect(events.sent).toHaveLength(before + 1);
  }
  await clock.run(worker.stop());
});

it("costs next to nothing while there is nothing to do", async () => {
  const clock = createFakeClock();
  const inner = memory({ clock });
  let calls = 0;
  const counted = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          calls++;
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  const waits = {
    ...inner.outbox,
    wait: ({ maxMs, signal }: { maxMs: number; signal: AbortSignal }) => clock.sleep(maxMs, signal),
  };
  const delivery = createDelivery({
    storage: { ...inner, outbox: counted(waits), records: counted(inner.records) },
    credentials: { resolve: never, refused: never },
    clock,
  });
  await delivery.open([eventsOf()]);
  const worker = delivery.startWorker();
  await clock.advance(MINUTE);
  calls = 0;
  await clock.advance(60 * MINUTE);
  // A claim, a wait and a look at the control record every five seconds, a sweep an hour.
  expect(calls).toBeLessThan(3 * 720 + 60);
  await clock.run(worker.stop());
});
