import { checkMemberOps } from "../checks.ts";
import { storageError } from "../errors.ts";
import { escapeText, unescapeText } from "../escape.ts";
import { readCursor, writeCursor } from "../member-cursor.ts";
import { applyOp, diffOps, hasBit, hashKey, personKey, type Row } from "../member-rules.ts";
import type { MemberFilter, MemberOp, MemberRow, Members, SegmentRef } from "../ports.ts";
import type { Database } from "./database.ts";
import { plainList, textList } from "./lists.ts";

interface Stored {
  at: unknown;
  changes: unknown;
  kind: MemberOp["kind"];
  hash: Uint8Array | null;
  person: Uint8Array;
  present: boolean;
  position: unknown;
  sent_at: unknown;
  run: unknown;
  removed_all_at: unknown;
  removed_at: unknown;
}

interface Looked {
  matches: boolean;
  looked: unknown;
  kind: MemberOp["kind"];
  hash: Uint8Array;
  person: Uint8Array;
  position: unknown;
}

type Hashes = Map<string, { op: MemberOp; rows: Map<string, Row> }>;

const ROWS_A_LOOK = 5_000;
const HASH_BYTES = 32;
/** Commits of one segment come one after the other; another one in between is a stale worker's. */
const TRIES = 20;

export function postgresMembers(db: Database): Members {
  /** The stored rows of every hash of the call, read at one moment and judged together. */
  const read = async (ref: SegmentRef, ops: readonly MemberOp[]) => {
    const hashes: Hashes = new Map(ops.map((op) => [hashKey(op), { op, rows: new Map() }]));
    const distinct = [...hashes.values()].map(({ op }) => op);
    const rows = await db.call<Stored>("members_rows", [
      db.clock(),
      ...names(ref),
      plainList(distinct.map(({ kind }) => kind)),
      Buffer.concat(distinct.map(({ hash }) => hash)),
    ]);
    for (const row of rows) {
      if (row.hash === null) continue;
      const stored = rowOf(row);
      hashes.get(hashKey({ kind: row.kind, hash: row.hash }))?.rows.set(stored.person, stored);
    }
    return { at: Number(rows[0]?.at), changes: Number(rows[0]?.changes), hashes };
  };

  const scanOnce = async (ref: SegmentRef, filter: MemberFilter, after: string | undefined, look: number) => {
    const from = readCursor(after);
    const segment = [db.clock(), ...names(ref)];
    const others = [
      filter.run ?? null,
      filter.notSeenIn ?? null,
      filter.positionBefore ?? null,
      filter.sentBeforeMs === undefined ? null : Math.floor(filter.sentBeforeMs),
      look,
    ];
    const rows = filter.person
      ? await db.call<Looked>("members_of_person", [
          ...segment,
          Buffer.from(filter.person),
          from.kind,
          from.hash,
          ...others,
        ])
      : await db.call<Looked>("members_scan", [...segment, from.kind, from.hash, from.person, null, ...others]);
    const last = rows.at(-1);
    const more = last !== undefined && Number(last.looked) === look;
    return { found: rows.filter(({ matches }) => matches), after: more ? writeCursor(last) : undefined };
  };

  return {
    async diff(ref, ops, o = {}) {
      checkMemberOps(ops);
      const { at, hashes } = await read(ref, ops);
      return diffOps(ops, (op) => hashes.get(hashKey(op))?.rows ?? new Map(), { ...o, at });
    },

    async commit(ref, ops, o) {
      checkMemberOps(ops);
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const { at, changes, hashes } = await read(ref, ops);
        for (const [index, op] of ops.entries()) {
          const rows = hashes.get(hashKey(op))?.rows ?? new Map<string, Row>();
          applyOp(rows, op, { at, sent: hasBit(o.sent, index), run: o.run });
        }
        const values = [...names(ref), o.fence, changes, ...rowValues(hashes)];
        const end = await db.ask("members_commit", ...values);
        if (end !== "again") return end === "committed" ? "committed" : "lost";
      }
      throw storageError("unavailable", "Other commits to the same segment came in between.", "Repeat the call.");
    },

    async scan(ref, o) {
      // A page is what one look brings: it may hold fewer rows than asked for, or none, and still not be the end.
      const page = await scanOnce(ref, o, o.after, Math.max(o.limit, ROWS_A_LOOK));
      const rows = page.found.slice(0, o.limit);
      const last = rows.at(-1);
      const after = page.found.length > rows.length && last ? writeCursor(last) : page.after;
      const items = rows.map(({ kind, hash, person, position }): MemberRow => {
        return { kind, hash, position: Number(position), ...(person.byteLength > 0 ? { person } : {}) };
      });
      return { items, ...(after === undefined ? {} : { after }) };
    },

    async count(ref, filter) {
      let count = 0;
      let after: string | undefined;
      do {
        const page = await scanOnce(ref, filter, after, ROWS_A_LOOK);
        count += page.found.length;
        after = page.after;
      } while (after !== undefined);
      return count;
    },

    async find(tenantId, hashes) {
      const all = hashes.filter((hash) => hash.byteLength === HASH_BYTES);
      const rows = await db.call<{ destination: string; link: string; hash: Uint8Array }>("members_find", [
        escapeText(tenantId),
        Buffer.concat(all),
      ]);
      return rows.map(({ destination, link, hash }) => ({
        segment: { tenantId, destinationId: unescapeText(destination), link: unescapeText(link) },
        hash,
      }));
    },

    async drop(ref) {
      while ((await db.ask("members_drop", ...names(ref), ROWS_A_LOOK)) !== true);
    },

    expire: async (removedOlderThanMs, o) =>
      (await db.ask("members_expire", db.clock(), Math.floor(removedOlderThanMs), o.limit)) === true,
  };
}

function names(ref: SegmentRef): [string, string, string] {
  return [escapeText(ref.tenantId), escapeText(ref.destinationId), escapeText(ref.link)];
}

function rowOf(row: Stored): Row {
  return {
    person: personKey(row),
    present: row.present,
    position: Number(row.position),
    sentAt: Number(row.sent_at),
    run: row.run === null ? undefined : Number(row.run),
    removedAllAt: Number(row.removed_all_at),
    removedAt: Number(row.removed_at),
  };
}

function rowValues(hashes: Hashes) {
  const all = [...hashes.values()].flatMap(({ op, rows }) => [...rows.values()].map((row) => ({ op, row })));
  return [
    plainList(all.map(({ op }) => op.kind)),
    Buffer.concat(all.map(({ op }) => op.hash)),
    textList(all.map(({ row }) => row.person)),
    plainList(all.map(({ row }) => row.present)),
    plainList(all.map(({ row }) => row.position)),
    plainList(all.map(({ row }) => row.sentAt)),
    plainList(all.map(({ row }) => row.run)),
    plainList(all.map(({ row }) => row.removedAllAt)),
    plainList(all.map(({ row }) => row.removedAt)),
  ];
}
