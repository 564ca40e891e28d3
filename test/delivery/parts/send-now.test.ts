import { describe, expect, it } from "vitest";
import type { DeliveryItem, LimitScope, OnSettled, SegmentSender } from "../../../src/delivery/index.ts";
import type { EventOutcome, EventSendOptions } from "../../../src/delivery/interfaces.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { credential, event, failure, fakeSegments, goodCredentials, linkSegment, member, setup } from "../support.ts";

const credentialOf = async () => ({ credentialId: "conversions/acme/d1/1" });
const DELIVERED: EventOutcome = { status: "delivered", known: true, requestId: "r-1" };
const asset = (n: number) => ({ assetId: `pixel-${n}` });

type Setup = NonNullable<Parameters<typeof setup>[0]>;

async function world(options: Setup = {}) {
  const told: Parameters<OnSettled>[0][] = [];
  const segments = fakeSegments();
  const w = await setup({ segments, onSettled: (one) => told.push(one), ...options });
  const sendNow = (items: DeliveryItem[], more: Partial<Parameters<typeof w.delivery.sendNow>[1]> = {}) =>
    w.clock.run(w.delivery.sendNow(items, { credentialOf, ...more }));
  return { ...w, told, segments, sendNow };
}

describe("what is sent now", () => {
  it("has its outcome at its own place, whatever it was sent with", async () => {
    const { sendNow, events } = await world({
      answer: ({ eventIds }) => eventIds.map((id): EventOutcome => ({ ...DELIVERED, requestId: `r-${id}` })),
    });
    const items = [
      event(1, asset(1)),
      event(2, asset(2)),
      event(3, asset(1)),
      event(4, { destinationId: "d2", ...asset(1) }),
    ];
    const outcomes = await sendNow(items);
    expect(outcomes).toEqual([1, 2, 3, 4].map((n) => ({ status: "delivered", known: true, requestId: `r-e-${n}` })));
    expect(events.sent.map(({ assetId, eventIds }) => `${assetId} ${eventIds}`).sort()).toEqual([
      ...["pixel-1 e-1,e-3", "pixel-1 e-4", "pixel-2 e-2"],
    ]);
  });

  it("goes to 16 assets at a time", async () => {
    const going = { now: 0, most: 0 };
    const clock = createFakeClock();
    const { sendNow } = await world({
      clock,
      async answer() {
        going.most = Math.max(going.most, ++going.now);
        await clock.sleep(5_000);
        going.now--;
        return DELIVERED;
      },
    });
    const outcomes = await sendNow(Array.from({ length: 20 }, (_, n) => event(n, asset(n))));
    expect([going.most, outcomes.length, new Set(outcomes.map(({ status }) => status)).size]).toEqual([16, 20, 1]);
  });

  it("leaves with its own call: trials, and events for a test view, apart from real ones", async () => {
    const calls: Partial<EventSendOptions>[] = [];
    const { sendNow, events } = await world({
      settings: { requestTimeoutMs: 7_000 },
      answer(_, options) {
        calls.push(options);
        return DELIVERED;
      },
    });
    const { signal } = new AbortController();
    const trial = { validateOnly: true };
    const outcomes = await sendNow(
      [
        event(1),
        event(2, trial),
        event(3, { testEventCode: "T1" }),
        event(4),
        event(5, { ...trial, testEventCode: "T1" }),
        event(6, { testEventCode: "T2" }),
      ],
      { signal },
    );
    const statuses = ["delivered", "validated", "delivered", "delivered", "validated", "delivered"];
    expect(outcomes.map(({ status }) => status)).toEqual(statuses);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-1", "e-4"], ["e-2", "e-5"], ["e-3"], ["e-6"]]);
    const base = { token: expect.anything(), timeoutMs: 7_000, signal, beforeRequest: expect.any(Function) };
    expect(calls).toStrictEqual([
      base,
      { ...base, validateOnly: true },
      { ...base, testEventCode: "T1" },
      { ...base, testEventCode: "T2" },
    ]);
    calls.length = 0;
    await sendNow([event(1)]);
    expect(calls[0]).not.toHaveProperty("signal");
  });

  it("is counted like a worker's", async () => {
    const { sendNow, delivery } = await world({
      consent: { allowed: (_t, _d, [subject]) => subject !== "subject-5" },
      answer: ({ eventIds }) =>
        eventIds.map((id): EventOutcome => {
          if (id === "e-2") return { status: "rejected", known: true, code: "E1" };
          return id === "e-3" ? { status: "retry", known: true, code: "http_503" } : DELIVERED;
        }),
    });
    await sendNow([event(1), event(2), event(3), event(4, { validateOnly: true }), event(5), event(6)]);
    expect(delivery.counters).toMatchObject({
      ...{ delivered: 2, validated: 1, withdrawn: 1, retried: 1, requests: 2, dead: {}, claims: 0 },
    });
  });

  it("is told of once it has ended, with its order and rule", async () => {
    const { sendNow, told } = await world({
      consent: { allowed: (_t, _d, [subject]) => subject !== "subject-4" },
      answer: ({ eventIds }) =>
        eventIds.map((id): EventOutcome => (id === "e-2" ? { status: "rejected", known: true } : DELIVERED)),
    });
    await sendNow([
      ...[event(1, { orderId: "o-1", rule: "shop" }), event(2), event(3, { validateOnly: true }), event(4)],
      event(2, asset(2)),
    ]);
    expect(told).toEqual([
      {
        ...{ tenantId: "acme", destinationId: "d1", group: "events/pixel-1" },
        items: [
          { eventId: "e-1", orderId: "o-1", rule: "shop", status: "delivered", requestId: "r-1" },
          { eventId: "e-3", status: "validated", requestId: "r-1" },
          { eventId: "e-4", status: "withdrawn" },
        ],
      },
    ]);
  });

  it("waits where nobody sends events", async () => {
    const { delivery, clock } = await setup({ events: undefined as never });
    expect(await clock.run(delivery.sendNow([event(1)], { credentialOf }))).toEqual([
      { status: "retry", known: true, reason: "no_sender", retryAfterMs: 60_000 },
    ]);
  });
});

