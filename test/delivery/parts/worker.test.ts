import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { DeliveryEvent, DeliveryOptions } from "../../../src/delivery/index.ts";
import { createDelivery } from "../../../src/delivery/index.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { type Answer, DELIVERED, event, eventsOf, failure, fakeEvents, goodCredentials, seeded } from "../support.ts";

interface Options extends Partial<DeliveryOptions> {
  answer?: Answer;
  takesMs?: number;
}

/** A delivery whose engine notes what a worker asks of it, and when. */
async function world({ answer = () => DELIVERED, takesMs = 0, ...rest }: Options = {}) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const claims: (Parameters<Storage["outbox"]["claim"]>[0] & { atMs: number })[] = [];
  const waits: number[] = [];
  const fate: { fault: Error | undefined } = { fault: undefined };
  const began = clock.monotonic();
  const outbox: Storage["outbox"] = {
    ...inner.outbox,
    async claim(o) {
      claims.push({ ...o, atMs: clock.monotonic() - began });
      if (fate.fault) throw fate.fault;
      return inner.outbox.claim(o);
    },
    async wait({ maxMs, signal }) {
      waits.push(maxMs);
      await clock.sleep(maxMs, signal);
    },
  };
  const going = { now: 0, most: 0 };
  const events = fakeEvents(clock, async (request, options) => {
    going.now++;
    going.most = Math.max(going.most, going.now);
    await clock.sleep(takesMs, options.signal);
    going.now--;
    return answer(request, options);
  });
  const seen: DeliveryEvent[] = [];
  const delivery = createDelivery({
    ...{ storage: { ...inner, outbox }, credentials: goodCredentials, events, clock, random: seeded(3) },
    emit: (one) => seen.push(one),
    ...rest,
    settings: { lingerMs: 0, ...rest.settings },
  });
  /** Stores one event in a group of its own, for each number. */
  async function queue(...numbers: number[]): Promise<void> {
    for (const n of numbers) {
      await delivery.open([eventsOf({ name: `events/pixel-${n}` })]);
      await delivery.append([event(n, { assetId: `pixel-${n}` })]);
    }
  }
  const sentIds = () => events.sent.flatMap(({ eventIds }) => eventIds);
  const sentAt = () => events.sent.map(({ atMs }) => atMs - began);
  return { clock, delivery, claims, waits, fate, going, events, seen, queue, sentIds, sentAt };
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("what a worker asks the engine for", () => {
  it("is a claim of 2,000 items and 4 MiB, under the lease, in its own name", async () => {
    const { clock, delivery, claims } = await world({ settings: { leaseMs: 90_000 } });
    const workers = [delivery.startWorker(), delivery.startWorker()];
    await clock.advance(1);
    await Promise.all(workers.map((worker) => clock.run(worker.stop())));
    expect(claims[0]).toMatchObject({
      ...{ leaseMs: 90_000, maxItems: 2_000, maxBytes: 4 * 1024 * 1024, skipCredentials: [] },
    });
    const owners = claims.map(({ owner }) => owner);
    expect(owners[0]).toMatch(/^[0-9a-z]{6,}-0$/);
    expect(owners[1]).toBe(owners[0]?.replace("-0", "-1"));
    const other = await world({ random: () => 0.3 });
    const elsewhere = other.delivery.startWorker();
    await other.clock.advance(1);
    await other.clock.run(elsewhere.stop());
    expect(other.claims[0]?.owner).not.toBe(owners[0]);
  });

  it.each([
    [{ maxBatch: 3 }, { maxItems: 3 }],
    [{ maxBatch: 5_000 }, { maxItems: 2_000 }],
    [{ maxInFlightBytes: 100_000 }, { maxBytes: 100_000 }],
    [{ maxInFlightBytes: 100 * 1024 * 1024 }, { maxBytes: 4 * 1024 * 1024 }],
  ])("follows %j", async (options, expected) => {
    const { clock, delivery, claims } = await world();
    const worker = delivery.startWorker(options);
    await clock.advance(1);
    await clock.run(worker.stop());
    expect(claims[0]).toMatchObject(expected);
  });

  it("is as much less as it has in hand, until that is done", async () => {
    const { clock, delivery, claims, queue } = await world({ takesMs: 100 });
    await queue(1, 2);
    const worker = delivery.startWorker({ maxInFlightBytes: 10_000 });
    await clock.advance(50);
    const [first, second, third] = claims.map(({ maxBytes }) => maxBytes);
    expect(first).toBe(10_000);
    const size = 10_000 - (second ?? 0);
    expect(size).toBeGreaterThan(100);
    expect(third).toBe(10_000 - 2 * size);
    await clock.advance(10_000);
    expect(claims.at(-1)?.maxBytes).toBe(10_000);
    expect(delivery.counters.claims).toBe(2);
    await clock.run(worker.stop());
  });

  it("is nothing while it has in hand as much as it may", async () => {
    const { clock, delivery, claims, queue, sentAt } = await world({ takesMs: 6_000 });
    await queue(1, 2);
    const worker = delivery.startWorker({ maxInFlightBytes: 1 });
    await clock.advance(5_999);
    expect(claims).toHaveLength(1);
    await clock.advance(1_001);
    expect(sentAt()).toEqual([0, 6_000]);
    await clock.run(worker.stop());
  });
});

