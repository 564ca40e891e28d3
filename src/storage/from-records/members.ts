import { checkMemberOps } from "../checks.ts";
import { applyOp, diffOps, hasBit, hashKey, isHeld, lastSentAt, NOBODY, type Row } from "../member-rules.ts";
import type { MemberFilter, MemberOp, MemberRow, Members, Record_, Records, SegmentRef } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { each } from "./group-store.ts";
import { keys, segmentId } from "./keys.ts";
import type { HashRows } from "./member-block.ts";
import { createMemberTree, type Leaf, removeBrokenSplits } from "./member-tree.ts";
import { createQueue, retryConflicts } from "./retry.ts";

interface Segment {
  ref: SegmentRef;
  fence: number;
  /** Nothing in it was removed before this; absent: nothing is removed. */
  removedSince?: number;
}

const PAGE = 100;

export function recordsMembers(records: Records, maxValueBytes: number): Members {
  const queue = createQueue();
  const keyOf = ({ tenantId, destinationId, link }: SegmentRef) =>
    keys.segmentsOf(tenantId) + segmentId(tenantId, destinationId, link);
  const treeOf = ({ tenantId, destinationId, link }: SegmentRef) =>
    createMemberTree(records, segmentId(tenantId, destinationId, link), maxValueBytes);

  /** Changes a segment's record; `undefined` leaves it. */
  async function changeSegment(
    ref: SegmentRef,
    apply: (segment: Segment) => Segment | undefined,
  ): Promise<Segment | undefined> {
    const key = keyOf(ref);
    return retryConflicts(async () => {
      const record = await records.get(key);
      const next = apply(record ? decode<Segment>(record.value) : { ref: { ...ref }, fence: 0 });
      if (next) await records.put(key, encode(next), { ifVersion: record?.version ?? 0 });
      return next;
    });
  }

  async function* present(ref: SegmentRef, filter: MemberFilter, after?: string): AsyncGenerator<[string, MemberRow]> {
    const at = await records.now();
    const person = filter.person && Buffer.from(filter.person).toString("hex");
    const from = after === undefined ? undefined : Buffer.from(after.slice(0, 64), "hex");
    for await (const { hashes } of treeOf(ref).leaves(from)) {
      const found: [string, MemberRow][] = [];
      for (const { kind, hash, rows } of hashes.values()) {
        const sentAt = filter.sentBeforeMs === undefined ? 0 : lastSentAt(rows);
        for (const row of rows.values()) {
          if (!row.present || (person !== undefined && row.person !== person)) continue;
          if (filter.run !== undefined && row.run !== filter.run) continue;
          if (filter.notSeenIn !== undefined && row.run === filter.notSeenIn) continue;
          if (filter.positionBefore !== undefined && row.position >= filter.positionBefore) continue;
          if (filter.sentBeforeMs !== undefined && at - sentAt <= filter.sentBeforeMs) continue;
          const place = Buffer.from(hash).toString("hex") + kind + row.person;
          if (after === undefined || place > after) found.push([place, toRow(kind, hash, row)]);
        }
      }
      yield* found.sort(([a], [b]) => (a < b ? -1 : 1));
    }
  }

  async function* segments(prefix: string): AsyncGenerator<Segment> {
    let page: Record_[] = [];
    do {
      const after: string | undefined = page.at(-1)?.key;
      page = await records.list(prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { value } of page) yield decode<Segment>(value);
    } while (page.length === PAGE);
  }

  return {
    async diff(ref, ops, o = {}) {
      checkMemberOps(ops);
      const at = await records.now();
      const known = new Map<string, HashRows>();
      for (const { leaf } of await treeOf(ref).leavesOf(ops))
        for (const [key, rows] of leaf.hashes) known.set(key, rows);
      return diffOps(ops, (op) => copy(known.get(hashKey(op))?.rows), { ...o, at });
    },

    async commit(ref, ops, o) {
      checkMemberOps(ops);
      return queue(keyOf(ref), async () => {
        const at = await records.now();
        const removes = ops.some(({ op }) => op === "remove");
        const allowed = await changeSegment(ref, (segment) => {
          if (segment.fence > o.fence) return undefined;
          const since = removes ? Math.min(segment.removedSince ?? at, at) : segment.removedSince;
          return { ...segment, fence: o.fence, ...(since === undefined ? {} : { removedSince: since }) };
        });
        if (!allowed) return "lost";
        const done = await treeOf(ref).change(ops, o.fence, (hashes, indexes) => {
          for (const index of indexes) {
            const op = ops[index] as MemberOp;
            const key = hashKey(op);
            const found = hashes.get(key) ?? { kind: op.kind, hash: op.hash.slice(), rows: new Map<string, Row>() };
            hashes.set(key, found);
            applyOp(found.rows, op, { at, sent: hasBit(o.sent, index), run: o.run });
          }
        });
        return done ? "committed" : "lost";
      });
    },

    async scan(ref, o) {
      const items: MemberRow[] = [];
      let last = "";
      for await (const [place, row] of present(ref, o, o.after)) {
        if (items.length === o.limit) return { items, after: last };
        items.push(row);
        last = place;
      }
      return { items };
    },

    async count(ref, filter) {
      let count = 0;
      for await (const _ of present(ref, filter)) count++;
      return count;
    },

    async find(tenantId, hashes) {
      const found: { segment: SegmentRef; hash: Uint8Array }[] = [];
      for await (const { ref } of segments(keys.segmentsOf(tenantId))) {
        const tree = treeOf(ref);
        await each(hashes.length, async (index) => {
          const hash = hashes[index] as Uint8Array;
          const { hashes: rows } = await tree.leafOf(hash);
          const held = ([0, 1, 2] as const).some((kind) => {
            const own = rows.get(hashKey({ kind, hash }))?.rows;
            return own !== undefined && isHeld(own);
          });
          if (held) found.push({ segment: { ...ref }, hash: hash.slice() });
        });
      }
      return found;
    },

    drop: (ref) => queue(keyOf(ref), () => treeOf(ref).drop()),

    async expire(removedOlderThanMs, o) {
      const at = await records.now();
      let left = o.limit;
      await removeBrokenSplits(records);
      for await (const segment of segments(keys.segments)) {
        if (segment.removedSince === undefined || at - segment.removedSince <= removedOlderThanMs) continue;
        const tree = treeOf(segment.ref);
        let oldest = Infinity;
        for await (const leaf of tree.leaves()) {
          const { removed, rest } = expireRows(leaf, at - removedOlderThanMs, left);
          if (removed > 0 && !(await tree.rewrite(leaf))) return false;
          left -= removed;
          if (rest < at - removedOlderThanMs) return false;
          oldest = Math.min(oldest, rest);
        }
        await changeSegment(segment.ref, (now) => {
          // Something was removed meanwhile: what was found here may not be all.
          if (now.fence !== segment.fence) return undefined;
          const { removedSince: _, ...kept } = now;
          return oldest === Infinity ? kept : { ...kept, removedSince: oldest };
        });
      }
      return true;
    },
  };
}

/** Takes rows out that were removed before then, at most `limit`; answers when the oldest that stays was. */
function expireRows({ hashes }: Leaf, before: number, limit: number): { removed: number; rest: number } {
  let removed = 0;
  let rest = Infinity;
  for (const [key, { rows }] of hashes) {
    for (const row of rows.values()) {
      if (row.present) continue;
      if (row.removedAt < before && removed < limit) {
        rows.delete(row.person);
        removed++;
      } else {
        rest = Math.min(rest, row.removedAt);
      }
    }
    if (rows.size === 0) hashes.delete(key);
  }
  return { removed, rest };
}

function toRow(kind: MemberOp["kind"], hash: Uint8Array, row: Row): MemberRow {
  const person = row.person === NOBODY ? {} : { person: new Uint8Array(Buffer.from(row.person, "hex")) };
  return { kind, hash: hash.slice(), position: row.position, ...person };
}

function copy(rows: Map<string, Row> | undefined): Map<string, Row> {
  return new Map([...(rows ?? [])].map(([person, row]) => [person, { ...row }]));
}
