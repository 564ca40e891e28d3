import { describe, expect, it } from "vitest";
import type { SettledItem } from "../../../src/delivery/emitted.ts";
import { createDelivery } from "../../../src/delivery/index.ts";
import type { Credentials, EventOutcome, EventSender } from "../../../src/delivery/interfaces.ts";
import { readProgress } from "../../../src/delivery/progress.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import {
  coded,
  credential,
  DELIVERED,
  event,
  eventsOf,
  failure,
  goodCredentials,
  onClock,
  overheard,
  setup as setupDelivery,
} from "../support.ts";

const FAILED: EventOutcome = { status: "retry", known: true, code: "http_503", message: "It is down." };
const LOST: EventOutcome = { status: "retry", known: false, code: "timeout" };
const DAY = 86_400_000;

/** The core with the shortest waits there are, and what it says to the engine. */
async function setup(options: Parameters<typeof setupDelivery>[0] = {}) {
  const clock = options.clock ?? createFakeClock();
  const heard = overheard(memory({ clock }));
  const told: SettledItem[] = [];
  const made = await setupDelivery({
    onSettled: ({ items }) => told.push(...items),
    random: () => 0,
    ...options,
    clock,
    storage: heard.storage,
    settings: { lingerMs: 0, ...options.settings },
  });
  const { delivery } = made;
  return {
    ...made,
    settled: heard.settled,
    released: heard.released,
    told,
    drain: (maxMs = 500) => clock.run(delivery.drain({ maxMs, concurrency: 1 })),
    dead: async () => (await delivery.deadLetters.list({ destinationId: "d1" })).items,
    /** Of a claim, the first one by default: when its entry is due again, and the wait of its group. */
    waits: (at = 0) => [heard.settled.at(at)?.outcomes[0]?.rest?.retryInMs, heard.settled.at(at)?.holdGroupMs],
    /** What the entry remembered after the first claim. */
    progress: (items = 1) => readProgress(heard.settled[0]?.outcomes[0]?.rest?.progress, items),
  };
}

/** Said once; then everything is taken. */
function once(said: EventOutcome | EventOutcome[]): () => EventOutcome | EventOutcome[] {
  let asked = 0;
  return () => (asked++ === 0 ? said : DELIVERED);
}

/** A sender of the test's own, asked for one call at a time. */
const sends = (sendPrepared: EventSender["sendPrepared"]): EventSender => ({ sendPrepared });

