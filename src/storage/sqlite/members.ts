import { checkMemberOps } from "../checks.ts";
import { escapeText, unescapeText } from "../escape.ts";
import { readCursor, writeCursor } from "../member-cursor.ts";
import { applyOp, diffOps, hasBit, hashKey, type Row } from "../member-rules.ts";
import type { MemberFilter, MemberOp, MemberRow, Members, SegmentRef } from "../ports.ts";
import type { Connection } from "./connection.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

interface Stored {
  kind: MemberOp["kind"];
  hash: Uint8Array;
  person: Uint8Array;
  present: number;
  position: number;
  sent_at: number;
  run: number | null;
  removed_all_at: number;
  removed_at: number;
}

type RowOfHash = Pick<Stored, "present" | "position" | "sent_at" | "run" | "removed_all_at" | "removed_at"> & {
  /** Hexadecimal; empty for nobody. */
  person: string;
};

/** Operations of one transaction: what fits into a few milliseconds. Repeating a commit changes nothing, so it may come in parts. */
const OPS_A_TURN = 500;
const ROWS_A_LOOK = 5_000;

export function sqliteMembers(connection: Connection): Members {
  const segment = (sql: Statements, ref: SegmentRef) =>
    sql.get<{ sid: number; fence: number }>(
      "segment",
      escapeText(ref.tenantId),
      escapeText(ref.destinationId),
      escapeText(ref.link),
    );

  /** Looks at a bounded number of rows; `after` is where it stopped, absent at the end. */
  const look = (ref: SegmentRef, filter: MemberFilter, after: string | undefined, limit: number) =>
    connection.read((sql, at) => {
      const found = segment(sql, ref);
      const from = readCursor(after);
      const items: Stored[] = [];
      let last: Stored | undefined;
      let looked = 0;
      if (!found) return { items };
      const { person } = filter;
      const rows = person
        ? sql.iterate<Stored>("scanPerson", found.sid, person, from.kind, from.hash, ROWS_A_LOOK)
        : sql.iterate<Stored>("scanMembers", found.sid, from.kind, from.hash, from.person, ROWS_A_LOOK);
      for (const row of rows) {
        looked++;
        last = row;
        if (matches(row, filter, at)) items.push(row);
        if (items.length === limit) break;
      }
      const more = looked === ROWS_A_LOOK || items.length === limit;
      return { items, ...(more && last ? { after: writeCursor(last) } : {}) };
    });

  return {
    async diff(ref, ops, o = {}) {
      checkMemberOps(ops);
      // Read in parts, judged together: the group is exclusive, so nothing changes in between.
      const rows = new Map<string, Map<string, Row>>();
      let at = 0;
      for (let from = 0; from < ops.length || from === 0; from += OPS_A_TURN) {
        await connection.read((sql, now) => {
          at = now;
          const found = segment(sql, ref);
          for (const op of ops.slice(from, from + OPS_A_TURN)) {
            const key = hashKey(op);
            if (!rows.has(key)) rows.set(key, found ? rowsOf(sql, found.sid, op) : new Map());
          }
        });
        if (ops.length > OPS_A_TURN) await new Promise((resolve) => setImmediate(resolve));
      }
      return diffOps(ops, (op) => rows.get(hashKey(op)) ?? new Map(), { ...o, at });
    },

    async commit(ref, ops, o) {
      checkMemberOps(ops);
      for (let from = 0; from < ops.length || from === 0; from += OPS_A_TURN) {
        const part = ops.slice(from, from + OPS_A_TURN);
        // The last part's way to the disk takes the earlier ones along: they stand before it in the log.
        const durable = from + OPS_A_TURN >= ops.length;
        const answer = await connection.write((tx) => commitOps(tx, ref, part, from, o), { durable });
        if (answer === "lost") return "lost";
      }
      return "committed";
    },

    async scan(ref, o) {
      const page = await look(ref, o, o.after, o.limit);
      return { items: page.items.map(memberRow), ...(page.after === undefined ? {} : { after: page.after }) };
    },

    async count(ref, filter) {
      let count = 0;
      let after: string | undefined;
      do {
        const page: { items: Stored[]; after?: string } = await look(ref, filter, after, ROWS_A_LOOK);
        count += page.items.length;
        after = page.after;
      } while (after !== undefined);
      return count;
    },

    find: (tenantId, hashes) =>
      connection.read((sql) => {
        const found: { segment: SegmentRef; hash: Uint8Array }[] = [];
        const segments = sql.all<{ sid: number; destination: string; link: string }>(
          "segmentsOfTenant",
          escapeText(tenantId),
        );
        for (const { sid, destination, link } of segments) {
          const ref = { tenantId, destinationId: unescapeText(destination), link: unescapeText(link) };
          for (const hash of hashes) {
            const held = [0, 1, 2].some((kind) => sql.get("isHeld", sid, kind, hash) !== undefined);
            if (held) found.push({ segment: { ...ref }, hash: hash.slice() });
          }
        }
        return found;
      }),

    async drop(ref) {
      const remove = (tx: Transaction) => {
        const found = segment(tx.sql, ref);
        return found ? tx.run("dropMembers", found.sid, ROWS_A_LOOK) : 0;
      };
      while ((await connection.write(remove)) === ROWS_A_LOOK);
    },

    expire: (removedOlderThanMs, o) =>
      connection.write((tx) => tx.run("expireMembers", tx.at - removedOlderThanMs, o.limit) < o.limit),
  };
}

