import assert from "node:assert/strict";
import type { MemberFilter, MemberOp, MemberRow, Members } from "../../../storage/ports.ts";
import { add, all, bits, bytes, type Context, HOSTILE, HOUR, hash, person, remove, SEGMENT, skip } from "../context.ts";
import { cases } from "./case.ts";

const fences = new WeakMap<Context, number>();

/** A higher fence than the case used before. */
function nextFence(t: Context): number {
  const fence = (fences.get(t) ?? 0) + 1;
  fences.set(t, fence);
  return fence;
}

/** The port, or the case is left out. */
function port(t: Context): Members {
  return t.storage.members ?? skip("no members port");
}

async function diff(t: Context, ops: MemberOp[], o?: { renewAfterMs?: number }): Promise<number[]> {
  return bits(await port(t).diff(SEGMENT, ops, o), ops.length);
}

async function commit(t: Context, ops: MemberOp[], o: { sent?: Uint8Array; run?: number } = {}): Promise<void> {
  const sent = o.sent ?? all(ops.length);
  const run = o.run === undefined ? {} : { run: o.run };
  assert.equal(await port(t).commit(SEGMENT, ops, { fence: nextFence(t), sent, ...run }), "committed");
}

async function rows(t: Context, o: MemberFilter = {}): Promise<MemberRow[]> {
  const found: MemberRow[] = [];
  let after: string | undefined;
  do {
    const page = await port(t).scan(SEGMENT, { ...o, limit: 100, ...(after === undefined ? {} : { after }) });
    found.push(...page.items);
    after = page.after;
  } while (after !== undefined);
  assert.equal(await port(t).count(SEGMENT, o), found.length, "count answers what scan finds");
  return found;
}

const numberOf = (value: Uint8Array) => Buffer.from(value).readUInt32BE(value.byteLength - 4);
const hashes = async (t: Context, o?: MemberFilter) =>
  (await rows(t, o)).map((row) => numberOf(row.hash)).sort((a, b) => a - b);

