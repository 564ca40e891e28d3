import { NOBODY, type Row } from "../member-rules.ts";
import type { MemberOp } from "../ports.ts";
import { checkFormat } from "./codec.ts";

/** The rows of one hash. */
export interface HashRows {
  kind: MemberOp["kind"];
  hash: Uint8Array;
  rows: Map<string, Row>;
}

/** Members whose hashes begin alike, by `hashKey`; or, once that was too many for a value, where its two halves are. */
export type Block = { fence: number; hashes: Map<string, HashRows> } | { halves: string };

const FORMAT = 1;
const ROWS = 0;
const HALVES = 1;
const HEAD_BYTES = 10;
/** kind and flags, hash, person, position, sentAt, run, removedAllAt, removedAt. */
export const ROW_BYTES = 1 + 32 + 16 + 5 * 8;

const PRESENT = 4;
const PERSON = 8;
const RUN = 16;

/** `[format][0][fence][rows]` or `[format][1][token]`. */
export function encodeBlock(block: Block): Uint8Array {
  if ("halves" in block) return Buffer.concat([Buffer.of(FORMAT, HALVES), Buffer.from(block.halves)]);
  let count = 0;
  for (const { rows } of block.hashes.values()) count += rows.size;
  const bytes = Buffer.alloc(HEAD_BYTES + count * ROW_BYTES);
  bytes[0] = FORMAT;
  bytes[1] = ROWS;
  bytes.writeDoubleBE(block.fence, 2);
  let at = HEAD_BYTES;
  for (const { kind, hash, rows } of block.hashes.values()) {
    for (const row of rows.values()) {
      bytes[at] =
        kind | (row.present ? PRESENT : 0) | (row.person === NOBODY ? 0 : PERSON) | (row.run === undefined ? 0 : RUN);
      bytes.set(hash, at + 1);
      bytes.write(row.person, at + 33, "hex");
      const numbers = [row.position, row.sentAt, row.run ?? 0, row.removedAllAt, row.removedAt];
      for (const [index, number] of numbers.entries()) bytes.writeDoubleBE(number, at + 49 + 8 * index);
      at += ROW_BYTES;
    }
  }
  return bytes;
}

export function decodeBlock(value: Uint8Array, keyOf: (op: Pick<MemberOp, "kind" | "hash">) => string): Block {
  checkFormat(value);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes[1] === HALVES) return { halves: bytes.toString("utf8", 2) };
  const hashes = new Map<string, HashRows>();
  for (let at = HEAD_BYTES; at + ROW_BYTES <= bytes.length; at += ROW_BYTES) {
    const flags = bytes[at] ?? 0;
    const kind = (flags & 3) as MemberOp["kind"];
    const hash = new Uint8Array(bytes.subarray(at + 1, at + 33));
    const number = (index: number) => bytes.readDoubleBE(at + 49 + 8 * index);
    const row: Row = {
      person: flags & PERSON ? bytes.toString("hex", at + 33, at + 49) : NOBODY,
      present: (flags & PRESENT) !== 0,
      position: number(0),
      sentAt: number(1),
      run: flags & RUN ? number(2) : undefined,
      removedAllAt: number(3),
      removedAt: number(4),
    };
    const key = keyOf({ kind, hash });
    const found = hashes.get(key) ?? { kind, hash, rows: new Map<string, Row>() };
    hashes.set(key, found);
    found.rows.set(row.person, row);
  }
  return { fence: bytes.readDoubleBE(2), hashes };
}

export function rowsIn(hashes: ReadonlyMap<string, HashRows>): number {
  let count = 0;
  for (const { rows } of hashes.values()) count += rows.size;
  return count;
}

/** Bit `depth` of a hash, the highest first: which half of a block it belongs to. */
export function bitOf(hash: Uint8Array, depth: number): 0 | 1 {
  return (((hash[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) as 0 | 1;
}