describe("how many claims a worker has in hand", () => {
  it("is 16, and the next one begins as soon as one ends", async () => {
    const { clock, delivery, queue, going, sentAt } = await world({ takesMs: 3_000 });
    await queue(...range(20));
    const worker = delivery.startWorker();
    await clock.advance(2_999);
    expect([going.now, going.most]).toEqual([16, 16]);
    await clock.advance(500);
    expect(sentAt().slice(16)).toHaveLength(4);
    expect(Math.max(...sentAt())).toBeLessThan(3_100);
    await clock.run(worker.stop());
  });

  it("is as many as it is told", async () => {
    const { clock, delivery, queue, going, sentAt } = await world({ takesMs: 7_000 });
    await queue(1, 2, 3);
    const worker = delivery.startWorker({ concurrency: 1 });
    await clock.advance(20_000);
    expect([going.most, sentAt()]).toEqual([1, [0, 7_000, 14_000]]);
    await clock.run(worker.stop());
  });
});

describe("a credential that has no slot", () => {
  const resolve = async () => {
    throw failure("vault_busy", {}, "retry");
  };

  it("is left out of claims until it may have one, and then looked at at once", async () => {
    const { clock, delivery, claims, waits, queue } = await world({ credentials: { ...goodCredentials, resolve } });
    await queue(1);
    const worker = delivery.startWorker();
    await clock.advance(4_999);
    expect(claims.at(-1)).toMatchObject({ atMs: 0, skipCredentials: ["conversions/acme/d1/1"] });
    expect(waits.at(-1)).toBe(5_000);
    const before = claims.length;
    await clock.advance(2);
    expect(claims[before]).toMatchObject({ atMs: 5_000, skipCredentials: [] });
    await clock.run(worker.stop());
  });

  it("is waited for no longer than that takes", async () => {
    const busy = async () => {
      throw Object.assign(failure("vault_busy", {}, "retry"), { retryAfterMs: 1_200.5 });
    };
    const { clock, delivery, waits, queue, claims } = await world({
      credentials: { ...goodCredentials, resolve: busy },
    });
    await queue(1);
    const worker = delivery.startWorker();
    await clock.advance(1_201);
    expect(waits[1]).toBe(1_201);
    expect(claims.map(({ atMs }) => atMs).slice(2, 4)).toEqual([0, 1_201]);
    await clock.run(worker.stop());
  });
});