export const members = [
  ...cases("members", {
    "diff reads only": async (t) => {
      for (let index = 0; index < 2; index++) assert.deepEqual(await diff(t, [add(1, 1)]), [1]);
      assert.deepEqual(await rows(t), []);
      await commit(t, [add(1, 1)]);
      for (let index = 0; index < 2; index++) assert.deepEqual(await diff(t, [remove(1, 2)]), [1]);
      assert.deepEqual(await hashes(t), [1]);
    },
    "diff: an add of what is not held has bit 1, of what is held 0": async (t) => {
      await commit(t, [add(1, 1)]);
      assert.deepEqual(await diff(t, [add(1, 2), add(2, 2)]), [0, 1]);
    },
    "diff: a remove of what is held has bit 1, of what is not held 0": async (t) => {
      await commit(t, [add(1, 1)]);
      assert.deepEqual(await diff(t, [remove(1, 2), remove(2, 2)]), [1, 0]);
    },
    "diff: exactly one operation of a direction has bit 1": async (t) => {
      const mask = await diff(t, [add(1, 1), add(1, 2), add(1, 3), add(2, 4)]);
      assert.equal((mask[0] ?? 0) + (mask[1] ?? 0) + (mask[2] ?? 0), 1);
      assert.equal(mask[3], 1);
      await commit(t, [add(1, 1)]);
      const removes = await diff(t, [remove(1, 5), remove(1, 6)]);
      assert.equal((removes[0] ?? 0) + (removes[1] ?? 0), 1);
    },
    "diff judges operations together: an add and a later remove come to nothing": async (t) => {
      assert.deepEqual(await diff(t, [add(1, 1), remove(1, 2)]), [0, 0]);
      await commit(t, [add(2, 1)]);
      assert.deepEqual(await diff(t, [remove(2, 2), add(2, 3)]), [0, 0]);
      assert.deepEqual(await diff(t, [add(2, 2), remove(2, 3)]), [0, 1]);
    },
    "diff keeps kinds apart": async (t) => {
      await commit(t, [add(1, 1)]);
      assert.deepEqual(await diff(t, [{ ...add(1, 2), kind: 1 }, { ...add(1, 2), kind: 2 }, add(1, 2)]), [1, 1, 0]);
    },
    "diff keeps segments apart": async (t) => {
      await commit(t, [add(1, 1)]);
      for (const other of [{ tenantId: "t2" }, { destinationId: "d2" }, { link: "s2" }]) {
        const mask = await port(t).diff({ ...SEGMENT, ...other }, [add(1, 2)]);
        assert.deepEqual(bits(mask, 1), [1]);
      }
    },
    "bit i is byte i>>3, value 1<<(i&7)": async (t) => {
      await commit(t, [add(3, 1), add(9, 1)]);
      const mask = await port(t).diff(
        SEGMENT,
        Array.from({ length: 11 }, (_, index) => add(index, 2)),
      );
      assert.deepEqual([...mask], [0b11110111, 0b101]);
    },
    "the last position wins, in whatever order they are committed": async (t) => {
      await commit(t, [remove(1, 10)]);
      await commit(t, [add(1, 5)]);
      assert.deepEqual(await hashes(t), []);
      await commit(t, [add(1, 11)]);
      await commit(t, [remove(1, 7)]);
      assert.deepEqual(await hashes(t), [1]);
    },
    "diff, too, ignores operations older than their row": async (t) => {
      await commit(t, [add(1, 10)]);
      assert.deepEqual(await diff(t, [remove(1, 5)]), [0]);
      await commit(t, [remove(1, 20)]);
      assert.deepEqual(await diff(t, [add(1, 15)]), [0]);
    },
    "of equal positions the remove wins": async (t) => {
      await commit(t, [add(1, 5), remove(1, 5)]);
      await commit(t, [remove(2, 5), add(2, 5)]);
      await commit(t, [add(3, 5)]);
      await commit(t, [remove(3, 5)]);
      await commit(t, [remove(4, 5, 1), add(4, 5, 1)]);
      assert.deepEqual(await hashes(t), []);
    },
    "a hash is held while any person's row of it is present": async (t) => {
      await commit(t, [add(1, 1, 1), add(1, 2, 2)]);
      assert.deepEqual(await diff(t, [remove(1, 3, 1)]), [0]);
      await commit(t, [remove(1, 3, 1)]);
      assert.deepEqual(await diff(t, [remove(1, 4, 2)]), [1]);
      assert.deepEqual(await diff(t, [add(1, 4, 3)]), [0]);
      await commit(t, [add(2, 1, 1), add(2, 1, 2), remove(2, 3, 2)]);
      assert.deepEqual(await diff(t, [add(2, 4, 3), remove(1, 4, 1)]), [0, 0]);
      assert.deepEqual(await hashes(t), [1, 2]);
    },
    "an add without a person is the nobody row, beside every person's": async (t) => {
      await commit(t, [add(1, 1), add(1, 2, 1)]);
      await commit(t, [remove(1, 3, 1)]);
      const [row] = await rows(t);
      assert.equal(row?.person, undefined);
      assert.equal((await rows(t)).length, 1);
    },
    "a remove without a person is every person's row": async (t) => {
      await commit(t, [add(1, 1, 1), add(1, 2, 2), add(1, 3)]);
      assert.deepEqual(await diff(t, [remove(1, 4)]), [1]);
      await commit(t, [remove(1, 4)]);
      assert.deepEqual(await rows(t), []);
    },
    "a remove of everybody leaves rows of later positions": async (t) => {
      await commit(t, [add(1, 1, 1), add(1, 9, 2)]);
      assert.deepEqual(await diff(t, [remove(1, 5)]), [0]);
      await commit(t, [remove(1, 5)]);
      assert.deepEqual(
        (await rows(t)).map((row) => numberOf(row.person ?? bytes(0, 0, 0, 0))),
        [3],
      );
    },
    "a remove of everybody also outlasts older adds that come later": async (t) => {
      await commit(t, [remove(1, 5)]);
      await commit(t, [add(1, 9)]);
      await commit(t, [remove(1, 10)]);
      assert.deepEqual(await diff(t, [add(1, 4, 7)]), [0]);
      await commit(t, [add(1, 4, 7)]);
      assert.deepEqual(await rows(t), []);
    },
    "diff: renew an add that was sent longer ago than renewAfterMs": async (t) => {
      await commit(t, [add(1, 1)]);
      assert.deepEqual(await diff(t, [add(1, 2)], { renewAfterMs: 100_000 }), [0]);
      await t.pass(t.unit);
      assert.deepEqual(
        await diff(t, [add(1, 2), add(1, 3)], { renewAfterMs: t.unit - 1 }).then((m) => m[0]! + m[1]!),
        1,
      );
      assert.deepEqual(await diff(t, [add(1, 2)]), [0]);
      assert.deepEqual(await diff(t, [remove(2, 2)], { renewAfterMs: 0 }), [0]);
    },
    "commit: only operations that were sent move sentAt": async (t) => {
      await commit(t, [add(1, 1), add(2, 1)]);
      await t.pass(t.unit);
      await commit(t, [add(1, 2), add(2, 2)], { sent: bytes(0b10) });
      const mask = await diff(t, [add(1, 3), add(2, 3)], { renewAfterMs: t.unit - 1 });
      assert.deepEqual(mask, [1, 0]);
    },
    "commit takes all operations, sent or not": async (t) => {
      await commit(t, [add(1, 1), add(2, 1)], { sent: bytes(0) });
      assert.deepEqual(await hashes(t), [1, 2]);
    },
    "commit is lost if a higher fence has committed, and then nothing is done": async (t) => {
      const members = port(t);
      const sent = all(1);
      const base = 100;
      assert.equal(await members.commit(SEGMENT, [add(1, 1)], { fence: base, sent }), "committed");
      assert.equal(await members.commit(SEGMENT, [add(2, 2)], { fence: base - 1, sent }), "lost");
      assert.deepEqual(await hashes(t), [1]);
      assert.equal(await members.commit(SEGMENT, [add(3, 3)], { fence: base, sent }), "committed");
      assert.equal(await members.commit({ ...SEGMENT, link: "other" }, [add(3, 3)], { fence: 1, sent }), "committed");
    },
    "commit repeated changes nothing": async (t) => {
      const ops = [add(1, 1), add(1, 2, 1), remove(2, 3)];
      const o = { fence: nextFence(t), sent: all(3) };
      for (let index = 0; index < 2; index++) assert.equal(await port(t).commit(SEGMENT, ops, o), "committed");
      assert.equal((await rows(t)).length, 2);
    },
    "10,000 operations in one call": async (t) => {
      const ops = Array.from({ length: 10_000 }, (_, index) => add(index, 1));
      const mask = await port(t).diff(SEGMENT, ops);
      assert.deepEqual(new Set(bits(mask, ops.length)), new Set([1]));
      await commit(t, ops, { sent: mask });
      assert.equal(await port(t).count(SEGMENT, {}), 10_000);
      assert.deepEqual(new Set(bits(await port(t).diff(SEGMENT, ops), ops.length)), new Set([0]));
    },
    "scan with a limit of 10,000 answers every row once": async (t) => {
      await commit(
        t,
        Array.from({ length: 10_000 }, (_, index) => add(index, 1)),
      );
      const found: number[] = [];
      for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
        const answer = await port(t).scan(SEGMENT, { limit: 10_000, ...(after === undefined ? {} : { after }) });
        assert.ok(answer.items.length <= 10_000 && page < 100);
        found.push(...answer.items.map((row) => numberOf(row.hash)));
        after = answer.after;
      }
      assert.equal(found.length, 10_000);
      assert.equal(new Set(found).size, 10_000);
    },
    "scan pages through all present rows once": async (t) => {
      await commit(
        t,
        Array.from({ length: 250 }, (_, index) => add(index, 1, index % 3)),
      );
      await commit(t, [remove(7, 2, 1)]);
      const found = await hashes(t);
      assert.deepEqual(
        found,
        Array.from({ length: 250 }, (_, index) => index).filter((index) => index !== 7),
      );
    },
    "scan answers kind, hash, person and position": async (t) => {
      await commit(t, [{ ...add(1, 42, 5), kind: 2 }]);
      const [row] = await rows(t);
      assert.deepEqual([row?.kind, row?.position], [2, 42]);
      assert.equal(Buffer.compare(row?.hash ?? bytes(), hash(1)), 0);
      assert.equal(Buffer.compare(row?.person ?? bytes(), person(5)), 0);
    },
    "filters: run, notSeenIn, positionBefore, person, and joined by AND": async (t) => {
      await commit(t, [add(1, 1, 1), add(2, 2, 2)], { run: 7 });
      await commit(t, [add(3, 3, 1)], { run: 8 });
      await commit(t, [add(4, 4)]);
      assert.deepEqual(await hashes(t, { run: 7 }), [1, 2]);
      assert.deepEqual(await hashes(t, { notSeenIn: 7 }), [3, 4]);
      assert.deepEqual(await hashes(t, { positionBefore: 3 }), [1, 2]);
      assert.deepEqual(await hashes(t, { person: person(1) }), [1, 3]);
      assert.deepEqual(await hashes(t, { notSeenIn: 8, positionBefore: 4 }), [1, 2]);
      assert.deepEqual(await hashes(t, { person: person(1), notSeenIn: 7 }), [3]);
    },
    "a row seen in a later run belongs to that run": async (t) => {
      await commit(t, [add(1, 1), add(2, 1)], { run: 7 });
      await commit(t, [add(1, 2)], { run: 8 });
      assert.deepEqual(await hashes(t, { notSeenIn: 8 }), [2]);
    },
    "filter sentBeforeMs: sent longer ago than that": async (t) => {
      await commit(t, [add(1, 1), add(2, 1)]);
      await t.pass(2 * t.unit);
      await commit(t, [add(2, 2), add(3, 2)]);
      assert.deepEqual(await hashes(t, { sentBeforeMs: 2 * t.unit - 1 }), [1]);
      assert.deepEqual(await hashes(t, { sentBeforeMs: 100_000 }), []);
    },
    "find answers the segments of the tenant that hold a hash": async (t) => {
      const members = port(t);
      const other = { ...SEGMENT, link: "s2", destinationId: "d2" };
      await commit(t, [add(1, 1), add(2, 1), { ...add(9, 1), kind: 2 }]);
      await members.commit(other, [add(1, 1)], { fence: 1, sent: all(1) });
      await members.commit({ ...SEGMENT, tenantId: "t2" }, [add(1, 1)], { fence: 1, sent: all(1) });
      await commit(t, [remove(2, 2)]);
      const found = await members.find("t", [hash(1), hash(2), hash(3), hash(9)]);
      const seen = found.map(({ segment, hash }) => `${segment.destinationId}/${segment.link}/${numberOf(hash)}`);
      assert.deepEqual(seen.sort(), ["d/s/1", "d/s/9", "d2/s2/1"]);
      assert.ok(found.every(({ segment }) => segment.tenantId === "t"));
    },
    "drop forgets the segment's rows, not its fence": async (t) => {
      const members = port(t);
      await members.commit(SEGMENT, [add(1, 1)], { fence: 9, sent: all(1) });
      await members.commit({ ...SEGMENT, link: "s2" }, [add(1, 1)], { fence: 1, sent: all(1) });
      await members.drop(SEGMENT);
      assert.deepEqual(await rows(t), []);
      assert.equal(await members.count({ ...SEGMENT, link: "s2" }, {}), 1);
      assert.equal(await members.commit(SEGMENT, [add(1, 1)], { fence: 8, sent: all(1) }), "lost");
      assert.deepEqual(await diff(t, [add(1, 1)]), [1]);
    },
    "a remove leaves a row that is not present, until expire()": async (t) => {
      const members = port(t);
      await commit(t, [add(1, 1), add(2, 1), add(3, 1)]);
      await commit(t, [remove(1, 5), remove(2, 5)]);
      await t.pass(2 * t.unit);
      await commit(t, [remove(4, 5), remove(5, 5, 1)]);
      assert.equal(await members.expire(2 * t.unit - 1, { limit: 1 }), false);
      while (!(await members.expire(2 * t.unit - 1, { limit: 1 })));
      await commit(t, [add(1, 3), add(2, 3), add(4, 3), add(5, 3, 1)]);
      assert.deepEqual(await hashes(t), [1, 2, 3]);
    },
    "links of any name": async (t) => {
      const members = port(t);
      for (const id of HOSTILE) {
        const segment = { tenantId: id, destinationId: id, link: id };
        await members.commit(segment, [add(1, 1)], { fence: 1, sent: all(1) });
        assert.equal(await members.count(segment, {}), 1);
        assert.deepEqual((await members.find(id, [hash(1)]))[0]?.segment, segment);
      }
    },
    "rows survive a restart": async (t) => {
      await commit(t, [add(1, 1), add(2, 1)]);
      await commit(t, [remove(2, 2)]);
      await t.reopen();
      assert.deepEqual(await hashes(t), [1]);
      assert.deepEqual(await diff(t, [add(2, 1)]), [0]);
    },
  }),
  ...cases(
    "members",
    {
      "renewal after 30 days": async (t) => {
        await commit(t, [add(1, 1)]);
        await t.pass(30 * 24 * HOUR);
        assert.deepEqual(await diff(t, [add(1, 2)], { renewAfterMs: 30 * 24 * HOUR }), [0]);
        await t.pass(1);
        assert.deepEqual(await diff(t, [add(1, 2)], { renewAfterMs: 30 * 24 * HOUR }), [1]);
      },
    },
    { clock: "test" },
  ),
];
