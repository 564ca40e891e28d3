import type { MemberOp } from "./ports.ts";

/** One stored row of a hash: what one person (or nobody in particular) says about it. */
export interface Row {
  /** Hex; "" is the nobody row. */
  person: string;
  present: boolean;
  position: number;
  /** When Snapchat last accepted an add of the hash because of this row; 0: never. */
  sentAt: number;
  run: number | undefined;
  /** Nobody row only: the position of the last remove of every person; older adds of anybody are ignored. */
  removedAllAt: number;
  /** When it stopped being present; 0 while it is. */
  removedAt: number;
}

export const NOBODY = "";

export function personKey(op: Pick<MemberOp, "person">): string {
  return op.person ? Buffer.from(op.person).toString("hex") : NOBODY;
}

export function isHeld(rows: Map<string, Row>): boolean {
  for (const row of rows.values()) if (row.present) return true;
  return false;
}

export function lastSentAt(rows: Map<string, Row>): number {
  let last = 0;
  for (const row of rows.values()) last = Math.max(last, row.sentAt);
  return last;
}

/** Applies one operation to the rows of its hash. The last position wins; of equal ones the remove. */
export function applyOp(
  rows: Map<string, Row>,
  op: MemberOp,
  o: { at: number; sent: boolean; run: number | undefined },
): void {
  const person = personKey(op);
  if (op.op === "remove") {
    if (person === NOBODY) {
      for (const row of rows.values()) removeRow(row, op.position, o.at);
      const nobody = rows.get(NOBODY);
      if (nobody) nobody.removedAllAt = Math.max(nobody.removedAllAt, op.position);
      else rows.set(NOBODY, { ...absent(NOBODY, op.position, o.at), removedAllAt: op.position });
      return;
    }
    const row = rows.get(person);
    if (row) removeRow(row, op.position, o.at);
    else rows.set(person, absent(person, op.position, o.at));
    return;
  }
  if ((rows.get(NOBODY)?.removedAllAt ?? -1) >= op.position) return;
  const row = rows.get(person) ?? { ...absent(person, -1, 0) };
  if (op.position < row.position || (op.position === row.position && !row.present)) return;
  row.present = true;
  row.position = op.position;
  row.removedAt = 0;
  if (o.sent) row.sentAt = o.at;
  if (o.run !== undefined) row.run = o.run;
  rows.set(person, row);
}

/**
 * Which operations Snapchat has to hear: bit i is value `1 << (i & 7)` of byte `i >> 3`.
 * `load` answers a copy of the stored rows of one hash.
 */
export function diffOps(
  ops: readonly MemberOp[],
  load: (op: MemberOp) => Map<string, Row>,
  o: { at: number; renewAfterMs?: number },
): Uint8Array {
  const hashes = new Map<
    string,
    { rows: Map<string, Row>; before: boolean; adds: number; removes: number; sentAt: number }
  >();
  for (const [index, op] of ops.entries()) {
    const key = hashKey(op);
    let hash = hashes.get(key);
    if (!hash) {
      const rows = load(op);
      hash = { rows, before: isHeld(rows), adds: -1, removes: -1, sentAt: lastSentAt(rows) };
      hashes.set(key, hash);
    }
    applyOp(hash.rows, op, { at: o.at, sent: false, run: undefined });
    if (op.op === "add") hash.adds = index;
    else hash.removes = index;
  }
  const bits = new Uint8Array((ops.length + 7) >> 3);
  for (const hash of hashes.values()) {
    const after = isHeld(hash.rows);
    const renew = o.renewAfterMs !== undefined && after && hash.before && o.at - hash.sentAt > o.renewAfterMs;
    if (after !== hash.before) setBit(bits, after ? hash.adds : hash.removes);
    else if (renew && hash.adds >= 0) setBit(bits, hash.adds);
  }
  return bits;
}

export function hashKey(op: Pick<MemberOp, "kind" | "hash">): string {
  return op.kind + Buffer.from(op.hash.buffer, op.hash.byteOffset, op.hash.byteLength).toString("latin1");
}

export function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}

function removeRow(row: Row, position: number, at: number): void {
  if (position < row.position) return;
  if (row.present || row.removedAt === 0) row.removedAt = at;
  row.present = false;
  row.position = position;
}

function absent(person: string, position: number, at: number): Row {
  return { person, present: false, position, sentAt: 0, run: undefined, removedAllAt: -1, removedAt: at };
}