function commitOps(
  tx: Transaction,
  ref: SegmentRef,
  ops: readonly MemberOp[],
  offset: number,
  o: { fence: number; sent: Uint8Array; run?: number },
): "committed" | "lost" {
  const name = [escapeText(ref.tenantId), escapeText(ref.destinationId), escapeText(ref.link)] as const;
  const known = tx.sql.get<{ sid: number; fence: number }>("segment", ...name);
  if (known && o.fence < known.fence) return "lost";
  tx.writes++;
  const segment = known ?? tx.sql.get<{ sid: number; fence: number }>("addSegment", ...name);
  if (!segment) return "lost";
  if (o.fence > segment.fence) tx.run("saveFence", o.fence, segment.sid);
  const changed = new Map<string, { op: MemberOp; rows: Map<string, Row> }>();
  for (const [index, op] of ops.entries()) {
    const key = hashKey(op);
    const hash = changed.get(key) ?? { op, rows: rowsOf(tx.sql, segment.sid, op) };
    changed.set(key, hash);
    applyOp(hash.rows, op, { at: tx.at, sent: hasBit(o.sent, offset + index), run: o.run });
  }
  for (const { op, rows } of changed.values()) for (const row of rows.values()) saveRow(tx, segment.sid, op, row);
  return "committed";
}

function rowsOf(sql: Statements, sid: number, op: MemberOp): Map<string, Row> {
  const rows = new Map<string, Row>();
  // The person as text: a list's rows are read by the million, and a typed array for each costs more than the row.
  for (const stored of sql.all<RowOfHash>("rowsOfHash", sid, op.kind, op.hash)) {
    const { person } = stored;
    rows.set(person, {
      person,
      present: stored.present === 1,
      position: stored.position,
      sentAt: stored.sent_at,
      run: stored.run ?? undefined,
      removedAllAt: stored.removed_all_at,
      removedAt: stored.removed_at,
    });
  }
  return rows;
}

function saveRow(tx: Transaction, sid: number, op: MemberOp, row: Row): void {
  tx.run(
    "saveMember",
    sid,
    op.kind,
    op.hash,
    Buffer.from(row.person, "hex"),
    row.present ? 1 : 0,
    row.position,
    row.sentAt,
    row.run ?? null,
    row.removedAllAt,
    row.removedAt,
  );
}

/** Rows of a person are found by the index. */
function matches(row: Stored, filter: MemberFilter, at: number): boolean {
  return (
    row.present === 1 &&
    (filter.run === undefined || row.run === filter.run) &&
    (filter.notSeenIn === undefined || row.run !== filter.notSeenIn) &&
    (filter.positionBefore === undefined || row.position < filter.positionBefore) &&
    (filter.sentBeforeMs === undefined || at - row.sent_at > filter.sentBeforeMs)
  );
}

function memberRow(row: Stored): MemberRow {
  const { kind, hash, position } = row;
  return { kind, hash, position, ...(row.person.byteLength > 0 ? { person: row.person } : {}) };
}