describe("a claim of events goes back as it was", () => {
  it("for a minute, where nothing sends events", async () => {
    const clock = createFakeClock();
    const { storage, released } = overheard(memory({ clock }));
    const settings = { lingerMs: 0 };
    const delivery = createDelivery({
      storage: onClock(storage, clock),
      credentials: goodCredentials,
      clock,
      settings,
    });
    await delivery.open([eventsOf()]);
    await delivery.append([event(1)]);
    expect(await clock.run(delivery.drain({ maxMs: 500 }))).toMatchObject({ delivered: 0, left: 1 });
    expect(released).toEqual([{ holdGroupMs: 60_000 }]);
  });

  it("until the next probe, where its asset fails; a probe that ends without an answer makes room for another", async () => {
    let answer = FAILED;
    let resolves = true;
    const credentials: Credentials = {
      ...goodCredentials,
      async resolve(id) {
        if (!resolves) throw failure("http_error", {});
        return credential(id);
      },
    };
    const { clock, delivery, drain, events, released, waits, seen } = await setup({
      credentials,
      settings: { retryMinMs: 10_000 },
      answer: () => answer,
    });
    for (let n = 1; n <= 5; n++) {
      await delivery.append([event(n)]);
      await drain();
    }
    expect(seen.map(({ type }) => type)).toContain("circuit_opened");
    expect(waits(-1)).toEqual([10_000, 50_000]);
    resolves = false;
    await clock.advance(50_000);
    await drain();
    expect(released).toEqual([{ holdGroupMs: 5_000 }]);
    resolves = true;
    answer = DELIVERED;
    await clock.advance(5_000);
    const before = events.sent.length;
    await drain(5_000);
    expect(events.sent.length - before).toBe(1);
    expect(delivery.counters.delivered).toBe(5);
  });

  it("until its credential may resolve; the fault is told once", async () => {
    const resolve = () => Promise.reject(failure("http_error", {}));
    const { delivery, drain, seen, released } = await setup({ credentials: { ...goodCredentials, resolve } });
    await delivery.append([event(1)]);
    await drain();
    expect(seen).toEqual([{ type: "worker_error", code: "http_error", message: "http_error", destinationId: "d1" }]);
    expect(released).toEqual([{ holdGroupMs: 5_000 }]);
  });

  it("but for what does not open, which waits five minutes while the others leave", async () => {
    const sealer = {
      seal: (plain: Uint8Array) => plain,
      open(sealed: Uint8Array) {
        if (Buffer.from(sealed).includes("e-2")) throw new Error("no key");
        return sealed;
      },
    };
    const { delivery, drain, settled, seen } = await setup({ sealer });
    for (const n of [1, 2, 3]) await delivery.append([event(n)]);
    await drain();
    expect(delivery.counters.delivered).toBe(2);
    const waits = settled.flatMap(({ outcomes }) => outcomes.map(({ rest }) => rest?.retryInMs));
    expect(waits).toEqual([300_000, undefined, undefined]);
    expect(seen[0]).toMatchObject({ type: "entry_unreadable", reason: "payload_unreadable" });
  });

  it("for a second while another one is the probe", async () => {
    let answer: () => Promise<EventOutcome> = async () => FAILED;
    const { clock, delivery, drain, released } = await setup({ answer: () => answer() });
    for (let n = 1; n <= 5; n++) {
      await delivery.append([event(n)]);
      await drain();
    }
    answer = async () => {
      await clock.sleep(1_500);
      return DELIVERED;
    };
    await clock.advance(5_000);
    const worker = delivery.startWorker();
    await clock.advance(100);
    await delivery.append([event(6)]);
    await clock.advance(300);
    expect(released).toEqual([{ holdGroupMs: 1_000 }]);
    await clock.run(worker.stop());
  });

  it("until its credential has a slot; the work of another credential goes ahead", async () => {
    const narrow = { events: [{ key: "narrow", perWindow: 1, windowMs: 9_000 }], segments: [] };
    const credentials: Credentials = {
      ...goodCredentials,
      resolve: async (id) => ({ ...credential(id), ...(id === "narrow" ? { limits: narrow } : {}) }),
    };
    const { delivery, drain, events, released, seen } = await setup({ credentials });
    const narrowly = ["events/a", "events/b", "events/c"].map((name) => eventsOf({ name, credentialId: "narrow" }));
    await delivery.open([...narrowly, eventsOf()]);
    for (const assetId of ["a", "b", "c", "pixel-1"]) await delivery.append([event(1, { assetId })]);
    await drain();
    expect(events.sent.map(({ assetId }) => assetId)).toEqual(["a", "pixel-1"]);
    expect(released).toEqual([{ holdGroupMs: 8_000 }]);
    expect(seen.filter(({ type }) => type === "worker_error")).toEqual([]);
  });

  it("where consent does not answer: nothing leaves until it does", async () => {
    let answers = false;
    const consent = {
      allowed() {
        if (!answers) throw new TypeError("away");
        return true;
      },
    };
    const { clock, delivery, drain, events, released, seen } = await setup({ consent });
    await delivery.append([event(1)]);
    await drain();
    expect([released, events.sent]).toEqual([[{ holdGroupMs: 5_000 }], []]);
    expect(seen).toEqual([
      { type: "worker_error", code: "unexpected_error", message: "TypeError", destinationId: "d1" },
    ]);
    answers = true;
    await clock.advance(5_000);
    await drain();
    expect(delivery.counters.delivered).toBe(1);
  });
});

