import { describe, expect, it, vi } from "vitest";
import type { FoldedIdentifier } from "../../../src/delivery/members-fold.ts";
import { createPlan, MAX_OPS, type MembersPlan } from "../../../src/delivery/members-plan.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { MemberOp, Members } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { hashBytes } from "../support.ts";

const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const ANN = new Uint8Array(16).fill(1);
const BOB = new Uint8Array(16).fill(2);

const op = (n: number, said: "add" | "remove" = "add", more: Partial<MemberOp> = {}): MemberOp => ({
  ...{ op: said, kind: 0, hash: hashBytes(n), person: ANN, position: 5 },
  ...more,
});
const folded = (ops: MemberOp[], more: Partial<FoldedIdentifier> = {}): FoldedIdentifier => ({
  ...{ kind: ops[0]?.kind ?? 0, hash: ops[0]?.hash ?? hashBytes(0), ops, doubted: false },
  ...more,
});

const ALL = new Uint8Array(1_250).fill(255);

/** A plan over members of which some are held already, since the start of the clock. */
async function setup(options: { held?: number[]; remembers?: boolean; pageSize?: number; renewAfterMs?: number } = {}) {
  const { held = [], remembers = true, pageSize = 100, renewAfterMs } = options;
  const clock = createFakeClock();
  const members = memory({ clock }).members as Members;
  const before = held.map((n) => op(n, "add", { position: 1 }));
  await members.commit(VIP, before, { fence: 1, sent: ALL });
  const diff = vi.spyOn(members, "diff");
  const plan = createPlan({ members: remembers ? members : undefined, segment: VIP, pageSize, renewAfterMs });
  return { clock, members, plan, diff };
}

/** Pages as `add email 1 2`. */
const told = ({ pages }: MembersPlan) =>
  pages.map(({ op: said, kind, hashes }) =>
    [said, kind, ...hashes.map((hash) => Number.parseInt(hash.slice(0, 8), 16))].join(" "),
  );
/** What is written down, as `add 1 sent`. */
const written = ({ commits }: MembersPlan) =>
  commits.map(({ ops, sent }) =>
    ops().map(({ op: said, hash }, at) => {
      const bit = ((sent[at >> 3] ?? 0) >> (at & 7)) & 1;
      return `${said} ${new DataView(hash.buffer, hash.byteOffset).getUint32(0)}${bit ? " sent" : ""}`;
    }),
  );

