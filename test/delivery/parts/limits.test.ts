import { describe, expect, it } from "vitest";
import type { LimitScope } from "../../../src/delivery/index.ts";
import { createLimits, type LimitsOptions } from "../../../src/delivery/limits.ts";
import type { Slots } from "../../../src/storage/ports.ts";
import { createFakeClock, type FakeClock } from "../../../src/testing/clock.ts";

const TOKEN: LimitScope = { key: "token", perWindow: 10, windowMs: 1_000 };
const APP: LimitScope = { key: "app", perWindow: 1_000, windowMs: 1_000 };

/** Limits over an engine that says what the test wants, and what it was asked. */
function over(
  answer: (clock: FakeClock) => ReturnType<Slots["reserve"]> = async () => ({ inMs: [0] }),
  options: Partial<LimitsOptions> = {},
) {
  const clock = createFakeClock();
  const asked: LimitScope[][] = [];
  const blocked: [string, number][] = [];
  const slots: Slots = {
    async reserve(scopes) {
      asked.push(scopes);
      return answer(clock);
    },
    async block(key, forMs) {
      blocked.push([key, forMs]);
    },
  };
  return { clock, asked, blocked, limits: createLimits({ slots, clock, random: () => 0, ...options }) };
}

describe("a request's slot", () => {
  it("is any time where no limit stands over it", async () => {
    const { limits, asked } = over();
    expect(await limits.reserve([])).toEqual({ slot: { fromMs: 0, toMs: Number.POSITIVE_INFINITY } });
    expect([asked, limits.lowered()]).toEqual([[], []]);
  });

  it.each<[LimitScope, number | undefined, { perWindow: number; windowMs: number }]>([
    [TOKEN, undefined, { perWindow: 1, windowMs: 112 }],
    [APP, undefined, { perWindow: 90, windowMs: 100 }],
    [{ key: "k", perWindow: 83, windowMs: 5_000 }, undefined, { perWindow: 7, windowMs: 473 }],
    [{ key: "k", perWindow: 1, windowMs: 700 }, undefined, { perWindow: 1, windowMs: 700 }],
    [APP, 0.5, { perWindow: 50, windowMs: 100 }],
  ])("is asked for in a tenth of the window, of a part of the limit: %j, %s", async (scope, share, paced) => {
    const { limits, asked } = over(undefined, share === undefined ? {} : { share });
    await limits.reserve([scope]);
    expect(asked).toEqual([[{ key: scope.key, ...paced }]]);
  });

  it("begins once the answer is there, and is void 250 ms after its time by the earliest the engine may have meant", async () => {
    const { clock, limits } = over(async (time) => {
      await time.sleep(40);
      return { inMs: [70] };
    });
    await clock.advance(1_000);
    expect(await clock.run(limits.reserve([TOKEN]))).toEqual({ slot: { fromMs: 1_110, toMs: 1_320 } });
  });

  it("that is far off is not asked for again before then", async () => {
    const { clock, limits, asked } = over(async (time) => {
      await time.sleep(5);
      return { retryInMs: 3_000, blockedBy: "app" };
    });
    expect(await clock.run(limits.reserve([TOKEN, APP]))).toEqual({ retryInMs: 3_000, blockedBy: "app" });
    await clock.advance(2_999);
    expect(await limits.reserve([TOKEN, APP])).toEqual({ retryInMs: 1, blockedBy: "app" });
    expect([limits.blockedForMs([TOKEN]), limits.blockedForMs([APP]), limits.blockedForMs([])]).toEqual([0, 1, 0]);
    expect(limits.lowered()).toEqual([{ key: "app", factor: 1, blockedForMs: 1 }]);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(limits.lowered()).toEqual([]);
    await clock.run(limits.reserve([TOKEN, APP]));
    expect(asked).toHaveLength(2);
  });

  it.each([
    [[TOKEN, APP], "app"],
    [[APP, TOKEN], "app"],
    [[TOKEN], "token"],
  ])("waits for the limit that is closed longest: %j", async (scopes, blockedBy) => {
    const { limits } = over();
    await limits.refused([TOKEN], 2_000);
    await limits.refused([APP], 5_000);
    expect(await limits.reserve(scopes)).toEqual({ retryInMs: blockedBy === "app" ? 5_000 : 2_000, blockedBy });
    expect(limits.blockedForMs(scopes)).toBe(blockedBy === "app" ? 5_000 : 2_000);
  });
});