describe("an event is judged before it leaves", () => {
  it.each([
    [40_000, []],
    [40_001, ["outcome_unknown"]],
  ])("by whether Snapchat would still know it again %d ms after a lost answer", async (afterMs, reasons) => {
    let answer = LOST;
    const settings = { unknownMs: 100_000, retryMinMs: 40_000 };
    const { clock, delivery, drain, dead, told } = await setup({ settings, answer: () => answer });
    await delivery.append([event(1, { orderId: "o-1", rule: "r-1" })]);
    const worker = delivery.startWorker();
    await clock.advance(100);
    await clock.run(worker.stop());
    answer = DELIVERED;
    await clock.advance(afterMs - clock.monotonic());
    await drain();
    expect((await dead()).map(({ reason }) => reason)).toEqual(reasons);
    if (reasons.length === 0) return;
    const message = "Snapchat may have taken it, and would not recognise it any more if it came again.";
    expect(await dead()).toMatchObject([{ eventId: "e-1", message, attempts: 1 }]);
    expect(told).toEqual([
      {
        ...{ eventId: "e-1", orderId: "o-1", rule: "r-1", status: "dead", reason: "outcome_unknown", message },
        requestId: undefined,
      },
    ]);
  });

  it.each<[string, number | undefined, number, string[]]>([
    ["as old as Snapchat takes it", 60_000, 60_000, []],
    ["a moment older", 60_000, 60_001, ["event_too_old"]],
    ["of 37 days", undefined, 37 * DAY, []],
    ["of a moment more than 37 days", undefined, 37 * DAY + 1, ["event_too_old"]],
  ])("by its age: %s", async (_, maxAgeMs, ageMs, reasons) => {
    const clock = createFakeClock({ nowMs: Date.UTC(2026, 0, 1) + ageMs });
    const { delivery, drain, dead, events } = await setup({ clock });
    await delivery.append([event(1, { maxAgeMs })]);
    await drain();
    expect((await dead()).map(({ reason, message }) => [reason, message])).toEqual(
      reasons.map((reason) => [reason, "The event is older than Snapchat takes."]),
    );
    expect(events.sent).toHaveLength(1 - reasons.length);
  });

  it("by consent, which is told whose it is; who is asked late answers late, and the withdrawn is told", async () => {
    const asked: unknown[] = [];
    const consent = {
      allowed: (...args: unknown[]) => {
        asked.push(args);
        const allowed = asked.length > 2;
        return asked.length % 2 === 0 ? allowed : Promise.resolve(allowed);
      },
    };
    const { delivery, drain, events, told, seen } = await setup({ consent });
    const items = [1, 2, 3, 4].map((n) => event(n, { orderId: `o-${n}`, rule: `r-${n}`, acceptedAtMs: 1_000 + n }));
    await delivery.append(items);
    await drain();
    expect(asked).toEqual(
      items.map(({ json, subjects, acceptedAtMs }) => [
        ...["acme", "d1", subjects, acceptedAtMs, expect.objectContaining({ json })],
      ]),
    );
    expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-3", "e-4"]]);
    expect(told.slice(0, 2)).toEqual([
      { eventId: "e-1", orderId: "o-1", rule: "r-1", status: "withdrawn" },
      { eventId: "e-2", orderId: "o-2", rule: "r-2", status: "withdrawn" },
    ]);
    expect(seen).toMatchObject([{ type: "settled", delivered: 2, withdrawn: 2, retrying: 0, dead: {}, requests: 1 }]);
  });

  it.each([
    [60_000, 1],
    [60_001, 0],
  ])("and leaves within a minute of that: %d ms", async (ms, delivered) => {
    const clock = createFakeClock();
    const events = sends(async (_, items, options) => {
      await clock.sleep(ms);
      await options.beforeRequest?.();
      return { outcomes: items.map(() => DELIVERED), requests: [{ status: 200, durationMs: 1, items: 1 }] };
    });
    const { delivery, waits, progress } = await setup({ clock, events, lookMs: 5_000 });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker();
    await clock.advance(ms);
    await clock.run(worker.stop());
    expect(delivery.counters.delivered).toBe(delivered);
    if (delivered === 0) {
      expect(waits()).toEqual([1_000, undefined]);
      expect(progress()).toMatchObject({ attempts: 0, unknown: [] });
    }
  });

  it.each([
    [25_000, 2],
    [25_001, 1],
  ])("and while Snapchat would know it again: %d ms later", async (ms, requests) => {
    const clock = createFakeClock();
    let calls = 0;
    const events = sends(async (_, items, options) => {
      if (++calls === 2) await clock.sleep(ms);
      await options.beforeRequest?.();
      return { outcomes: items.map(() => LOST), requests: [{ status: undefined, durationMs: 1, items: 1 }] };
    });
    const settings = { leaseMs: 20_000, renewEveryMs: 5_000, requestTimeoutMs: 5_000, unknownMs: 65_000 };
    const { delivery } = await setup({ clock, events, lookMs: 5_000, settings: { ...settings, retryMinMs: 40_000 } });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker();
    await clock.advance(40_000 + ms + 100);
    expect(delivery.counters.requests).toBe(requests);
    await clock.run(worker.stop());
  });
});

