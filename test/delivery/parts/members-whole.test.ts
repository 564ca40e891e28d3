import { describe, expect, it } from "vitest";
import type { PlacedMember } from "../../../src/delivery/members-fold.ts";
import { wholePersons } from "../../../src/delivery/members-whole.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { MemberOp, Members } from "../../../src/storage/ports.ts";

const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const ANN = new Uint8Array(16).fill(1);
const BOB = new Uint8Array(16).fill(2);
const id = (n: number, kind: 0 | 1 | 2 = 0): Pick<MemberOp, "kind" | "hash"> => ({
  kind,
  hash: new Uint8Array(32).fill(n),
});

const change = (
  position: number,
  op: "add" | "remove" | "assert",
  person: Uint8Array | undefined,
  identifiers: Pick<MemberOp, "kind" | "hash">[],
): PlacedMember => ({
  position,
  doubted: false,
  member: { op, person, identifiers, subjects: [], acceptedAtMs: 0, eventId: undefined },
});

async function stored(
  rows: [person: Uint8Array, position: number, Pick<MemberOp, "kind" | "hash">][],
): Promise<Members> {
  const members = memory().members as Members;
  const ops = rows.map(([person, position, identifier]) => ({ op: "add" as const, person, position, ...identifier }));
  await members.commit(VIP, ops, { fence: 1, sent: new Uint8Array(1) });
  return members;
}

/** Each change's identifiers, as `kind/first byte`. */
const whole = async (members: Members | undefined, placed: PlacedMember[]) =>
  (await wholePersons(members, VIP, placed)).map(({ member }) =>
    member.identifiers.map(({ kind, hash }) => `${kind}/${hash[0]}`),
  );

describe("a named person who leaves takes along", () => {
  it("what is stored of them, once each, and nobody else's", async () => {
    const members = await stored([
      [ANN, 1, id(1)],
      [ANN, 1, id(2, 1)],
      [BOB, 1, id(3)],
    ]);
    expect(await whole(members, [change(5, "remove", ANN, [id(1), id(4)])])).toEqual([["0/1", "0/4", "1/2"]]);
  });

  it("what earlier changes of the batch added, but not what later ones add", async () => {
    const members = await stored([]);
    expect(
      await whole(members, [
        change(5, "add", ANN, [id(1)]),
        change(6, "add", BOB, [id(2)]),
        change(7, "add", ANN, [id(3), id(1)]),
        change(8, "remove", ANN, []),
        change(9, "remove", ANN, [id(4)]),
        change(10, "add", ANN, [id(5)]),
      ]),
    ).toEqual([["0/1"], ["0/2"], ["0/3", "0/1"], ["0/1", "0/3"], ["0/4"], ["0/5"]]);
  });

  it("only what was stored before they left", async () => {
    const members = await stored([
      [ANN, 4, id(1)],
      [ANN, 5, id(2)],
      [ANN, 6, id(3)],
    ]);
    expect(await whole(members, [change(5, "remove", ANN, [])])).toEqual([["0/1"]]);
  });

  it("however much that is", async () => {
    const members = await stored([1, 2, 3, 4, 5].map((n) => [ANN, 1, id(n)]));
    const few: Members = { ...members, scan: (segment, filter) => members.scan(segment, { ...filter, limit: 2 }) };
    const [left] = await whole(few, [change(5, "remove", ANN, [])]);
    expect(left?.toSorted()).toEqual(["0/1", "0/2", "0/3", "0/4", "0/5"]);
  });
});

describe("changes stay as they are", () => {
  it.each([
    ["of somebody who enters", change(5, "add", ANN, [id(4)])],
    ["of nobody in particular", change(5, "remove", undefined, [id(4)])],
    ["that only tell again", change(5, "assert", ANN, [id(4)])],
    ["with nothing more to take along", change(5, "remove", BOB, [id(4)])],
  ])("%s", async (_, placed) => {
    const members = await stored([[ANN, 1, id(1)]]);
    const [same] = await wholePersons(members, VIP, [placed]);
    expect(same).toBe(placed);
  });

  it("where nothing remembers members", async () => {
    const placed = [change(5, "add", ANN, [id(1)]), change(6, "remove", ANN, [id(4)])];
    expect(await wholePersons(undefined, VIP, placed)).toEqual(placed);
  });
});