describe("a 429", () => {
  it("closes the first limit for everybody, as long as it says and a second at least", async () => {
    const { clock, limits, blocked } = over();
    expect(await limits.refused([TOKEN, APP], undefined)).toBe(1_000);
    await clock.advance(2_000);
    expect(await limits.refused([TOKEN, APP], 1_500.5)).toBe(1_500.5);
    await clock.advance(2_000);
    expect(await limits.refused([TOKEN], 10)).toBe(1_000);
    expect(blocked).toEqual([
      ["token", 1_000],
      ["token", 1_501],
      ["token", 1_000],
    ]);
    expect([await limits.refused([], undefined), await limits.refused([], 70)]).toEqual([1_000, 70]);
    expect(limits.lowered()).toEqual([{ key: "token", factor: 0.125, blockedForMs: 1_000 }]);
  });

  it("does not open earlier what another one closed for longer", async () => {
    const { limits } = over();
    await limits.refused([TOKEN], 9_000);
    await limits.refused([TOKEN], 10);
    expect(limits.blockedForMs([TOKEN])).toBe(9_000);
  });

  it("after another takes longer each time, until something else is answered", async () => {
    const { clock, limits } = over(undefined, { random: () => 1 });
    const waits: number[] = [];
    const refuse = async () => {
      waits.push(await limits.refused([TOKEN], 0));
      await clock.advance(1_001);
    };
    for (let n = 0; n < 5; n++) await refuse();
    await limits.observed([APP], undefined);
    await refuse();
    await limits.observed([TOKEN], undefined);
    await refuse();
    expect(waits).toEqual([3_000, 9_000, 27_000, 60_000, 60_000, 60_000, 3_000]);
  });

  it("halves the limit, not below a tenth; those within a second of another are the same one", async () => {
    const { clock, limits } = over();
    const factors: (number | undefined)[] = [];
    for (const afterMs of [0, 1_000, 1_000, 1_001, 1_001, 1_001, 1_001]) {
      await clock.advance(afterMs);
      await limits.refused([TOKEN], 0);
      factors.push(limits.lowered()[0]?.factor);
    }
    expect(factors).toEqual([0.5, 0.5, 0.5, 0.25, 0.125, 0.1, 0.1]);
  });

  it("is followed by fewer slots, and by a tenth more of them every ten seconds, asked for or not", async () => {
    const { clock, limits, asked } = over();
    await limits.refused([APP], 0);
    const factors: number[] = [];
    for (const ms of [9_999, 1, 15_000, 5_000, 19_999, 1]) {
      await clock.advance(ms);
      factors.push(Math.round((limits.lowered()[0]?.factor ?? 1) * 10) / 10);
    }
    expect(factors).toEqual([0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    await limits.refused([APP], 0);
    await clock.advance(10_000);
    await limits.reserve([APP]);
    await clock.advance(60_000);
    await limits.reserve([APP]);
    expect(asked.map(([scope]) => scope?.perWindow)).toEqual([54, 90]);
  });

  it("counts although the limit came back a little just before it", async () => {
    const { clock, limits } = over();
    await limits.refused([TOKEN], 0);
    await clock.advance(10_300);
    await limits.reserve([TOKEN]);
    await limits.refused([TOKEN], 0);
    expect(limits.lowered()).toMatchObject([{ factor: 0.3 }]);
  });

  it("closes the limit for a second where another answer came between two that belong together", async () => {
    const { limits } = over(undefined, { random: () => 1 });
    const first = await limits.refused([TOKEN], 0);
    await limits.observed([TOKEN], undefined);
    expect([first, await limits.refused([TOKEN], 0)]).toEqual([3_000, 1_000]);
  });

  it("that comes back to the whole limit counts anew at once", async () => {
    const { clock, limits } = over();
    await limits.refused([TOKEN], 0);
    await clock.advance(60_000);
    await limits.reserve([TOKEN]);
    await limits.refused([TOKEN], 0);
    expect(limits.lowered()).toMatchObject([{ factor: 0.5 }]);
  });
});

describe("headers of an answer", () => {
  const rate = (remaining: number, resetInMs: number) => ({ limit: 10, remaining, resetInMs });

  it.each<[string, ReturnType<typeof rate> | undefined, number | undefined]>([
    ["none", undefined, undefined],
    ["as much as the limit", rate(10, 1_000), undefined],
    ["more", rate(11, 1_000), undefined],
    ["a little less", rate(9.9, 1_000), 9.9],
    ["less", rate(2, 1_000), 2],
    ["a window that is over", rate(2, 0), undefined],
    ["nothing of a window that is over", rate(0, 0), undefined],
  ])("lower the limit while their window runs: %s", async (_, headers, perSecond) => {
    const { clock, limits, blocked } = over();
    await limits.observed([TOKEN, APP], headers);
    expect(blocked).toEqual([]);
    await limits.observed([], rate(1, 1_000));
    const lowered = perSecond === undefined ? [] : [{ key: "token", factor: 1, perSecond, blockedForMs: 0 }];
    expect(limits.lowered()).toEqual(lowered);
    await clock.advance(999);
    expect(limits.lowered()).toEqual(lowered);
    await clock.advance(1);
    expect(limits.lowered()).toEqual([]);
  });

  it("never give more than the part of the limit that is ours, nor less than one request", async () => {
    const { limits, asked } = over();
    await limits.observed([APP], rate(950, 1_000));
    await limits.reserve([APP]);
    await limits.observed([APP], rate(500, 1_000));
    await limits.reserve([APP]);
    await limits.observed([APP], rate(0.5, 1_000));
    await limits.reserve([APP]);
    expect(asked).toEqual([
      [{ key: "app", perWindow: 90, windowMs: 100 }],
      [{ key: "app", perWindow: 50, windowMs: 100 }],
      [{ key: "app", perWindow: 1, windowMs: 1_000 }],
    ]);
  });

  it("that leave nothing close the limit until their window ends", async () => {
    const { clock, limits, blocked } = over();
    await limits.observed([TOKEN], rate(0, 2_500));
    expect([blocked, limits.blockedForMs([TOKEN])]).toEqual([[["token", 2_500]], 2_500]);
    await clock.advance(2_500);
    expect(await limits.reserve([TOKEN])).toEqual({ slot: { fromMs: 2_500, toMs: 2_750 } });
  });
});