it("what was decided about an event is not decided again when others of its entry are tried again", async () => {
  const consent = { allowed: (...[, , subjects]: [string, string, readonly string[]]) => subjects[0] !== "subject-2" };
  const { clock, delivery, drain, dead, settled } = await setup({
    consent,
    settings: { unknownMs: 100_000, retryMinMs: 45_000 },
    answer: ({ eventIds }) => eventIds.map((id) => (id === "e-3" ? LOST : FAILED)),
  });
  const tooOld = event(1, { eventTime: Date.UTC(2025, 0, 1) / 1_000 });
  await delivery.append([tooOld, event(2), event(3), event(4)]);
  await drain();
  const done = (at: number) => readProgress(settled[at]?.outcomes[0]?.rest?.progress, 4)?.done;
  expect(done(0)).toEqual(Uint8Array.of(0b0011));
  await clock.advance(45_000);
  await drain();
  expect(done(1)).toEqual(Uint8Array.of(0b0111));
  expect((await dead()).map(({ eventId, reason }) => [eventId, reason])).toEqual([
    ["e-3", "outcome_unknown"],
    ["e-1", "event_too_old"],
  ]);
  expect(delivery.counters.withdrawn).toBe(1);
});

it.each([
  [40_000, 1],
  [40_001, 0],
])(
  "a request leaves only if its deadline and the settle after it are within the lease: after %d ms",
  async (ms, sent) => {
    const clock = createFakeClock();
    const storage = memory({ clock });
    const outbox = { ...storage.outbox, extend: () => Promise.reject(new Error("away")) };
    const events = sends(async (_, items, options) => {
      await clock.sleep(ms);
      await options.beforeRequest?.();
      return { outcomes: items.map(() => DELIVERED), requests: [{ status: 200, durationMs: 1, items: 1 }] };
    });
    const { delivery } = await setupDelivery({
      ...{ clock, events, lookMs: 5_000, storage: { ...storage, outbox }, settings: { lingerMs: 0 } },
    });
    await delivery.append([event(1)]);
    const worker = delivery.startWorker();
    await clock.advance(ms + 50);
    expect(delivery.counters.delivered).toBe(sent);
    await clock.run(worker.stop());
  },
);

