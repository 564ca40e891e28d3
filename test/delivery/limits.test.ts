import { describe, expect, it } from "vitest";
import { createDelivery, type EventOutcome, type LimitScope } from "../../src/delivery/index.ts";
import { createLimits } from "../../src/delivery/limits.ts";
import { Secret } from "../../src/errors.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Slots, Storage } from "../../src/storage/ports.ts";
import { recordSlots } from "../../src/storage/record-slots.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { watch } from "./checker/oracle.ts";
import { DELIVERED, event, eventsOf, fakeEvents, onClock, seeded } from "./support.ts";

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
      credentials: {
        resolve: async (id) => ({
          id,
          kind: "oauth",
          token: new Secret(id),
          version: 1,
          limits: { events: [{ ...TOKEN, key: id }, APP], segments: [] },
        }),
        refused: async () => "retry",
      },
      events: {
        async sendPrepared(assetId, items, o) {
          const sent = await events.sendPrepared(assetId, items, o);
          if (sent.requests.length === 0) return sent;
          const credentialId = o.token.reveal();
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

describe("limits", () => {
  function limited() {
    const clock = createFakeClock();
    /** Requests a second that were asked for. */
    const asked: number[] = [];
    const blocked: [string, number][] = [];
    const slots: Slots = {
      async reserve([scope]) {
        if (scope) asked.push(Math.round((scope.perWindow * 1_000) / scope.windowMs));
        return { inMs: [0] };
      },
      async block(key, forMs) {
        blocked.push([key, forMs]);
      },
    };
    return { clock, asked, blocked, limits: createLimits({ slots, clock, random: seeded(1) }) };
  }

  it("are halved by each 429 and come back by a tenth every ten seconds", async () => {
    const { clock, asked, limits } = limited();
    for (let n = 0; n < 2; n++) {
      const waitMs = await limits.refused([TOKEN], 1_000);
      await clock.advance(waitMs + 1);
      await limits.reserve([TOKEN]);
    }
    await clock.advance(120_000);
    await limits.reserve([TOKEN]);
    expect(asked).toEqual([4, 2, 9]);
  });

  it("count answers that were on their way together as one refusal", async () => {
    const { clock, asked, limits } = limited();
    const waits = await Promise.all([1, 2, 3].map(() => limits.refused([TOKEN], 500)));
    await clock.advance(Math.max(...waits) + 1);
    await limits.reserve([TOKEN]);
    expect(asked).toEqual([4]);
  });

  it("follow the headers: what remains is spread over the time until their window ends", async () => {
    const { clock, asked, limits } = limited();
    await limits.observed([TOKEN], { limit: 83, remaining: 8, resetInMs: 4_000 });
    await limits.reserve([TOKEN]);
    expect(limits.lowered()).toEqual([{ key: TOKEN.key, factor: 1, perSecond: 2, blockedForMs: 0 }]);
    await clock.advance(4_001);
    await limits.reserve([TOKEN]);
    expect(asked).toEqual([2, 9]);
  });

  it("are closed by headers that leave nothing, in every process", async () => {
    const { clock, blocked, limits } = limited();
    await limits.observed([TOKEN], { limit: 83, remaining: 0, resetInMs: 3_000 });
    expect(await limits.reserve([TOKEN])).toMatchObject({ retryInMs: 3_000, blockedBy: TOKEN.key });
    expect(blocked).toEqual([[TOKEN.key, 3_000]]);
    await clock.advance(3_001);
    expect(await limits.reserve([TOKEN])).toHaveProperty("slot");
  });

  it("are wider by as much as slots are good for longer, where the engine is far away", async () => {
    const clock = createFakeClock();
    let asked: LimitScope | undefined;
    let slotAt = 0;
    const slots: Slots = {
      async reserve([scope]) {
        asked = scope;
        await clock.sleep(300);
        slotAt = clock.monotonic() + 50;
        await clock.sleep(100);
        return { inMs: [50] };
      },
      async block() {},
    };
    const limits = createLimits({ slots, clock, random: seeded(1) });
    const slot = async () => {
      const reserved = await clock.run(limits.reserve([TOKEN]));
      if (!("slot" in reserved)) throw new Error("no slot");
      return reserved.slot;
    };
    const first = await slot();
    expect(first.toMs).toBeLessThan(first.fromMs);
    const { fromMs, toMs } = await slot();
    expect(toMs).toBeGreaterThan(fromMs);
    expect(fromMs).toBeGreaterThanOrEqual(slotAt);
    const window = ((asked?.windowMs ?? 0) / (asked?.perWindow ?? 1)) * TOKEN.perWindow * 0.9;
    expect(toMs - slotAt).toBeLessThanOrEqual(250 + (window - TOKEN.windowMs));
  });

  it("are asked about once for all who ask meanwhile", async () => {
    const clock = createFakeClock();
    const wanted: number[] = [];
    const slots: Slots = {
      async reserve(_, want) {
        wanted.push(want);
        await clock.sleep(10);
        return wanted.length < 4 ? { inMs: [0, 5].slice(0, want) } : { retryInMs: 700, blockedBy: TOKEN.key };
      },
      async block() {},
    };
    const limits = createLimits({ slots, clock, random: seeded(1) });
    const all = await clock.run(Promise.all(Array.from({ length: 6 }, () => limits.reserve([TOKEN]))));
    expect(wanted).toEqual([1, 5, 3, 1]);
    expect(all.map((one) => ("slot" in one ? one.slot.fromMs : one.retryInMs))).toEqual([10, 20, 25, 30, 35, 700]);
  });
});
