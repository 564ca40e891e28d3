import { describe, expect, it } from "vitest";
import type { LimitScope } from "../../src/delivery/index.ts";
import { createLimits } from "../../src/delivery/limits.ts";
import type { Slots } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { seeded } from "./support.ts";

const TOKEN: LimitScope = { key: "oauth-token/c1", perWindow: 10, windowMs: 1_000 };

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