describe("the events of a claim", () => {
  it("leave in a call for each kind: real ones, those to be validated, each test code's", async () => {
    const calls: unknown[] = [];
    const { delivery, drain, told, seen } = await setup({
      answer: ({ eventIds, assetId, token }, { validateOnly, testEventCode, timeoutMs, signal }) => {
        calls.push([eventIds, { validateOnly, testEventCode }]);
        expect([assetId, token, timeoutMs]).toEqual(["pixel-1", "token-of-conversions/acme/d1/1-v1", 15_000]);
        expect(signal?.aborted).toBe(false);
        return { ...DELIVERED, requestId: `r-${calls.length}` };
      },
    });
    await delivery.append([
      event(1, { orderId: "o-1", rule: "rule-1" }),
      event(2, { validateOnly: true }),
      event(3, { testEventCode: "A" }),
      event(4, { testEventCode: "B" }),
      event(5),
      event(6, { validateOnly: true, testEventCode: "A" }),
      event(7, { testEventCode: "A" }),
    ]);
    await drain();
    expect(calls).toEqual([
      [["e-1", "e-5"], {}],
      [["e-2", "e-6"], { validateOnly: true }],
      [["e-3", "e-7"], { testEventCode: "A" }],
      [["e-4"], { testEventCode: "B" }],
    ]);
    expect(told[0]).toEqual({
      ...{ eventId: "e-1", orderId: "o-1", rule: "rule-1", eventName: "PURCHASE", eventTime: 1_767_225_600 },
      ...{ status: "delivered", requestId: "r-1" },
    });
    expect(told.map(({ eventId, status, requestId }) => [eventId, status, requestId])).toEqual([
      ["e-1", "delivered", "r-1"],
      ["e-5", "delivered", "r-1"],
      ["e-2", "validated", "r-2"],
      ["e-6", "validated", "r-2"],
      ["e-3", "delivered", "r-3"],
      ["e-7", "delivered", "r-3"],
      ["e-4", "delivered", "r-4"],
    ]);
    expect(seen).toMatchObject([{ type: "settled", delivered: 5, validated: 2, requests: 4 }]);
    expect(delivery.counters).toMatchObject({ delivered: 5, validated: 2, requests: 4 });
  });

  it("are found in the journal once their outcome is stored", async () => {
    const events = sends(async (_, items) => ({
      outcomes: items.map(() => DELIVERED),
      requests: [{ status: 200, requestId: "r-1", durationMs: 1, items: 1 }],
    }));
    const { clock, delivery, drain } = await setup({ events, settings: { journalShare: 1 } });
    await delivery.append([event(1)]);
    await drain();
    const { items } = await delivery.receipts.find("d1", { eventId: "e-1", untilMs: clock.now() });
    expect(items).toMatchObject([{ entries: [{ type: "attempt", purpose: "events", answer: "delivered" }] }]);
  });

  it("are told of to nobody where another worker has them now", async () => {
    const clock = createFakeClock();
    const heard = overheard(memory({ clock }));
    heard.storage.outbox.settle = async () => "lost";
    const told: unknown[] = [];
    const { delivery, seen } = await setupDelivery({
      ...{ clock, storage: heard.storage, settings: { lingerMs: 0 }, onSettled: (one) => told.push(one) },
    });
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 500 }));
    expect(seen.map(({ type }) => type)).toEqual(["claim_lost"]);
    expect([told, delivery.counters.delivered, delivery.counters.requests]).toEqual([[], 0, 1]);
  });

  it("are left to their lease where the sender does not answer for each", async () => {
    const { delivery, drain, seen, settled } = await setup({ answer: () => [DELIVERED] });
    await delivery.append([event(1), event(2)]);
    await drain();
    expect(seen).toEqual([{ type: "worker_error", code: "unexpected_error", message: "Error", destinationId: "d1" }]);
    expect(settled).toEqual([]);
  });
});