describe("single changes", () => {
  it("are told where Snapchat's list changes, by what is asked and kind, and all are written down", async () => {
    const { plan } = await setup({ held: [1, 2] });
    await plan.changes([
      folded([op(1)]),
      folded([op(2, "remove")]),
      folded([op(3)]),
      folded([op(4, "add", { kind: 1 })]),
      folded([op(5, "add", { kind: 2 })]),
      folded([op(6)]),
      folded([op(7, "remove")]),
    ]);
    const finished = plan.finish();
    expect(told(finished)).toEqual(["remove email 2", "add email 3 6", "add phone 4", "add mobile_ad_id 5"]);
    expect(written(finished)).toEqual([
      ["add 1", "remove 2 sent", "add 3 sent", "add 4 sent", "add 5 sent", "add 6 sent", "remove 7"],
    ]);
  });

  it("in doubt are told again as Snapchat should hold them, unless they are told anyway", async () => {
    const { plan } = await setup({ held: [1, 2] });
    const doubted = { doubted: true };
    await plan.changes([
      folded([op(1)], doubted),
      folded([op(2, "remove")], doubted),
      folded([op(3, "remove")], doubted),
      folded([op(4)], doubted),
      folded([], { doubted: true, hash: hashBytes(5) }),
    ]);
    const finished = plan.finish();
    expect(told(finished)).toEqual(["remove email 2 3 5", "add email 4 1"]);
    expect(written(finished)).toEqual([["add 1", "remove 2 sent", "remove 3", "add 4 sent"]]);
  });

  it("of one identifier by two persons are judged together", async () => {
    const { plan } = await setup({ held: [1] });
    await plan.changes([folded([op(1, "remove"), op(1, "add", { person: BOB })]), folded([op(2)])]);
    const finished = plan.finish();
    expect(told(finished)).toEqual(["add email 2"]);
    expect(written(finished)).toEqual([["remove 1", "add 1", "add 2 sent"]]);
  });

  it("are all told, the last of each identifier, where nothing remembers members", async () => {
    const { plan } = await setup({ remembers: false });
    await plan.changes([
      folded([op(1)]),
      folded([op(2), op(2, "remove")]),
      folded([], { doubted: true, hash: hashBytes(3) }),
    ]);
    const finished = plan.finish();
    expect([told(finished), finished.commits]).toEqual([["add email 1", "remove email 2"], []]);
  });

  it("that say nothing leave nothing to do", async () => {
    const { plan, diff } = await setup();
    await plan.changes([]);
    expect(diff).not.toHaveBeenCalled();
    await plan.changes([folded([], { hash: hashBytes(1) })]);
    expect(plan.finish()).toEqual({ pages: [], commits: [] });
    expect(diff.mock.calls.filter(([, ops]) => ops.length > 0)).toEqual([]);
  });

  it("are compared at most 10,000 at a time, those of one identifier together", async () => {
    const { plan, diff } = await setup({ pageSize: 1e9 });
    const singles = Array.from({ length: MAX_OPS - 1 }, (_, n) => folded([op(n)]));
    await plan.changes([...singles, folded([op(MAX_OPS), op(MAX_OPS, "add", { person: BOB })])]);
    const sizes = () => diff.mock.calls.map(([, ops]) => ops.length).filter((size) => size > 0);
    expect(sizes()).toEqual([MAX_OPS - 1, 2]);
    expect(plan.finish().commits.map(({ ops }) => ops().length)).toEqual([MAX_OPS - 1, 2]);
    diff.mockClear();
    await plan.changes(singles.concat(folded([op(MAX_OPS)])));
    expect(sizes()).toEqual([MAX_OPS]);
  });

  it("in doubt are asked about at most 10,000 at a time, too", async () => {
    const { plan, diff } = await setup({ pageSize: 1e9 });
    const doubted = Array.from({ length: MAX_OPS + 1 }, (_, n) => folded([], { doubted: true, hash: hashBytes(n) }));
    await plan.changes(doubted);
    expect(told(plan.finish())[0]?.split(" ")).toHaveLength(2 + MAX_OPS + 1);
    expect(Math.max(...diff.mock.calls.map(([, ops]) => ops.length))).toBe(MAX_OPS);
  });
});