describe("memberships that are sent now", () => {
  async function segment(options: Setup = {}) {
    const w = await world(options);
    await linkSegment(w.storage);
    return w;
  }

  it("are told to the segment, and told of by what they ask for", async () => {
    const { sendNow, segments, told, delivery } = await segment();
    const outcomes = await sendNow([member(1, "add", { eventId: "e-1" }), member(2, "remove", { eventId: "e-2" })]);
    expect(outcomes).toEqual([
      { status: "delivered", known: true },
      { status: "delivered", known: true },
    ]);
    expect(segments.calls.map(({ op }) => op).sort()).toEqual(["add", "create", "remove"]);
    expect(told).toEqual([
      {
        ...{ tenantId: "acme", destinationId: "d1", group: "members/vip" },
        items: [
          { eventId: "e-1", rule: "segment:add", status: "delivered" },
          { eventId: "e-2", rule: "segment:remove", status: "delivered" },
        ],
      },
    ]);
    expect(delivery.counters.requests).toBe(3);
  });

  it("need consent to enter and none to leave", async () => {
    const asked: unknown[] = [];
    const { sendNow, segments } = await segment({
      consent: {
        allowed(...args) {
          asked.push(args);
          return false;
        },
      },
    });
    const outcomes = await sendNow([member(1, "add"), member(2, "remove")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["withdrawn", "delivered"]);
    expect(asked).toMatchObject([["acme", "d1", ["subject-1"], member(1, "add").acceptedAtMs, { op: "add" }]]);
    expect(segments.calls.map(({ op }) => op)).toEqual(["create", "remove"]);
  });

  it("stand under the limits of segments, events under those of events", async () => {
    const full: LimitScope = { key: "full", perWindow: 1, windowMs: 3_600_000 };
    const limits = { events: [full], segments: [] };
    const { sendNow } = await segment({
      credentials: { ...goodCredentials, resolve: async (id) => ({ ...credential(id), limits }) },
    });
    const statuses = async (...items: DeliveryItem[]) => (await sendNow(items)).map(({ status }) => status);
    expect(await statuses(event(1))).toEqual(["delivered"]);
    expect(await statuses(event(2), member(1, "add"))).toEqual(["retry", "delivered"]);
  });

  it("do not wait for another destination's segment of the same name that fails", async () => {
    const broken: SegmentSender = {
      ...fakeSegments(),
      members: {
        add: async (segmentId) => {
          if (segmentId === "seg-1") throw failure("http_503", { status: 503 });
          return { accepted: 1 };
        },
        remove: async () => ({ accepted: 1 }),
      },
    };
    const { sendNow, storage } = await segment({ segments: broken });
    await linkSegment(storage, "vip", { destinationId: "d2" });
    for (let n = 0; n < 5; n++) await sendNow([member(n, "add")]);
    const [held] = await sendNow([member(9, "add")]);
    expect(held).toMatchObject({ reason: "circuit_open", retryAfterMs: expect.any(Number) });
    expect(await sendNow([member(9, "add", { destinationId: "d2" })])).toMatchObject([{ status: "delivered" }]);
  });
});

describe("what somebody has paused", () => {
  it("is kept: everything, or one destination", async () => {
    const { sendNow, delivery, clock, events } = await world();
    const items = [event(1), event(2), event(3, { destinationId: "d2" })];
    const held = { status: "paused", known: true, reason: "operator", retryAfterMs: 60_000 };
    await delivery.pause();
    expect(await sendNow(items)).toEqual([held, held, held]);
    await delivery.resume();
    await delivery.pause({ destinationId: "d1" });
    await clock.advance(2_000);
    expect(await sendNow(items)).toMatchObject([held, held, { status: "delivered" }]);
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-3"]]);
  });

  it("by another reason than the operator's is asked about where the credential is", async () => {
    const { sendNow, delivery, clock } = await world();
    await delivery.pause({ destinationId: "d1" }, "reauth_required");
    await clock.advance(2_000);
    expect(await sendNow([event(1)])).toMatchObject([{ status: "delivered" }]);
    const lost = async () => ({ paused: "segment_stopped" });
    expect(await sendNow([event(1)], { credentialOf: lost })).toEqual([
      { status: "paused", known: true, reason: "segment_stopped", retryAfterMs: 60_000 },
    ]);
  });
});

describe("what fails while it is sent now", () => {
  const reauthorize = () => Object.assign(failure("login_lost", {}), { kind: "reauthorize" });

  it("a lost login pauses its credential, also where that cannot be stored", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const stored: unknown[] = [];
    const fate = { away: false };
    const storage: Storage = {
      ...inner,
      outbox: {
        ...inner.outbox,
        async pause(...args) {
          stored.push(args);
          if (fate.away) throw new Error("away");
        },
      },
    };
    const credentials = { ...goodCredentials, resolve: async () => Promise.reject(reauthorize()) };
    const { sendNow, seen } = await world({ clock, storage, credentials });
    const lost = { status: "paused", known: true, reason: "reauth_required", retryAfterMs: 60_000 };
    expect(await sendNow([event(1), event(2)])).toEqual([lost, lost]);
    const credentialId = "conversions/acme/d1/1";
    expect(stored).toEqual([[{ credentialId }, "reauth_required"]]);
    expect(seen).toEqual([{ type: "reauth_required", tenantId: "acme", destinationId: "d1", credentialId }]);
    fate.away = true;
    expect(await sendNow([event(1)])).toEqual([lost]);
  });

  it("says when it may be offered again, and that it did not leave", async () => {
    const wait = { now: undefined as number | undefined };
    const { sendNow, seen, delivery } = await world({
      credentials: {
        ...goodCredentials,
        resolve: async () => Promise.reject(Object.assign(failure("vault_busy", {}), { retryAfterMs: wait.now })),
      },
    });
    const outcome = { status: "retry", known: true, reason: "vault_busy", retryAfterMs: 5_000 };
    expect(await sendNow([event(1)])).toEqual([outcome]);
    wait.now = 70.5;
    expect(await sendNow([event(1)])).toEqual([{ ...outcome, retryAfterMs: 71 }]);
    expect(seen[0]).toEqual({ type: "worker_error", code: "vault_busy", message: "vault_busy", destinationId: "d1" });
    expect(delivery.counters).toMatchObject({ requests: 0, retried: 0 });
  });

  it("is not known where its request had left, which is counted", async () => {
    const { sendNow, delivery } = await world({
      answer: () => {
        throw new TypeError("socket");
      },
    });
    expect(await sendNow([event(1)])).toEqual([
      { status: "retry", known: false, reason: "unexpected_error", retryAfterMs: 5_000 },
    ]);
    expect(delivery.counters.requests).toBe(1);
  });

  it("does not leave where the caller has gone", async () => {
    const { sendNow, events } = await world();
    const outcomes = await sendNow([event(1)], { signal: AbortSignal.abort() });
    expect([outcomes, events.sent]).toMatchObject([[{ status: "retry", known: true, reason: "slot_refused" }], []]);
  });

  it("lets the next call probe an asset that failed, one at a time", async () => {
    let fails = true;
    const { sendNow, clock } = await world({
      settings: { retryMinMs: 1_000, retryMaxMs: 5_000 },
      answer: () => (fails ? { status: "retry", known: false, code: "http_503" } : DELIVERED),
    });
    for (let n = 0; n < 5; n++) await sendNow([event(n)]);
    for (let probe = 0; probe < 3; probe++) {
      await clock.advance(5_000);
      expect(await sendNow([event(probe)])).toMatchObject([{ reason: "http_503" }]);
    }
    await clock.advance(5_000);
    fails = false;
    expect(await sendNow([event(9)])).toMatchObject([{ status: "delivered" }]);
  });
});

describe("how long a request waits for its slot", () => {
  async function narrow() {
    const limits = { events: [{ key: "narrow", perWindow: 1, windowMs: 9_000 }], segments: [] };
    const w = await world({
      credentials: { ...goodCredentials, resolve: async (id) => ({ ...credential(id), limits }) },
    });
    await w.sendNow([event(1)]);
    return w;
  }

  it("is ten seconds", async () => {
    const { sendNow, clock } = await narrow();
    expect(await sendNow([event(2)])).toMatchObject([{ status: "delivered" }]);
    expect(clock.monotonic()).toBeGreaterThan(8_000);
  });

  it("is as long as the caller says", async () => {
    const { sendNow, clock } = await narrow();
    expect(await sendNow([event(2)], { maxWaitMs: 5_000 })).toMatchObject([{ reason: "slot_refused" }]);
    expect(clock.monotonic()).toBeLessThanOrEqual(5_000);
    expect(await sendNow([event(2)], { maxWaitMs: 20_000 })).toMatchObject([{ status: "delivered" }]);
  });
});