describe("what came back says when an event goes again, and whether that counts", () => {
  const says = (waitMs: number, holdMs: number | undefined, attempts: number, unknown = false) => ({
    ...{ waits: [waitMs, holdMs], attempts, unknown },
  });
  const outcome = (status: EventOutcome["status"], more: Partial<EventOutcome> = {}): EventOutcome => ({
    ...{ status, known: true },
    ...more,
  });

  it.each<[string, EventOutcome, ReturnType<typeof says>]>([
    ["a failure", FAILED, says(1_000, undefined, 1)],
    ["one with a wait", { ...FAILED, retryAfterMs: 7_000 }, says(7_000, undefined, 1)],
    ["one with a short wait", { ...FAILED, retryAfterMs: 7 }, says(1_000, undefined, 1)],
    ["a lost answer", LOST, says(1_000, undefined, 1, true)],
    ["a request that was ended", { ...LOST, code: "aborted" }, says(0, undefined, 0, true)],
    ["no slot", outcome("retry", { code: "slot_refused", retryAfterMs: 2_500 }), says(2_500, undefined, 0)],
    ["no slot, no wait", outcome("retry", { code: "slot_refused" }), says(0, undefined, 0)],
    ["a full limit", outcome("retry", { code: "rate_limited", retryAfterMs: 3_000 }), says(3_000, undefined, 0)],
    ["a refused asset", outcome("forbidden"), says(60_000, 60_000, 0)],
    ["a refused token, lost", outcome("unauthorized"), says(0, undefined, 0)],
  ])("%s", async (_, answered, expected) => {
    const { delivery, drain, waits, progress } = await setup({ answer: once(answered) });
    await delivery.append([event(1)]);
    await drain();
    expect({ waits: waits(), attempts: progress()?.attempts, unknown: progress()?.unknown.length === 1 }).toEqual(
      expected,
    );
  });

  it("a refused token that has a successor goes again after a second", async () => {
    const credentials: Credentials = { ...goodCredentials, refused: async () => "retry" };
    const { delivery, drain, waits, progress } = await setup({ credentials, answer: once(outcome("unauthorized")) });
    await delivery.append([event(1)]);
    await drain();
    expect([waits(), progress()?.attempts]).toEqual([[1_000, undefined], 0]);
  });

  it("a trial whose answer was lost is in no doubt: it counts nothing", async () => {
    const { delivery, drain, progress } = await setup({ answer: () => LOST });
    await delivery.append([event(1, { validateOnly: true })]);
    await drain();
    expect(progress()).toMatchObject({ attempts: 1, unknown: [] });
  });

  it("only what is open is in doubt, and from when it was opened", async () => {
    const { clock, delivery, drain, progress, settled } = await setup({ answer: () => [DELIVERED, LOST, FAILED] });
    await delivery.append([event(1), event(2), event(3)]);
    await clock.advance(700);
    await drain();
    expect(settled).toHaveLength(1);
    expect(progress(3)).toMatchObject({ done: Uint8Array.of(1), unknown: [{ ageMs: 700, items: Uint8Array.of(2) }] });
  });

  it.each<[string, EventOutcome[], number, number]>([
    ["the longest wait", [outcome("retry", { code: "slot_refused", retryAfterMs: 9_000 }), FAILED], 9_000, 1],
    ["the longest wait, whichever comes first", [{ ...FAILED, retryAfterMs: 9_000 }, FAILED], 9_000, 1],
    ["a try, whichever counts", [FAILED, outcome("retry", { code: "slot_refused" })], 1_000, 1],
    ["a try, whichever counts, the other way about", [outcome("retry", { code: "slot_refused" }), FAILED], 1_000, 1],
    ["nothing where none counts", Array(2).fill(outcome("retry", { code: "slot_refused" })), 0, 0],
  ])("several outcomes of an entry make %s", async (_, outcomes, waitMs, attempts) => {
    const { delivery, drain, waits, progress } = await setup({ answer: once(outcomes) });
    await delivery.append([event(1), event(2)]);
    await drain();
    expect([waits()[0], progress(2)?.attempts]).toEqual([waitMs, attempts]);
  });

  it("the group waits as long as the longest of its calls asks for", async () => {
    const { delivery, drain, waits } = await setup({
      answer: (_, { validateOnly }) => (validateOnly ? DELIVERED : outcome("forbidden")),
    });
    await delivery.append([event(1), event(2, { validateOnly: true })]);
    await drain();
    expect(waits()[1]).toBe(60_000);
  });

  it("waits grow up to three times the last one, and stay below the longest", async () => {
    const waited: unknown[] = [];
    const { clock, delivery, drain, waits } = await setup({
      random: () => 0.999_999,
      settings: { retryMinMs: 1_000, retryMaxMs: 8_000 },
      answer: () => ({ ...FAILED, code: "isolation_budget_spent" }),
    });
    await delivery.append([event(1)]);
    for (let n = 0; n < 4; n++) {
      await drain();
      waited.push(waits(-1)[0]);
      await clock.advance(8_000);
    }
    expect(waited).toEqual([3_000, 8_000, 8_000, 8_000]);
  });
});

