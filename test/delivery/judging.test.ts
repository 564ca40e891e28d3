import { describe, expect, it } from "vitest";
import type { EventOutcome } from "../../src/delivery/interfaces.ts";
import { holdLease } from "../../src/delivery/lease.ts";
import { failedAnswer, judgeFailure } from "../../src/delivery/members-failure.ts";
import { later, ofEvent, paused } from "../../src/delivery/now-outcome.ts";
import {
  markUnknown,
  newProgress,
  openIndexes,
  readProgress,
  unknownSince,
  writeProgress,
} from "../../src/delivery/progress.ts";
import { renewAfterMs } from "../../src/delivery/renewal.ts";
import { isStorageError, storageCall, storageFailure } from "../../src/delivery/storage-call.ts";
import { SnapchatError } from "../../src/errors.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { seeded } from "./support.ts";

const failed = (details: object, more: { code?: string; kind?: string } = {}) =>
  new SnapchatError({ code: "http_error", kind: "retry", message: "It failed.", fix: "-", details, ...more } as never);

describe("a failed request about a segment means", () => {
  it.each([
    [new Error("socket"), "unknown"],
    [failed({}), "unknown"],
    [failed({ sent: "no" }), "not_sent"],
    [failed({ sent: "yes" }, { code: "slot_refused" }), "not_sent"],
    [failed({ status: 429 }), "limited"],
    [failed({}, { code: "rate_limited" }), "limited"],
    [failed({ status: 401 }), "unauthorized"],
    [failed({}, { kind: "reauthorize" }), "unauthorized"],
    [failed({ status: 404 }), "gone"],
    [failed({ status: 400, errorCode: "E3003" }), "gone"],
    [failed({ status: 400, errorCode: "E3004" }), "gone"],
    [failed({ status: 403 }), "forbidden"],
    [failed({ status: 400, errorCode: "E3002" }), "forbidden"],
    [failed({ status: 400 }), "refused"],
    [failed({ status: 499 }), "refused"],
    [failed({ status: 408 }), "unknown"],
    [failed({ status: 399 }), "unknown"],
    [failed({ status: 500 }), "unknown"],
    [failed({}, { kind: "fix_data" }), "refused"],
    [failed({}, { kind: "fix_configuration" }), "refused"],
  ])("%#: %s → %s", (error, verdict) => expect(judgeFailure(error)).toBe(verdict));

  it("a line in the journal, with Snapchat's id of the request", () => {
    expect(failedAnswer(failed({ requestId: "r-1" }))).toMatchObject({ status: "retry", requestId: "r-1" });
    expect(failedAnswer(failed({ requestId: 7 })).requestId).toBeUndefined();
    expect(failedAnswer(new Error("socket"))).toMatchObject({ status: "retry" });
  });
});

describe("the sender's word on an event, told to who sends now", () => {
  const words = { known: true, message: "words", requestId: "r-1" };
  const told = (outcome: Partial<EventOutcome>, heard: object = {}, validateOnly = false) =>
    ofEvent({ ...words, code: "E1", ...outcome } as EventOutcome, { waitMs: 70.5, ...heard } as never, validateOnly);

  it.each<[() => object, object]>([
    [() => told({ status: "delivered" }), { status: "delivered", known: true, requestId: "r-1" }],
    [() => told({ status: "delivered" }, {}, true), { status: "validated", known: true, requestId: "r-1" }],
    [() => told({ status: "rejected" }), { ...words, status: "rejected", reason: "E1" }],
    [
      () => told({ status: "unauthorized" }, { login: "pause" }),
      { ...words, status: "paused", reason: "reauth_required", retryAfterMs: 60_000 },
    ],
    [
      () => told({ status: "unauthorized" }, { login: "retry" }),
      { ...words, status: "retry", reason: "E1", retryAfterMs: 1_000 },
    ],
    [() => told({ status: "forbidden" }), { ...words, status: "paused", reason: "forbidden", retryAfterMs: 60_000 }],
    [() => told({ status: "retry" }), { ...words, status: "retry", reason: "E1", retryAfterMs: 1_000 }],
    [() => told({ status: "retry", retryAfterMs: 5.2 }), { ...words, status: "retry", reason: "E1", retryAfterMs: 6 }],
    [
      () => told({ status: "retry", code: "rate_limited", retryAfterMs: 5 }),
      { ...words, status: "retry", reason: "rate_limited", retryAfterMs: 71 },
    ],
    [() => later("full", 1.5), { status: "retry", known: true, reason: "full", retryAfterMs: 2 }],
    [() => paused("x"), { status: "paused", known: true, reason: "x", retryAfterMs: 60_000 }],
  ])("%s", (outcome, expected) => expect(outcome()).toEqual(expected));
});

