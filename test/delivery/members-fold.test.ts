import { describe, expect, it } from "vitest";
import { foldMembers, identifierKey, type PlacedMember, UNNAMED } from "../../src/delivery/members-fold.ts";

const bytes = (size: number, fill: number) => new Uint8Array(size).fill(fill);
const ANN = bytes(16, 1);
const BOB = bytes(16, 2);
const MAIL = bytes(32, 7);
const NAMES = new Map([
  [ANN, "ann"],
  [BOB, "bob"],
  [UNNAMED, "unnamed"],
]);

const change = (
  position: number,
  op: "add" | "remove" | "assert",
  person?: Uint8Array,
  more: Partial<PlacedMember> & { kind?: 0 | 1 | 2; hash?: Uint8Array } = {},
): PlacedMember => ({
  position,
  doubted: more.doubted ?? false,
  member: {
    op,
    person,
    identifiers: [{ kind: more.kind ?? 0, hash: more.hash ?? MAIL }],
    subjects: [],
    acceptedAtMs: 0,
    eventId: undefined,
  },
});

/** What is left of each identifier, as `add ann 1`; `-` is everybody. */
const left = (placed: readonly PlacedMember[], byPerson = true) =>
  foldMembers(placed, byPerson).map(({ ops }) =>
    ops.map(({ op, person, position }) => `${op} ${person ? NAMES.get(person) : "-"} ${position}`),
  );

describe("changes of one identifier", () => {
  it("fold to the last one of each person", () => {
    expect(left([change(1, "add", ANN), change(2, "add", BOB), change(3, "add", ANN)])).toEqual([
      ["add bob 2", "add ann 3"],
    ]);
  });

  it("of a named person who leaves take along whoever was added without a name, and nobody else", () => {
    expect(left([change(1, "add"), change(2, "add", BOB), change(3, "remove", ANN)])).toEqual([
      ["add bob 2", "remove ann 3", "remove unnamed 3"],
    ]);
    expect(left([change(1, "add", ANN), change(2, "remove", ANN), change(3, "add", ANN)])).toEqual([
      ["remove unnamed 2", "add ann 3"],
    ]);
  });

  it("end with a remove of everybody, beside which later ones stand", () => {
    expect(left([change(1, "add", ANN), change(2, "add"), change(3, "remove")])).toEqual([["remove - 3"]]);
    expect(left([change(1, "remove"), change(2, "add", ANN), change(3, "add", BOB)])).toEqual([
      ["remove - 1", "add ann 2", "add bob 3"],
    ]);
    expect(left([change(1, "remove"), change(2, "remove")])).toEqual([["remove - 2"]]);
  });

  it("are the last one alone where nothing remembers persons", () => {
    expect(left([change(1, "add", ANN), change(2, "remove", BOB)], false)).toEqual([["remove - 2"]]);
    expect(left([change(1, "remove", ANN), change(2, "add", BOB)], false)).toEqual([["add - 2"]]);
  });

  it("say nothing new when they only assert, but have to be told again", () => {
    const [asserted] = foldMembers([change(1, "add", ANN), change(2, "assert", ANN)], true);
    expect([asserted?.ops.map(({ op }) => op), asserted?.doubted]).toEqual([["add"], true]);
    const [plain] = foldMembers([change(1, "add", ANN)], true);
    expect(plain?.doubted).toBe(false);
    const [doubted] = foldMembers([change(1, "add", ANN, { doubted: true }), change(2, "add", BOB)], true);
    expect(doubted?.doubted).toBe(true);
  });
});

describe("identifiers", () => {
  it("are one by kind and hash, wherever the bytes lie", () => {
    const inside = new Uint8Array(40).fill(7).subarray(4, 36);
    expect(foldMembers([change(1, "add", ANN), change(2, "add", BOB, { hash: inside })], true)).toHaveLength(1);
    const others = [change(2, "add", ANN, { kind: 1 }), change(3, "add", ANN, { hash: bytes(32, 8) })];
    expect(foldMembers([change(1, "add", ANN), ...others], true)).toHaveLength(3);
    expect(identifierKey(1, MAIL)).toHaveLength(33);
  });
});
