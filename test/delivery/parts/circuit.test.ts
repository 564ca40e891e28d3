import { describe, expect, it } from "vitest";
import { createCircuits } from "../../../src/delivery/circuit.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

describe("a circuit that has opened", () => {
  it("lets pass at once after the answer of an earlier request, and opens longer at the next failure", () => {
    const retry = { minMs: 5_000, maxMs: 900_000 };
    const circuits = createCircuits({ clock: createFakeClock(), random: () => 1, threshold: 2, retry });
    expect([circuits.report("a", false), circuits.report("a", false)]).toEqual([undefined, "opened"]);
    expect(circuits.enter("a")).toEqual({ pass: false, retryInMs: 15_000 });
    expect(circuits.report("a", true)).toBe("closed");
    expect(circuits.enter("a").pass).toBe(true);
    expect([circuits.report("a", false), circuits.report("a", false)]).toEqual(["opened", undefined]);
    expect(circuits.open()).toEqual([{ asset: "a", retryInMs: 135_000 }]);
  });
});