describe("an event that failed too often", () => {
  it("is a dead letter with the last words, at the try that was one too many; what is delivered is not", async () => {
    let asked = 0;
    const { clock, delivery, drain, dead, told, settled, seen } = await setup({
      settings: { maxAttempts: 2 },
      answer: ({ eventIds }) => {
        asked++;
        return eventIds.map((id) => (id === "e-2" ? DELIVERED : { ...FAILED, message: `It is down, ${asked}.` }));
      },
    });
    await delivery.append([event(1), event(2), event(3)]);
    await drain();
    expect([await dead(), delivery.counters.retried]).toEqual([[], 2]);
    await clock.advance(10_000);
    await drain();
    const words = { reason: "attempts_exhausted", attempts: 2, code: "http_503", message: "It is down, 2." };
    expect((await dead()).toReversed()).toMatchObject([
      { eventId: "e-1", ...words },
      { eventId: "e-3", ...words },
    ]);
    expect(settled.at(-1)?.outcomes).toMatchObject([{ dead: [{ itemIndex: 0 }, { itemIndex: 2 }] }]);
    expect(settled.at(-1)?.outcomes[0]).not.toHaveProperty("rest");
    expect(told.map(({ eventId, status }) => [eventId, status])).toEqual([
      ["e-2", "delivered"],
      ["e-1", "dead"],
      ["e-3", "dead"],
    ]);
    expect(seen.at(-1)).toMatchObject({ type: "settled", retrying: 0, dead: { attempts_exhausted: 2 } });
  });

  it("that Snapchat refused is one with Snapchat's words", async () => {
    const refused: EventOutcome = {
      status: "rejected",
      known: true,
      code: "E1",
      message: "No value.",
      requestId: "r-9",
    };
    const { delivery, drain, dead, told } = await setup({ answer: () => refused });
    await delivery.append([event(1)]);
    await drain();
    expect(await dead()).toMatchObject([
      { reason: "rejected", code: "E1", message: "No value.", requestId: "r-9", eventName: "PURCHASE", attempts: 0 },
    ]);
    expect(told).toMatchObject([{ status: "dead", reason: "rejected", message: "No value.", requestId: "r-9" }]);
  });
});

describe("a sender that throws", () => {
  const thrower = (error: unknown, first: "pass" | "throw") =>
    sends(async (_, __, options) => {
      if (first === "pass") await options.beforeRequest?.();
      throw error;
    });

  it.each<[string, unknown, "pass" | "throw", object]>([
    ["before a request left", coded("retry"), "throw", { waits: [1_000, undefined], attempts: 1, unknown: 0 }],
    ["after one left", coded("retry"), "pass", { waits: [1_000, undefined], attempts: 1, unknown: 1 }],
    ["with a wait", coded("retry", 7_000), "throw", { waits: [7_000, undefined], attempts: 1, unknown: 0 }],
    ["something else", new TypeError("oh"), "throw", { waits: [1_000, undefined], attempts: 1, unknown: 0 }],
    ["for a setting", coded("fix_configuration"), "throw", { waits: [60_000, 60_000], attempts: 0, unknown: 0 }],
  ])("%s", async (_, error, first, expected) => {
    const { delivery, drain, waits, progress, seen } = await setup({ events: thrower(error, first) });
    await delivery.append([event(1)]);
    await drain();
    const { attempts, unknown } = progress() ?? {};
    expect({ waits: waits(), attempts, unknown: unknown?.length }).toEqual(expected);
    expect(seen.at(-1)).toMatchObject({ type: "settled", retrying: 1, requests: 0 });
  });

  it("says of each event what it said", async () => {
    const { delivery, drain, dead, seen } = await setup({
      settings: { maxAttempts: 1 },
      events: thrower(coded("retry"), "throw"),
    });
    await delivery.append([event(1), event(2)]);
    await drain();
    const words = { reason: "attempts_exhausted", code: "c_1", message: "It failed." };
    expect(await dead()).toMatchObject([words, words]);
    expect(seen.map(({ type }) => type)).toEqual(["dead_letter", "settled"]);
  });

  it("for a setting is told of as a refused asset", async () => {
    const { delivery, drain, seen } = await setup({ events: thrower(coded("fix_configuration"), "throw") });
    await delivery.append([event(1)]);
    await drain();
    expect(seen[0]).toEqual({
      ...{ type: "forbidden", tenantId: "acme", destinationId: "d1", group: "events/pixel-1", message: "It failed." },
    });
  });
});
