import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createRouter } from "../../src/rules/create-router.ts";
import { presets } from "../../src/workflow/presets/index.ts";
import { sources } from "../../src/workflow/sources/index.ts";
import { EVENTS, shopDay } from "./corpus.ts";
import { OPTIONS } from "./events.ts";
import { check, createTally, type Tally } from "./judge.ts";
import { mutated, pick, seeded } from "./mutations.ts";

afterEach(() => {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

function expectSound(tally: Tally): void {
  expect(tally.faults.slice(0, 5)).toEqual([]);
  expect(tally.slowestMs).toBeLessThan(1_000);
}

describe("whatever comes in", () => {
  it("30,000 spoilt events are refused with a reason or made into what Snapchat takes", () => {
    const tally = createTally();
    for (let seed = 0; seed < 30_000; seed++) {
      const random = seeded(seed);
      check(mutated(pick(EVENTS, random), random), OPTIONS, tally, seed);
    }
    expectSound(tally);
    expect(tally.prepared).toBeGreaterThan(8_000);
    expect(Object.keys(tally.refused).length).toBeGreaterThan(12);
  }, 60_000);

  it("15,000 spoilt events of a shop pass through source, workflow and preparation", async () => {
    const day = await shopDay(500);
    const workflow = presets.customerlabs({ defaultCountry: "GB" });
    const router = createRouter({ ...workflow, rules: workflow.rules.map((rule) => ({ ...rule, server: true })) });
    const tally = createTally();
    const nowMs = Date.parse(day.at(-1)?.received_at ?? "") + 60_000;
    for (let seed = 0; seed < 15_000; seed++) {
      const random = seeded(seed);
      const line = pick(day, random);
      const receivedAtMs = Date.parse(line.received_at);
      const { decisions } = router.route(sources.customerlabs.read(mutated(line.event, random)), { receivedAtMs });
      for (const { channel, event } of decisions) {
        if (channel === "server" && event !== undefined) check(event, { ...OPTIONS, nowMs, receivedAtMs }, tally, seed);
      }
    }
    expectSound(tally);
    expect(tally.prepared).toBeGreaterThan(1_000);
  }, 60_000);

  it("5,000 values of no shape at all are refused", () => {
    const tally = createTally();
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      maxDepth: 4,
    });
    const names = fc.constantFrom(
      "event_name",
      "event_time",
      "action_source",
      "user_data",
      "custom_data",
      "app_data",
      "event_source_url",
      "__proto__",
    );
    fc.assert(
      fc.property(fc.oneof(anything, fc.dictionary(names, anything)), (event) => check(event, OPTIONS, tally, 0)),
      { numRuns: 5_000, seed: 7 },
    );
    expectSound(tally);
    expect(tally.prepared).toBe(0);
  }, 60_000);

  it("10 MB in any field are refused quickly", () => {
    const big = "a".repeat(10_000_000);
    const tally = createTally();
    for (const event of EVENTS) {
      for (const name of Object.keys(event as object)) check({ ...(event as object), [name]: big }, OPTIONS, tally, 0);
      check({ ...(event as object), user_data: { em: big } }, OPTIONS, tally, 0);
    }
    expectSound(tally);
    expect(Object.keys(tally.refused)).toEqual(["event_too_large"]);
  });
});
