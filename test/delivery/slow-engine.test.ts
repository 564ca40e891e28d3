import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { createDelivery, type LimitScope } from "../../src/delivery/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { recordSlots } from "../../src/storage/record-slots.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { DELIVERED, event, eventsOf, fakeEvents, goodCredentials, loginsUnder, onClock, seeded } from "./support.ts";

const LIMIT: LimitScope = { key: "oauth/acme/c1", perWindow: 10, windowMs: 1_000 };

/** The engine is far away: every call travels for half of `roundTripMs()`, takes effect, and its answer travels as long. */
function farAway(storage: Storage, clock: Clock, roundTripMs: () => number): Storage {
  const far = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function" || name === "wait") return call;
        return async (...args: unknown[]) => {
          const ms = roundTripMs();
          await clock.sleep(ms / 2);
          const answer = await Reflect.apply(call, target, args);
          await clock.sleep(ms / 2);
          return answer;
        };
      },
    });
  const { outbox, records, slots, journal } = storage;
  return {
    ...storage,
    outbox: far(outbox),
    records: far(records),
    ...(slots ? { slots: far(slots) } : {}),
    ...(journal ? { journal: far(journal) } : {}),
  };
}

/** The most of them in any interval of that length, wherever it begins. */
function most(times: readonly number[], intervalMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + intervalMs).length));
}

interface Far {
  roundTripMs: (random: () => number) => number;
  /** Slots on records: several calls each. */
  records?: boolean;
  processes: number;
  seconds: number;
}

async function run({ roundTripMs, records = false, processes, seconds }: Far): Promise<number[]> {
  const clock = createFakeClock();
  const random = seeded(3);
  const left: number[] = [];
  const engine = memory({ clock });
  for (const n of [1, 2, 3]) {
    const place = { tenantId: `t${n}`, destinationId: `d${n}` };
    await engine.outbox.open([eventsOf({ ...place, credentialId: LIMIT.key })]);
    const near = createDelivery({ storage: engine, clock, random, credentials: goodCredentials });
    for (let k = 0; k < seconds * 10; k++) await near.append([event(`${n}-${k}`, place)]);
  }
  const workers = Array.from({ length: processes }, () => {
    const far = farAway(engine, clock, () => roundTripMs(random));
    const events = fakeEvents(clock, async (request) => {
      left.push(request.atMs);
      await clock.sleep(80 * random());
      return DELIVERED;
    });
    const delivery = createDelivery({
      storage: onClock(records ? { ...far, slots: recordSlots(far.records) } : far, clock, 10),
      clock,
      random,
      events,
      settings: { lingerMs: 0 },
      credentials: loginsUnder(() => [LIMIT]),
    });
    return delivery.startWorker({ maxBatch: 1, concurrency: 8 });
  });
  await clock.advance(seconds * 1_000);
  await clock.run(Promise.all(workers.map((worker) => worker.stop())));
  return left.filter((at) => at <= seconds * 1_000).sort((a, b) => a - b);
}

describe("an engine that is far away", () => {
  const steady = (ms: number) => () => ms;
  const unsteady = (fromMs: number, toMs: number) => (random: () => number) => fromMs + (toMs - fromMs) * random();
  it.each<[string, Far["roundTripMs"], number]>([
    ["200 ms", steady(200), 6],
    ["300 ms", steady(300), 4],
    ["700 ms", steady(700), 3],
    ["2 s", steady(2_000), 0.5],
    ["200 to 500 ms", unsteady(200, 500), 2],
    ["20 ms, and a second every now and then", (random) => (random() < 0.1 ? 1_000 : 20), 5],
  ])("has its events sent, and no limit exceeded: %s", async (_, roundTripMs, atLeastPerSecond) => {
    const left = await run({ roundTripMs, processes: 3, seconds: 30 });
    expect(most(left, LIMIT.windowMs)).toBeLessThanOrEqual(LIMIT.perWindow);
    expect(left.length).toBeGreaterThanOrEqual(atLeastPerSecond * 30);
  });

  it.each([60, 150, 400])("the same with slots on records, several calls of %d ms each", async (ms) => {
    const left = await run({ roundTripMs: steady(ms), records: true, processes: 1, seconds: 30 });
    expect(most(left, LIMIT.windowMs)).toBeLessThanOrEqual(LIMIT.perWindow);
    expect(left.length).toBeGreaterThanOrEqual(30);
  });

  it("is sent by drain, in real time", async () => {
    const engine = memory();
    const events = fakeEvents(systemClock);
    const delivery = createDelivery({
      storage: farAway(engine, systemClock, () => 260),
      clock: systemClock,
      events,
      settings: { lingerMs: 0 },
      credentials: goodCredentials,
    });
    await engine.outbox.open([eventsOf()]);
    await delivery.append([event(1, { eventTime: Math.floor(Date.now() / 1_000) })]);
    expect(await delivery.drain({ maxMs: 10_000 })).toMatchObject({ delivered: 1, left: 0 });
  });
});
