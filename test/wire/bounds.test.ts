import { describe, expect, it } from "vitest";
import { brokenBound } from "../../src/wire/bounds.ts";

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

describe("brokenBound", () => {
  it("lets values within the bounds pass", () => {
    expect(brokenBound({ a: [1, "x", null, { b: undefined }] })).toBeUndefined();
    expect(brokenBound(nested(32))).toBeUndefined();
    expect(brokenBound("x".repeat(1_048_576))).toBeUndefined();
    for (const value of [undefined, null, 1, true, () => 1, Symbol("x"), 1n])
      expect(brokenBound(value)).toBeUndefined();
  });

  it("names the bound that is broken", () => {
    expect(brokenBound(nested(33))).toBe("depth");
    expect(brokenBound(Array(60_000).fill(0))).toBe("nodes");
    expect(brokenBound("x".repeat(1_048_577))).toBe("characters");
    expect(brokenBound({ ["k".repeat(1_048_577)]: 1 })).toBe("characters");
  });

  it("ends on cycles, on sharing that multiplies, and on what is ten megabytes", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(brokenBound(cycle)).toBe("depth");
    let bomb: unknown = "x";
    for (let i = 0; i < 30; i++) bomb = [bomb, bomb];
    expect(brokenBound(bomb)).toBe("nodes");
    expect(brokenBound({ a: "x".repeat(10_000_000) })).toBe("characters");
    expect(brokenBound(new Uint8Array(10_000_000))).toBe("nodes");
    expect(brokenBound(new Array(4_000_000_000))).toBe("nodes");
  });

  it("takes other bounds", () => {
    expect(brokenBound({ a: { b: 1 } }, { depth: 1 })).toBe("depth");
    expect(brokenBound([1, 2, 3], { nodes: 3 })).toBe("nodes");
    expect(brokenBound("abc", { characters: 2 })).toBe("characters");
  });
});
