import { describe, expect, it } from "vitest";
import { decodeDetail } from "../../../src/delivery/dead.ts";
import type { DeliveryEvent, DeliveryOptions } from "../../../src/delivery/index.ts";
import { createDelivery } from "../../../src/delivery/index.ts";
import { encodeEvents, encodeMembers, storedMembers } from "../../../src/delivery/payload.ts";
import {
  newProgress,
  type Progress,
  readProgress,
  unknownSince,
  writeProgress,
} from "../../../src/delivery/progress.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Claim, ClaimedEntry, Outcome, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import {
  type Answer,
  DELIVERED,
  event,
  eventsOf,
  fakeEvents,
  fakeSegments,
  goodCredentials,
  member,
} from "../support.ts";

const HOUR = 3_600_000;
const WHERE = { tenantId: "acme", destinationId: "d1", group: "events/pixel-1" };

const plain = (content: Uint8Array) => Buffer.concat([Buffer.of(1, 0), content]);
const entry = (n: number, more: Partial<ClaimedEntry> = {}): ClaimedEntry => ({
  ...{ id: `entry-${n}`, payload: plain(encodeEvents([event(n)])), items: 1, position: n, claims: 1, ageMs: 0 },
  ...more,
});

interface Options extends Partial<DeliveryOptions> {
  answer?: Answer;
  /** How long a request takes. */
  takesMs?: number;
  name?: string;
  /** What the engine says to a settle, and whether it renews the claim. */
  says?: "settled" | "lost";
  renews?: boolean;
}

/** A worker that is given these entries in one claim each, by an engine that notes what becomes of them. */
async function work(
  claims: ClaimedEntry[][],
  {
    answer = () => DELIVERED,
    takesMs = 0,
    name = "events/pixel-1",
    says = "settled",
    renews = true,
    ...rest
  }: Options = {},
) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const settled: { outcomes: Outcome[]; holdGroupMs?: number | undefined }[] = [];
  const released: (number | undefined)[] = [];
  const extended: string[] = [];
  const left = claims.map(
    (entries, n): Claim => ({ id: `claim-${n}`, fence: n + 1, group: eventsOf({ name }), entries }),
  );
  const outbox: Storage["outbox"] = {
    ...inner.outbox,
    claim: async () => left.shift(),
    async settle(_, outcomes, o) {
      settled.push({ outcomes, ...o });
      return says;
    },
    async release(_, o) {
      released.push(o?.holdGroupMs);
    },
    async extend({ id }) {
      extended.push(id);
      return renews;
    },
    wait: ({ maxMs, signal }) => clock.sleep(maxMs, signal),
  };
  const events = fakeEvents(clock, async (request, options) => {
    await clock.sleep(takesMs, options.signal);
    return answer(request, options);
  });
  const seen: DeliveryEvent[] = [];
  const delivery = createDelivery({
    ...{ storage: { ...inner, outbox }, credentials: goodCredentials, events, segments: fakeSegments(), clock },
    ...{ emit: (one: DeliveryEvent) => seen.push(one), random: () => 0.5 },
    ...rest,
    settings: { lingerMs: 0, ...rest.settings },
  });
  const report = await clock.run(delivery.drain({ maxMs: 50_000 }));
  const outcomes = settled.flatMap((one) => one.outcomes);
  const progressOf = (n: number, items = 1) => readProgress(outcomes[n]?.rest?.progress, items);
  return { clock, delivery, events, seen, settled, released, extended, outcomes, progressOf, report };
}

const noted = (more: Partial<Progress>, items = 1) => writeProgress({ ...newProgress(items), ...more });

