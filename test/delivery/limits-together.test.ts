import { describe, expect, it } from "vitest";
import { createDelivery, type EventOutcome, type LimitScope } from "../../src/delivery/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { recordSlots } from "../../src/storage/record-slots.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { watch } from "./checker/oracle.ts";
import { DELIVERED, event, eventsOf, fakeEvents, loginsUnder, onClock, seeded } from "./support.ts";

const TOKEN: LimitScope = { key: "oauth-token/c1", perWindow: 10, windowMs: 1_000 };
const APP: LimitScope = { key: "oauth-app/a", perWindow: 20, windowMs: 1_000 };
const PROCESSES = 6;

interface Run {
  /** When requests left, by token. */
  left: { credentialId: string; atMs: number }[];
  /** When they arrived. */
  arrived: { credentialId: string; atMs: number }[];
  slots: ReadonlyMap<string, number[]>;
}

/** Six processes with more work than they may send, on a network that is late by 0–80 ms; some stall now and then. */
async function run(options: {
  seconds: number;
  engine?: (storage: Storage) => Storage;
  stalls?: number;
  answer?: (credentialId: string, atMs: number) => EventOutcome;
}): Promise<Run> {
  const { seconds, engine = (storage) => storage, stalls = 0.03, answer = () => DELIVERED } = options;
  const clock = createFakeClock();
  const random = seeded(5);
  const watched = watch(engine(memory({ clock })), () => clock.monotonic());
  const storage = onClock(watched.storage, clock, 10);
  const credentials = ["oauth/acme/c1", "oauth/acme/c2", "oauth/acme/c3"];
  const left: Run["left"] = [];
  const arrived: Run["arrived"] = [];
  const deliveries = Array.from({ length: PROCESSES }, () => {
    const events = fakeEvents(clock);
    return createDelivery({
      storage,
      random,
      settings: { lingerMs: 0 },
      clock: {
        ...clock,
        now: clock.now,
        monotonic: clock.monotonic,
        // A garbage collection, a busy neighbour: it wakes up late.
        sleep: (ms, signal) => clock.sleep(ms + (random() < stalls ? 400 * random() : 8 * random()), signal),
      },
      credentials: loginsUnder((id) => [{ ...TOKEN, key: id }, APP]),
      events: {
        async sendPrepared(assetId, items, o) {
          const sent = await events.sendPrepared(assetId, items, o);
          if (sent.requests.length === 0) return sent;
          const credentialId = o.token.reveal().replace("token of ", "");
          left.push({ credentialId, atMs: clock.monotonic() });
          await clock.sleep(80 * random());
          arrived.push({ credentialId, atMs: clock.monotonic() });
          const outcome = answer(credentialId, clock.monotonic());
          await clock.sleep(80 * random());
          return { ...sent, outcomes: items.map(() => outcome) };
        },
      },
    });
  });
  const [first] = deliveries;
  for (const [n, credentialId] of credentials.entries()) {
    const place = { tenantId: `t${n}`, destinationId: `d${n}`, assetId: `p${n}` };
    await first?.open([eventsOf({ ...place, name: `events/p${n}`, credentialId })]);
    for (let k = 0; k < seconds * 12; k++) await first?.append([event(`${n}-${k}`, place)]);
  }
  const workers = deliveries.map((delivery) => delivery.startWorker({ maxBatch: 1, concurrency: 8 }));
  await clock.advance(seconds * 1_000);
  await clock.run(Promise.all(workers.map((worker) => worker.stop())));
  return { left, arrived, slots: watched.slots };
}

/** The most of them in any interval of that length, wherever it begins. */
function most(times: readonly number[], intervalMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let found = 0;
  for (const [last, at] of sorted.entries()) {
    while ((sorted[first] as number) <= at - intervalMs) first++;
    found = Math.max(found, last - first + 1);
  }
  return found;
}

const engines: Record<string, (storage: Storage) => Storage> = {
  "the slots port": (storage) => storage,
  "records, where the engine has no slots": (storage) => ({ ...storage, slots: recordSlots(storage.records) }),
};

describe.each(Object.entries(engines))("six processes on %s", (_, engine) => {
  for (const [name, stalls, lateMs] of [
    ["", 0, 0],
    [", though they stall for up to 400 ms", 0.03, 250],
  ] as const) {
    it(`keep every limit at any moment and use nine tenths of what they may${name}`, async () => {
      const { left, arrived, slots } = await run({ seconds: 30, engine, stalls });
      for (const { key, perWindow, windowMs } of [APP, { ...TOKEN, key: "oauth/acme/c1" }]) {
        const mine = arrived.filter(({ credentialId }) => key === APP.key || credentialId === key);
        // The engine counts whole milliseconds.
        expect(most(slots.get(key) ?? [], windowMs - 1)).toBeLessThanOrEqual(perWindow * 0.9);
        expect(
          most(
            mine.map(({ atMs }) => atMs),
            windowMs - lateMs,
          ),
        ).toBeLessThanOrEqual(perWindow);
      }
      expect(left.length).toBeGreaterThanOrEqual(0.9 * 0.9 * APP.perWindow * 30);
    });
  }
});

it("a 429 holds the whole token back in all processes, and no other", async () => {
  const refusedAt = 10_000;
  let refused = 0;
  const { left } = await run({
    seconds: 30,
    answer: (credentialId, atMs) =>
      credentialId === "oauth/acme/c1" && atMs > refusedAt && refused++ === 0
        ? { status: "retry", known: true, code: "rate_limited", retryAfterMs: 8_000 }
        : DELIVERED,
  });
  const between = (credentialId: string, fromMs: number, toMs: number) =>
    left.filter((one) => one.credentialId === credentialId && one.atMs > fromMs && one.atMs < toMs).length;
  // Slots that were given before it are good for another second.
  expect(between("oauth/acme/c1", refusedAt + 1_500, refusedAt + 8_000)).toBe(0);
  expect(between("oauth/acme/c1", refusedAt + 9_000, 30_000)).toBeGreaterThan(20);
  expect(between("oauth/acme/c2", refusedAt + 1_500, refusedAt + 8_000)).toBeGreaterThan(30);
});