describe("operations of a list", () => {
  it("are told where Snapchat's list changes, and all are written down", async () => {
    const { plan } = await setup({ held: [1, 2] });
    await plan.operations(() => [op(1), op(2, "remove"), op(3)]);
    const finished = plan.finish();
    expect(told(finished)).toEqual(["remove email 2", "add email 3"]);
    expect(written(finished)).toEqual([["add 1", "remove 2 sent", "add 3 sent"]]);
  });

  it("in doubt are told again, each identifier once", async () => {
    const { plan } = await setup({ held: [1, 2] });
    const ops = [
      op(1),
      op(1, "add", { person: BOB }),
      op(2, "remove"),
      op(3),
      op(4, "remove"),
      op(1, "add", { kind: 1 }),
    ];
    await plan.operations(() => ops, { doubted: true });
    const finished = plan.finish();
    expect(told(finished)).toEqual(["remove email 2 4", "add email 3 1", "add phone 1"]);
    expect(written(finished)).toEqual([["add 1", "add 1", "remove 2 sent", "add 3 sent", "remove 4", "add 1 sent"]]);
  });

  it("that Snapchat holds already are not told, and written down as sent, once each", async () => {
    const { plan, diff } = await setup();
    const ops = [op(1), op(1, "add", { person: BOB }), op(2)];
    await plan.operations(() => ops, { send: "nothing", doubted: true });
    const finished = plan.finish();
    expect([told(finished), written(finished)]).toEqual([[], [["add 1 sent", "add 1", "add 2 sent"]]]);
    expect(diff).not.toHaveBeenCalled();
  });

  it("of which Snapchat holds none are all told, each identifier once", async () => {
    const { plan, diff } = await setup({ held: [1] });
    await plan.operations(() => [op(1), op(1, "add", { person: BOB }), op(2)], { send: "everything" });
    const finished = plan.finish();
    expect([told(finished), written(finished)]).toEqual([["add email 1 2"], [["add 1 sent", "add 1", "add 2 sent"]]]);
    expect(diff).not.toHaveBeenCalled();
  });

  it("are all told, each identifier once, where nothing remembers members, but for those that are held", async () => {
    const { plan } = await setup({ remembers: false });
    await plan.operations(() => [op(1), op(1, "add", { person: BOB }), op(2, "remove")], { doubted: true });
    await plan.operations(() => [op(3)], { send: "nothing" });
    const finished = plan.finish();
    expect([told(finished), finished.commits]).toEqual([["add email 1", "remove email 2"], []]);
  });

  it.each(["nothing", "everything", undefined] as const)("may be none (%s)", async (send) => {
    const { plan } = await setup();
    await plan.operations(() => [], send && { send });
    expect(plan.finish()).toEqual({ pages: [], commits: [] });
  });
});

describe("identifiers of which nothing new is said", () => {
  it("are told again as Snapchat should hold them, once each, and nothing is written down", async () => {
    const { plan } = await setup({ held: [1] });
    await plan.assert([op(1, "remove"), op(2), op(1), op(2, "add", { kind: 1 })]);
    const finished = plan.finish();
    expect([told(finished), finished.commits]).toEqual([["add email 1", "remove email 2", "remove phone 2"], []]);
  });

  it("are left alone where nothing remembers members", async () => {
    const { plan } = await setup({ remembers: false });
    await plan.assert([op(1)]);
    expect(plan.finish().pages).toEqual([]);
  });
});

describe("requests", () => {
  it.each([
    [5, ["add email 1 2 3 4 5"]],
    [4, ["add email 1 2 3 4", "add email 5"]],
    [2, ["add email 1 2", "add email 3 4", "add email 5"]],
  ])("hold at most %i identifiers", async (pageSize, pages) => {
    const { plan } = await setup({ pageSize });
    await plan.operations(() => [1, 2, 3, 4, 5].map((n) => op(n)));
    expect(told(plan.finish())).toEqual(pages);
  });

  it("name identifiers in hexadecimal, wherever the bytes lie", async () => {
    const { plan } = await setup();
    const inside = new Uint8Array(40).fill(7);
    inside.set(hashBytes(9), 4);
    await plan.operations(() => [op(0, "add", { hash: inside.subarray(4, 36) })]);
    expect(plan.finish().pages[0]?.hashes).toEqual([Buffer.from(hashBytes(9)).toString("hex")]);
  });
});

describe("members that were sent long ago", () => {
  it("are sent again after as long as the segment says", async () => {
    const { plan, clock } = await setup({ held: [1], renewAfterMs: 1_000 });
    await clock.advance(1_000);
    await plan.changes([folded([op(1)])]);
    expect(plan.finish().pages).toEqual([]);
    await clock.advance(1);
    await plan.changes([folded([op(1)])]);
    expect(told(plan.finish())).toEqual(["add email 1"]);
  });

  it("are not looked for where Snapchat forgets nobody", async () => {
    const { plan, clock, diff } = await setup({ held: [1] });
    await clock.advance(1e12);
    await plan.operations(() => [op(1)]);
    expect(plan.finish().pages).toEqual([]);
    expect(diff.mock.calls[0]?.[2]).toStrictEqual({});
  });
});