describe("a claim", () => {
  it("is settled once everything in it has an outcome, and its lease is let go", async () => {
    const { clock, settled, events, seen, extended, delivery } = await work([[entry(1), entry(2)]]);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-1", "e-2"]]);
    expect(settled).toEqual([{ outcomes: [{ id: "entry-1" }, { id: "entry-2" }] }]);
    await clock.advance(HOUR);
    expect([extended, clock.sleeping, delivery.counters.lost]).toEqual([[], 0, 0]);
    expect(seen.map(({ type }) => type)).toEqual(["settled"]);
  });

  it("that another worker took over is told of and counted, and nothing of it is reported", async () => {
    const { seen, delivery, report } = await work([[entry(1)]], { says: "lost" });
    expect(seen).toEqual([{ type: "claim_lost", ...WHERE }]);
    expect(delivery.counters).toMatchObject({ lost: 1, delivered: 0 });
    expect(report.delivered).toBe(0);
  });

  it("that another worker took over has its request ended at once", async () => {
    const lost = { takesMs: 9_000, renews: false, says: "lost", settings: { renewEveryMs: 3_000 } } as const;
    const { clock, extended, delivery } = await work([[entry(1)]], lost);
    expect(extended).toEqual(["claim-0"]);
    expect(clock.monotonic()).toBeLessThan(4_000);
    expect(delivery.counters.lost).toBe(1);
  });

  it("that a fault ends is left to its lease: neither settled nor given back", async () => {
    const { settled, released, seen, delivery, clock, extended } = await work([[entry(1)]], {
      answer: () => [],
    });
    expect([settled, released]).toEqual([[], []]);
    expect(seen).toEqual([{ type: "worker_error", code: "unexpected_error", message: "Error", destinationId: "d1" }]);
    expect(delivery.counters.lost).toBe(0);
    await clock.advance(HOUR);
    expect(extended).toEqual([]);
  });

  it("of a group that this version does not know is given back for a minute", async () => {
    const { released, events, delivery } = await work([[entry(1)]], { name: "catalog/1" });
    expect([released, events.sent]).toEqual([[60_000], []]);
    expect(delivery.counters.released).toBe(1);
  });
});

describe("an entry that every worker died of", () => {
  it("is tried at its sixth claim and buried at its seventh, with what is known of it", async () => {
    const progress = noted({ attempts: 3, writtenAgeMs: 100, done: Uint8Array.of(0b10) }, 2);
    const two = { items: 2, payload: plain(encodeEvents([event(1), event(2)])), ageMs: 5_100 };
    const { events, outcomes, seen, delivery } = await work([[entry(1, { ...two, claims: 7, progress })]]);
    expect(events.sent).toEqual([]);
    expect(outcomes).toMatchObject([
      { id: "entry-1", dead: [{ itemIndex: -1, reason: "crashes_worker", payload: two.payload }] },
    ]);
    const detail = decodeDetail(outcomes[0]?.dead?.[0]?.detail.subarray(2) ?? new Uint8Array());
    expect(detail).toEqual({
      message: "Every worker that took this entry ended before it could say what became of it.",
      ...{ attempts: 3, unknownForMs: 5_000, done: Buffer.of(0b10).toString("base64") },
    });
    expect(seen).toEqual([{ type: "dead_letter", ...WHERE, reason: "crashes_worker", items: 2 }]);
    expect(delivery.counters.dead).toEqual({ crashes_worker: 2 });

    const sixth = await work([[entry(1, { claims: 6 })]]);
    expect(sixth.events.sent).toHaveLength(1);
    expect(sixth.outcomes).toEqual([{ id: "entry-1" }]);
  });

  it("is counted beside those that were buried before, and is as old as it is where nothing was noted", async () => {
    const newer = Uint8Array.of(9);
    const { delivery, outcomes } = await work([
      [entry(1, { claims: 7, ageMs: 70 }), entry(2, { claims: 7, progress: newer, items: 9 })],
    ]);
    expect(delivery.counters.dead).toEqual({ crashes_worker: 10 });
    const details = outcomes.map(({ dead }) => decodeDetail(dead?.[0]?.detail.subarray(2) ?? new Uint8Array()));
    expect(details).toMatchObject([
      { attempts: 0, unknownForMs: 70, done: "AA==" },
      { attempts: 0, unknownForMs: 0, done: "AAA=" },
    ]);
  });

  it("does not keep what was claimed along with it", async () => {
    const { events, outcomes } = await work([[entry(1, { claims: 7 }), entry(2)]]);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-2"]]);
    expect(outcomes.map(({ id, dead }) => [id, dead?.length])).toEqual([
      ["entry-1", 1],
      ["entry-2", undefined],
    ]);
  });
});