describe("a worker with nothing to do", () => {
  it("waits for the engine to say so, five seconds at a time", async () => {
    const { clock, delivery, waits, claims } = await world();
    const worker = delivery.startWorker();
    await clock.advance(12_000);
    expect(waits).toEqual([5_000, 5_000, 5_000]);
    expect(claims.map(({ atMs }) => atMs)).toEqual([0, 5_000, 10_000]);
    await clock.run(worker.stop(), { maxMs: 0 });
  });

  it("claims nothing while everything is paused, and looks every two seconds", async () => {
    const { clock, delivery, claims, queue, sentAt } = await world();
    await queue(1);
    await delivery.pause();
    const worker = delivery.startWorker();
    await clock.advance(3_000);
    expect(claims).toEqual([]);
    await delivery.resume();
    await clock.advance(1_000);
    expect(sentAt()).toEqual([4_000]);
    await delivery.pause();
    await clock.advance(5_000);
    await clock.run(worker.stop(), { maxMs: 0 });
  });
});

describe("a worker whose engine is away", () => {
  it("tells of it, and asks again after a quarter of a second, then twice as long each time, up to half a minute", async () => {
    const { clock, delivery, claims, fate, seen } = await world();
    fate.fault = storageError("unavailable", "It is away.", "Wait.");
    const worker = delivery.startWorker();
    await clock.advance(100_000);
    const times = claims.map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    expect(gaps).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(seen[0]).toEqual({ type: "worker_error", code: "unavailable", message: "It is away." });
    expect(seen).toHaveLength(times.length);
    await clock.run(worker.stop(), { maxMs: 0 });
  });

  it("begins anew with a quarter of a second after it was back", async () => {
    const { clock, delivery, claims, fate } = await world();
    fate.fault = new Error("away");
    const worker = delivery.startWorker();
    await clock.advance(700);
    fate.fault = undefined;
    await clock.advance(100);
    fate.fault = new Error("away");
    await clock.advance(5_300);
    expect(claims.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 5_750, 6_000]);
    await clock.run(worker.stop());
  });
});

describe("a worker that is stopped", () => {
  it("claims nothing where its signal was given already", async () => {
    const { clock, delivery, claims, queue } = await world();
    await queue(1);
    const worker = delivery.startWorker({ signal: AbortSignal.abort() });
    await clock.advance(10_000);
    await clock.run(worker.stop());
    expect(claims).toEqual([]);
  });

  it("wakes where it waits, by its signal too, and leaves no listener behind", async () => {
    const { clock, delivery, claims } = await world();
    const abort = new AbortController();
    const worker = delivery.startWorker({ signal: abort.signal });
    await clock.advance(1);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort();
    await clock.run(worker.stop(), { maxMs: 0 });
    expect(claims).toHaveLength(1);
    const again = new AbortController();
    await clock.run(delivery.startWorker({ signal: again.signal }).stop());
    expect([getEventListeners(again.signal, "abort").length, clock.sleeping]).toEqual([0, 0]);
  });

  it("wakes where it waits for one of its claims to end, and lets that finish", async () => {
    const { clock, delivery, queue, sentIds } = await world({ takesMs: 3_000 });
    await queue(1, 2);
    const worker = delivery.startWorker({ concurrency: 1 });
    await clock.advance(1_000);
    await clock.run(worker.stop(), { maxMs: 2_000 });
    expect([sentIds(), delivery.counters.delivered]).toEqual([["e-1"], 1]);
  });

  it("lets requests finish for 25 seconds, then ends them", async () => {
    const { clock, delivery, queue } = await world({
      ...{ takesMs: 40_000, settings: { requestTimeoutMs: 50_000, leaseMs: 300_000 } },
      answer: (_, { signal }) =>
        signal?.aborted ? { status: "retry", known: false, code: "aborted" } : { status: "delivered", known: true },
    });
    await queue(1);
    const worker = delivery.startWorker();
    await clock.advance(1);
    const began = clock.monotonic();
    await clock.run(worker.stop());
    expect(clock.monotonic() - began).toBe(25_000);
    expect(delivery.counters).toMatchObject({ delivered: 0, retried: 1 });
  });

  it("may be stopped twice", async () => {
    const { clock, delivery } = await world();
    const worker = delivery.startWorker();
    await clock.run(Promise.all([worker.stop(), worker.stop(), worker[Symbol.asyncDispose]()]), { maxMs: 0 });
  });

  it("has its journal with the engine", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    let written = 0;
    const journal = {
      ...inner.journal,
      async write() {
        await clock.sleep(500);
        written++;
      },
    } as unknown as Storage["journal"];
    const storage = { ...inner, ...(journal && { journal }) };
    const delivery = createDelivery({ storage, credentials: goodCredentials, clock });
    const worker = delivery.startWorker();
    delivery.receipts.write("d1", [], { type: "ingest", id: "l", atMs: 0, offered: 0, events: [] });
    await clock.run(worker.stop());
    expect(written).toBe(1);
  });
});

