import { describe, expect, it } from "vitest";
import { UNNAMED } from "../../../src/delivery/members-fold.ts";
import { pageParts } from "../../../src/delivery/page-ops.ts";

const bytesOf = (count: number, size: number) =>
  Uint8Array.from({ length: count * size }, (_, at) => (at % size === 0 ? Math.floor(at / size) % 256 : size));
const page = (op: "add" | "remove" | "hold", count: number, named: boolean) => ({
  op,
  kind: 1 as const,
  hashes: bytesOf(count, 32),
  persons: named ? bytesOf(count, 16) : undefined,
});

describe("a page of a list", () => {
  it.each([
    [0, []],
    [1, [1]],
    [1_000, [1_000]],
    [1_001, [1_000, 1]],
    [2_500, [1_000, 1_000, 500]],
  ])("of %i identifiers comes in parts of a thousand places: %j", (count, sizes) => {
    const parts = pageParts(page("add", count, false), 7).map((part) => part());
    expect(parts.map(({ ops }) => ops.length)).toEqual(sizes);
    expect(parts.flatMap(({ places }) => places)).toEqual(Array.from({ length: count }, (_, place) => place));
  });

  it.each([
    ["add", "add"],
    ["hold", "add"],
    ["remove", "remove"],
  ] as const)("to %s makes operations to %s, at the position of its run", (said, op) => {
    const { hashes } = page(said, 2, false);
    const [part] = pageParts(page(said, 2, false), 7);
    const whose = op === "add" ? { person: UNNAMED } : {};
    expect(part?.()).toStrictEqual({
      ops: [
        { op, kind: 1, hash: hashes.subarray(0, 32), position: 7, ...whose },
        { op, kind: 1, hash: hashes.subarray(32), position: 7, ...whose },
      ],
      places: [0, 1],
    });
  });

  it("names whom it names: who leaves takes along the row without a name, at the same place", () => {
    const { persons } = page("add", 2, true);
    const whose = (op: "add" | "remove") => {
      const { ops = [], places } = pageParts(page(op, 2, true), 7)[0]?.() ?? {};
      return [ops.map(({ person }) => person), places];
    };
    const [first, second] = [persons?.subarray(0, 16), persons?.subarray(16)];
    expect(whose("add")).toEqual([
      [first, second],
      [0, 1],
    ]);
    expect(whose("remove")).toEqual([
      [first, UNNAMED, second, UNNAMED],
      [0, 0, 1, 1],
    ]);
  });
});
