import { checkMemberOps } from "../checks.ts";
import { applyOp, diffOps, hasBit, hashKey, isHeld, lastSentAt, NOBODY, type Row } from "../member-rules.ts";
import type { MemberFilter, MemberOp, MemberRow, Members, SegmentRef } from "../ports.ts";

interface Segment {
  ref: SegmentRef;
  fence: number;
  /** By kind and hash, then by person. */
  hashes: Map<string, { kind: MemberOp["kind"]; hash: Uint8Array; rows: Map<string, Row> }>;
}

export function memoryMembers(now: () => number): Members {
  const segments = new Map<string, Segment>();
  const keyOf = (ref: SegmentRef) => JSON.stringify([ref.tenantId, ref.destinationId, ref.link]);
  const copy = (rows: Map<string, Row> | undefined) =>
    new Map([...(rows ?? [])].map(([person, row]) => [person, { ...row }]));

  const present = (segment: Segment | undefined, filter: MemberFilter): { key: string; row: MemberRow }[] => {
    const at = now();
    const found: { key: string; row: MemberRow }[] = [];
    const person = filter.person && Buffer.from(filter.person).toString("hex");
    for (const [key, { kind, hash, rows }] of segment?.hashes ?? []) {
      for (const row of rows.values()) {
        if (!row.present || (person !== undefined && row.person !== person)) continue;
        if (filter.run !== undefined && row.run !== filter.run) continue;
        if (filter.notSeenIn !== undefined && row.run === filter.notSeenIn) continue;
        if (filter.positionBefore !== undefined && row.position >= filter.positionBefore) continue;
        if (filter.sentBeforeMs !== undefined && at - lastSentAt(rows) <= filter.sentBeforeMs) continue;
        found.push({
          key: Buffer.from(key + row.person, "latin1").toString("base64"),
          row: {
            kind,
            hash: hash.slice(),
            position: row.position,
            ...(row.person === NOBODY ? {} : { person: new Uint8Array(Buffer.from(row.person, "hex")) }),
          },
        });
      }
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  return {
    async diff(ref, ops, o = {}) {
      checkMemberOps(ops);
      const segment = segments.get(keyOf(ref));
      return diffOps(ops, (op) => copy(segment?.hashes.get(hashKey(op))?.rows), { ...o, at: now() });
    },

    async commit(ref, ops, o) {
      checkMemberOps(ops);
      const segment = segments.get(keyOf(ref)) ?? { ref: { ...ref }, fence: 0, hashes: new Map() };
      if (o.fence < segment.fence) return "lost";
      segments.set(keyOf(ref), segment);
      segment.fence = o.fence;
      const at = now();
      for (const [index, op] of ops.entries()) {
        const key = hashKey(op);
        const found = segment.hashes.get(key) ?? { kind: op.kind, hash: op.hash.slice(), rows: new Map<string, Row>() };
        segment.hashes.set(key, found);
        applyOp(found.rows, op, { at, sent: hasBit(o.sent, index), run: o.run });
      }
      return "committed";
    },

    async scan(ref, o) {
      const { after } = o;
      const found = present(segments.get(keyOf(ref)), o).filter(({ key }) => after === undefined || key > after);
      const page = found.slice(0, o.limit);
      const last = page.at(-1);
      return { items: page.map(({ row }) => row), ...(found.length > page.length && last ? { after: last.key } : {}) };
    },

    count: async (ref, filter) => present(segments.get(keyOf(ref)), filter).length,

    async find(tenantId, hashes) {
      const found: { segment: SegmentRef; hash: Uint8Array }[] = [];
      for (const segment of segments.values()) {
        if (segment.ref.tenantId !== tenantId) continue;
        for (const hash of hashes) {
          const held = ([0, 1, 2] as const).some((kind) => {
            const rows = segment.hashes.get(hashKey({ kind, hash }))?.rows;
            return rows !== undefined && isHeld(rows);
          });
          if (held) found.push({ segment: { ...segment.ref }, hash: hash.slice() });
        }
      }
      return found;
    },

    async drop(ref) {
      segments.get(keyOf(ref))?.hashes.clear();
    },

    async expire(removedOlderThanMs, o) {
      const at = now();
      let expired = 0;
      for (const segment of segments.values()) {
        for (const [key, { rows }] of segment.hashes) {
          for (const row of rows.values()) {
            if (row.present || at - row.removedAt <= removedOlderThanMs) continue;
            if (expired === o.limit) return false;
            rows.delete(row.person);
            expired++;
          }
          if (rows.size === 0) segment.hashes.delete(key);
        }
      }
      return true;
    },
  };
}