describe("what an entry remembers", () => {
  it("comes back as it was written; what a newer version wrote is left alone", () => {
    const progress = { ...newProgress(10), attempts: 3, delayMs: 700, writtenAgeMs: 9 };
    markUnknown(progress, [1, 9], 50, 10);
    progress.done[0] = 0b101;
    expect(readProgress(writeProgress(progress), 10)).toEqual(progress);
    expect(readProgress(writeProgress(newProgress(3)), 3)).toEqual(newProgress(3));
    expect(readProgress(undefined, 3)).toEqual(newProgress(3));
    expect(readProgress(new Uint8Array(), 3)).toEqual(newProgress(3));
    expect(readProgress(Uint8Array.of(9, 1), 3)).toBeUndefined();
    expect([...openIndexes(progress, 4)]).toEqual([1, 3]);
  });

  it("keeps the first time at which Snapchat may have had an item", () => {
    const progress = newProgress(9);
    markUnknown(progress, [1], 50, 9);
    markUnknown(progress, [1, 8], 70, 9);
    markUnknown(progress, [2], 50, 9);
    expect([0, 1, 2, 8].map((index) => unknownSince(progress, index))).toEqual([undefined, 50, 50, 70]);
    expect(progress.unknown).toHaveLength(2);
    const twice = { ...progress, unknown: [...progress.unknown, { ageMs: 10, items: Uint8Array.of(0b10, 0) }] };
    expect(unknownSince(twice, 1)).toBe(10);
  });
});

it("a member is renewed after five eighths of what Snapchat keeps it for, where it forgets at all", () => {
  const DAY = 86_400_000;
  expect([8, 9_998].map((retentionInDays) => renewAfterMs({ retentionInDays }))).toEqual([5 * DAY, 6_248.75 * DAY]);
  expect([0, 9_999, undefined].map((retentionInDays) => renewAfterMs({ retentionInDays } as object))).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

describe("a call of the engine", () => {
  const refusal = (code: string, retryable: boolean, retryAfterMs?: number) =>
    Object.assign(new Error(code), { code, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  const options = () => ({ clock: createFakeClock(), random: seeded(1), maxMs: 1_000 });

  it("is repeated while that may help, after as long as the engine says, and not for ever", async () => {
    const o = options();
    const askedAt: number[] = [];
    const began = o.clock.monotonic();
    const call = async () => {
      askedAt.push(o.clock.monotonic() - began);
      throw refusal("throttled", true, 400);
    };
    await expect(o.clock.run(storageCall(call, o))).rejects.toThrow("throttled");
    expect(askedAt).toEqual([0, 400, 800]);
  });

  it("is not repeated where that cannot help, nor for who has gone", async () => {
    for (const [error, signal] of [
      [refusal("too_large", false), undefined],
      [new TypeError("a bug"), undefined],
      [refusal("unavailable", true), AbortSignal.abort()],
    ] as const) {
      const o = options();
      let asked = 0;
      const call = async () => {
        asked++;
        throw error;
      };
      await expect(o.clock.run(storageCall(call, { ...o, signal }))).rejects.toBe(error);
      expect(asked).toBe(1);
    }
  });

  it("that fails tells the host what to do", () => {
    expect(storageFailure(refusal("unavailable", true, 5))).toMatchObject({
      ...{
        code: "storage_unavailable",
        kind: "retry",
        retryAfterMs: 5,
        details: { code: "unavailable", retryable: true },
      },
      fix: "Call again later; nothing was acknowledged.",
      message: "The storage engine refused the call (unavailable).",
    });
    expect(storageFailure(refusal("too_large", false))).toMatchObject({ code: "storage_too_large", kind: "fix_data" });
    expect(storageFailure(refusal("closed", false))).toMatchObject({
      ...{ kind: "fix_configuration", retryAfterMs: undefined, fix: "See docs/storage-adapter.md for this code." },
    });
    const own = failed({});
    expect(storageFailure(own)).toBe(own);
    expect(["E1", new Error("x"), refusal("other", true)].map(isStorageError)).toEqual([false, false, false]);
  });
});

describe("a lease", () => {
  function held(answers: (boolean | Error)[]) {
    const clock = createFakeClock();
    const asked: number[] = [];
    let lost = 0;
    const lease = holdLease({} as never, {
      clock,
      outbox: {
        async extend(_, leaseMs) {
          asked.push(leaseMs);
          const answer = answers.shift() ?? true;
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
      leaseMs: 1_000,
      renewEveryMs: 400,
      claimedAtMs: clock.monotonic(),
      onLost: () => lost++,
    });
    return { clock, asked, lease, lost: () => lost };
  }

  it("is renewed while it is held, and no longer", async () => {
    const { clock, asked, lease } = held([]);
    await clock.advance(900);
    expect([asked, lease.remainingMs()]).toEqual([[1_000, 1_000], 900]);
    lease.end();
    await clock.advance(2_000);
    expect(asked).toHaveLength(2);
    expect(lease.remainingMs()).toBeLessThan(0);
  });

  it("is renewed at once where more is needed than is left", async () => {
    const { clock, asked, lease } = held([]);
    await clock.advance(300);
    expect(await lease.ensure(700)).toBe(true);
    expect(asked).toHaveLength(0);
    expect(await lease.ensure(701)).toBe(true);
    expect([asked.length, lease.remainingMs()]).toEqual([1, 1_000]);
    expect(await lease.ensure(1_001)).toBe(false);
    lease.end();
  });

  it("that another claim took over is lost, told once, and never asked for again", async () => {
    const { clock, asked, lease, lost } = held([false]);
    await clock.advance(400);
    expect([lease.lost, lost()]).toEqual([true, 1]);
    expect(await lease.ensure(1)).toBe(false);
    await clock.advance(5_000);
    expect([asked.length, lost()]).toEqual([1, 1]);
  });

  it("counts what is left of it where the engine does not answer", async () => {
    const { clock, lease } = held([new Error("away"), new Error("away")]);
    await clock.advance(500);
    expect(await lease.ensure(500)).toBe(true);
    expect(await lease.ensure(501)).toBe(false);
    expect(lease.lost).toBe(false);
    lease.end();
  });
});