describe("drain", () => {
  it("looks for a moment longer than events linger, and returns", async () => {
    const { clock, delivery, waits } = await world({ settings: { lingerMs: 300 } });
    await clock.run(delivery.drain({ maxMs: 10_000 }));
    expect([waits, clock.monotonic(), clock.sleeping]).toEqual([[350], 350, 0]);
    const slow = await world({ settings: { lingerMs: 8_000 } });
    await slow.clock.run(slow.delivery.drain({ maxMs: 20_000 }));
    expect([slow.waits, slow.clock.monotonic()]).toEqual([[5_000, 5_000], 10_000]);
  });

  it("returns at once where everything is paused", async () => {
    const { clock, delivery, queue } = await world();
    await queue(1);
    await delivery.pause();
    expect(await clock.run(delivery.drain({ maxMs: 10_000 }), { maxMs: 0 })).toMatchObject({ left: 1, delivered: 0 });
  });

  it("takes what comes while a slow request is under way", async () => {
    const { clock, delivery, queue, sentIds } = await world({ takesMs: 3_000 });
    await queue(1);
    const drained = delivery.drain({ maxMs: 20_000 });
    await clock.advance(2_000);
    await queue(2);
    expect(await clock.run(drained)).toMatchObject({ delivered: 2, requests: 2, left: 0 });
    expect(sentIds()).toEqual(["e-1", "e-2"]);
    expect(clock.monotonic()).toBeLessThan(6_500);
  });

  it.each([
    ["stays for what is due again within a second", 1_000, 5],
    ["leaves what is due again later", 1_001, 1],
  ])("%s", async (_, retryAfterMs, tries) => {
    let resolved = 0;
    const { clock, delivery, queue } = await world({
      credentials: {
        ...goodCredentials,
        async resolve(id) {
          resolved++;
          if (resolved < 5) throw Object.assign(failure("vault_busy", {}, "retry"), { retryAfterMs });
          return goodCredentials.resolve(id);
        },
      },
    });
    await queue(1);
    await clock.run(delivery.drain({ maxMs: 60_000 }));
    expect(resolved).toBe(tries);
  });

  it("ends requests at the end of its time, and takes no new work then", async () => {
    const { clock, delivery, queue, sentIds } = await world({
      takesMs: 1_500,
      answer: (_, { signal }) => (signal?.aborted ? { status: "retry", known: false, code: "aborted" } : DELIVERED),
    });
    await queue(1, 2, 3);
    const report = await clock.run(delivery.drain({ maxMs: 2_000, concurrency: 1 }));
    expect(report).toMatchObject({ delivered: 1, retrying: 1, left: 2 });
    expect([sentIds(), clock.monotonic()]).toEqual([["e-1", "e-2"], 2_000]);
  });

  it("is cut short by its signal", async () => {
    const { clock, delivery, queue } = await world({ takesMs: 500 });
    await queue(1, 2);
    const abort = new AbortController();
    const drained = delivery.drain({ maxMs: 60_000, concurrency: 1, signal: abort.signal });
    await clock.advance(100);
    abort.abort();
    expect(await clock.run(drained)).toMatchObject({ delivered: 1, left: 1 });
    expect(clock.monotonic()).toBe(500);
  });
});