describe("an entry of a newer version", () => {
  it("waits five minutes, with what it remembers as it was", async () => {
    const newer = Uint8Array.of(9, 7, 7);
    const { events, outcomes, seen } = await work([
      [
        entry(1, { progress: newer }),
        entry(2, { payload: Uint8Array.of(9, 0), progress: noted({ attempts: 4 }) }),
        entry(3),
      ],
    ]);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-3"]]);
    expect(outcomes).toEqual([
      { id: "entry-1", rest: { retryInMs: 300_000, progress: newer } },
      { id: "entry-2", rest: { retryInMs: 300_000, progress: Buffer.from(noted({ attempts: 4 })) } },
      { id: "entry-3" },
    ]);
    const unreadable = { type: "entry_unreadable", ...WHERE, reason: "unknown_format" };
    expect(seen.filter(({ type }) => type === "entry_unreadable")).toEqual([unreadable, unreadable]);
  });
});

describe("an old entry", () => {
  it("has the time noted before it is sent, so that a crash is dated", async () => {
    const { events, outcomes, progressOf } = await work(
      [
        [entry(1, { ageMs: HOUR + 1 }), entry(2, { ageMs: HOUR })],
        [entry(1, { ageMs: HOUR + 2, progress: noted({ writtenAgeMs: 2, attempts: 5 }) })],
      ],
      { settings: { stampAfterMs: HOUR } },
    );
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-2"], ["e-1"]]);
    expect(outcomes[0]).toMatchObject({ id: "entry-1", rest: { retryInMs: 0 } });
    expect(progressOf(0)).toEqual({ ...newProgress(1), writtenAgeMs: HOUR + 1 });
  });

  it("keeps what it remembers when the time is noted", async () => {
    const before = { attempts: 5, delayMs: 70 };
    const { progressOf } = await work([[entry(1, { ageMs: 20 * HOUR, progress: noted(before) })]]);
    expect(progressOf(0)).toEqual({ ...newProgress(1), ...before, writtenAgeMs: 20 * HOUR });
  });

  it("of memberships is sent as it is: it may be repeated safely", async () => {
    const payload = plain(encodeMembers(storedMembers(member(1, "add"))));
    const { outcomes, released } = await work([[entry(1, { payload, ageMs: 20 * HOUR })]], { name: "members/vip" });
    // It was worked on: there is no link for it here.
    expect([outcomes, released]).toEqual([[], [60_000]]);
  });
});

describe("an entry whose last claim nobody settled", () => {
  const answer: Answer = () => ({ status: "retry", known: true, code: "http_503" });

  it("may have been sent since its last note: all of it that is open", async () => {
    const three = { items: 3, payload: plain(encodeEvents([event(1), event(2), event(3)])), ageMs: 500 };
    const progress = noted({ writtenAgeMs: 100, done: Uint8Array.of(0b010) }, 3);
    const { progressOf } = await work([[entry(1, { ...three, claims: 2, progress })]], { answer });
    const after = progressOf(0, 3);
    expect([0, 1, 2].map((index) => after && unknownSince(after, index))).toEqual([100, undefined, 100]);
  });

  it("has no doubt at its first claim", async () => {
    const { progressOf } = await work([[entry(1, { claims: 1 })]], { answer });
    expect(progressOf(0)?.unknown).toEqual([]);
  });
});

it("an entry grows older while its request is under way, and its claim is renewed", async () => {
  const { progressOf, extended } = await work([[entry(1, { ageMs: 1_000 })]], {
    takesMs: 7_000,
    settings: { renewEveryMs: 3_000 },
    answer: () => ({ status: "retry", known: true, code: "http_503" }),
  });
  expect(progressOf(0)?.writtenAgeMs).toBe(8_000);
  expect(extended).toEqual(["claim-0", "claim-0"]);
});
