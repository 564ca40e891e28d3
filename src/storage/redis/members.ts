import { checkMemberOps } from "../checks.ts";
import { readCursor, writeCursor } from "../member-cursor.ts";
import { applyOp, diffOps, hasBit, hashKey, isHeld, lastSentAt, NOBODY, type Row } from "../member-rules.ts";
import type { MemberFilter, MemberOp, MemberRow, Members, SegmentRef } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { Frame, framed, unframed } from "./frame.ts";
import { packRows, unpackRows } from "./member-rows.ts";

/** Operations of one script. Repeating a commit changes nothing, so it may come in parts. */
const OPS_A_SCRIPT = 500;
const HASHES_A_LOOK = 2_000;

interface Looked {
  hash: Buffer;
  rows: Map<string, Row>;
}

export function redisMembers(engine: Engine): Members {
  const of = (tenantId: string) => engine.partition("members", engine.numberOf(tenantId));
  const keyOf = (ref: SegmentRef) => framed(ref.tenantId, ref.destinationId, ref.link);

  async function read(ref: SegmentRef, fields: readonly Buffer[]) {
    const answer = await engine.run("readMembers", of(ref.tenantId), [keyOf(ref), Buffer.concat(fields)]);
    const [at, version, ...rows] = answer as [number, Buffer, ...(Buffer | null)[]];
    return { at, version: version.toString(), rows: rows.map((bytes) => (bytes ? unpackRows(bytes) : new Map())) };
  }

  /** Written only where nobody wrote the segment since `version` was read. `fence` absent: a sweep. */
  async function write(ref: SegmentRef, version: string, changes: Iterable<Looked>, fence?: number): Promise<string> {
    const frame = new Frame();
    for (const { hash, rows } of changes) {
      const gone = [...rows.values()].filter((row) => !row.present).map((row) => row.removedAt);
      const bytes = packRows(rows.values());
      frame.add(`${gone.length > 0 ? Math.min(...gone) : 0} ${bytes.length}\n`, hash, bytes);
    }
    const args = [keyOf(ref), ref.tenantId, fence === undefined ? "" : String(fence), version, frame.bytes()];
    return String(await engine.run("writeMembers", of(ref.tenantId), args));
  }

  async function commitPart(
    ref: SegmentRef,
    ops: readonly MemberOp[],
    offset: number,
    o: { fence: number; sent: Uint8Array; run?: number },
  ): Promise<"committed" | "lost"> {
    const fields = distinct(ops);
    for (;;) {
      const { at, version, rows } = await read(ref, [...fields.values()]);
      const changed = new Map<string, Looked>();
      for (const [index, [key, hash]] of [...fields].entries())
        changed.set(key, { hash, rows: rows[index] ?? new Map() });
      for (const [index, op] of ops.entries()) {
        const found = changed.get(hashKey(op));
        if (found) applyOp(found.rows, op, { at, sent: hasBit(o.sent, offset + index), run: o.run });
      }
      const answer = await write(ref, version, changed.values(), o.fence);
      if (answer === "lost") return "lost";
      if (answer === "written") return "committed";
    }
  }

  /** Hashes from a bucket on, in whole buckets; `next` is the bucket to go on with. */
  async function look(ref: SegmentRef, bucket: number) {
    const args = [keyOf(ref), bucket, HASHES_A_LOOK];
    const answer = await engine.run("scanMembers", of(ref.tenantId), args);
    const [at, next, ...pairs] = answer as [number, Buffer, ...Buffer[]];
    const found: Looked[] = [];
    for (let index = 0; index < pairs.length; index += 2) {
      found.push({ hash: pairs[index] as Buffer, rows: unpackRows(pairs[index + 1] as Buffer) });
    }
    found.sort((a, b) => orderOf(a.hash, b.hash));
    return { at, found, next: next.length > 0 ? Number(next) : undefined };
  }

  async function* present(ref: SegmentRef, filter: MemberFilter, after?: string) {
    const cursor = after === undefined ? undefined : readCursor(after);
    const from = cursor && { hash: fieldOf(cursor), person: Buffer.from(cursor.person).toString("hex") };
    let bucket: number | undefined = from?.hash.readUInt16BE(1) ?? 0;
    while (bucket !== undefined) {
      const { at, found, next }: Awaited<ReturnType<typeof look>> = await look(ref, bucket);
      for (const { hash, rows } of found) {
        const order = from ? orderOf(hash, from.hash) : 1;
        if (order < 0) continue;
        for (const row of [...rows.values()].sort((a, b) => (a.person < b.person ? -1 : 1))) {
          if (order === 0 && from && row.person <= from.person) continue;
          if (matches(row, rows, filter, at)) yield { hash, row };
        }
      }
      bucket = next;
    }
  }

  return {
    async diff(ref, ops, o = {}) {
      checkMemberOps(ops);
      // Read in parts, judged together: the group is exclusive, so nothing changes in between.
      const fields = [...distinct(ops)];
      const known = new Map<string, Map<string, Row>>();
      let now = 0;
      for (let from = 0; from < fields.length || from === 0; from += OPS_A_SCRIPT) {
        const part = fields.slice(from, from + OPS_A_SCRIPT);
        const { at, rows } = await read(
          ref,
          part.map(([, hash]) => hash),
        );
        now = at;
        for (const [index, [key]] of part.entries()) known.set(key, rows[index] ?? new Map());
      }
      return diffOps(ops, (op) => known.get(hashKey(op)) ?? new Map(), { ...o, at: now });
    },

    async commit(ref, ops, o) {
      checkMemberOps(ops);
      for (let from = 0; from < ops.length || from === 0; from += OPS_A_SCRIPT) {
        const answer = await commitPart(ref, ops.slice(from, from + OPS_A_SCRIPT), from, o);
        if (answer === "lost") return "lost";
      }
      return "committed";
    },

    async scan(ref, o) {
      const items: MemberRow[] = [];
      let last: string | undefined;
      for await (const { hash, row } of present(ref, o, o.after)) {
        if (items.length === o.limit) return { items, ...(last === undefined ? {} : { after: last }) };
        items.push(memberRow(hash, row));
        last = writeCursor({ kind: hash[0] ?? 0, hash: hash.subarray(1), person: Buffer.from(row.person, "hex") });
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
      const names = (await engine.run("segments", of(tenantId), [tenantId])) as Buffer[];
      for (const name of names) {
        const segment = segmentOf(name);
        for (let from = 0; from < hashes.length; from += OPS_A_SCRIPT) {
          const part = hashes.slice(from, from + OPS_A_SCRIPT);
          const fields = part.flatMap((hash) => ([0, 1, 2] as const).map((kind) => fieldOf({ kind, hash })));
          const { rows } = await read(segment, fields);
          for (const [index, hash] of part.entries()) {
            const held = rows.slice(3 * index, 3 * index + 3).some(isHeld);
            if (held) found.push({ segment: { ...segment }, hash: hash.slice() });
          }
        }
      }
      return found;
    },

    async drop(ref) {
      while ((await engine.run("dropMembers", of(ref.tenantId), [keyOf(ref)])) !== 1);
    },

    async expire(removedOlderThanMs, o) {
      let left = o.limit;
      for (const number of engine.numbers) {
        const args = [removedOlderThanMs, left];
        const answer = await engine.run("goneMembers", engine.partition("members", number), args);
        const [at, ...fields] = answer as [number, ...Buffer[]];
        for (let from = 0; from < fields.length; from += 4) {
          const [name, version, hash, bytes] = fields.slice(from, from + 4) as [Buffer, Buffer, Buffer, Buffer];
          left -= await sweep(segmentOf(name), version.toString(), hash, bytes, at - removedOlderThanMs);
        }
        if (left <= 0) return false;
      }
      return true;
    },
  };

  /** Takes a hash's old rows that are not present. One whose segment was written meanwhile is left for the next sweep. */
  async function sweep(ref: SegmentRef, version: string, hash: Buffer, bytes: Buffer, before: number): Promise<number> {
    const rows = unpackRows(bytes);
    let removed = 0;
    for (const row of [...rows.values()]) {
      if (!row.present && row.removedAt < before && rows.delete(row.person)) removed++;
    }
    await write(ref, version, [{ hash, rows }]);
    return removed;
  }
}

/** Kind and hash, as the scripts name them. */
function fieldOf(op: { kind: number; hash: Uint8Array }): Buffer {
  return Buffer.concat([Buffer.of(op.kind), op.hash]);
}

function distinct(ops: readonly MemberOp[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const op of ops) {
    const key = hashKey(op);
    if (!fields.has(key)) fields.set(key, fieldOf(op));
  }
  return fields;
}

function segmentOf(name: Buffer): SegmentRef {
  const [tenantId = "", destinationId = "", link = ""] = unframed(name);
  return { tenantId, destinationId, link };
}

/** By bucket, which is the hash's first two bytes, then by kind and hash. */
function orderOf(a: Buffer, b: Buffer): number {
  return a.compare(b, 1, 3, 1, 3) || a.compare(b);
}

function matches(row: Row, rows: Map<string, Row>, filter: MemberFilter, at: number): boolean {
  return (
    row.present &&
    (filter.person === undefined || row.person === Buffer.from(filter.person).toString("hex")) &&
    (filter.run === undefined || row.run === filter.run) &&
    (filter.notSeenIn === undefined || row.run !== filter.notSeenIn) &&
    (filter.positionBefore === undefined || row.position < filter.positionBefore) &&
    (filter.sentBeforeMs === undefined || at - lastSentAt(rows) > filter.sentBeforeMs)
  );
}

function memberRow(field: Buffer, row: Row): MemberRow {
  return {
    kind: field[0] as MemberOp["kind"],
    hash: new Uint8Array(field.subarray(1)),
    position: row.position,
    ...(row.person === NOBODY ? {} : { person: new Uint8Array(Buffer.from(row.person, "hex")) }),
  };
}
