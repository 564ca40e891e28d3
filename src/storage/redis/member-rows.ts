import type { Row } from "../member-rules.ts";

const PRESENT = 1;
const RUN = 2;
const REMOVED_ALL = 4;

/** Rows of one hash as bytes, as few as may be: a million members are a million of these in the server's memory. */
export function packRows(rows: Iterable<Row>): Buffer {
  const bytes: number[] = [];
  for (const row of rows) {
    const run = row.run !== undefined ? RUN : 0;
    const all = row.removedAllAt >= 0 ? REMOVED_ALL : 0;
    bytes.push((row.present ? PRESENT : 0) | run | all, row.person.length / 2);
    for (const byte of Buffer.from(row.person, "hex")) bytes.push(byte);
    pushNumber(bytes, row.position);
    pushNumber(bytes, row.sentAt);
    if (row.run !== undefined) pushNumber(bytes, row.run);
    if (all) pushNumber(bytes, row.removedAllAt);
    if (!row.present) pushNumber(bytes, row.removedAt);
  }
  return Buffer.from(bytes);
}

/** The rows of {@link packRows} by person. */
export function unpackRows(bytes: Uint8Array): Map<string, Row> {
  const rows = new Map<string, Row>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = buffer[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < buffer.length) {
    const flags = buffer[at] ?? 0;
    const end = at + 2 + (buffer[at + 1] ?? 0);
    const person = buffer.toString("hex", at + 2, end);
    at = end;
    const present = (flags & PRESENT) !== 0;
    rows.set(person, {
      person,
      present,
      position: number(),
      sentAt: number(),
      run: flags & RUN ? number() : undefined,
      removedAllAt: flags & REMOVED_ALL ? number() : -1,
      removedAt: present ? 0 : number(),
    });
  }
  return rows;
}

/** Seven bits a byte, the low ones first. */
function pushNumber(bytes: number[], value: number): void {
  let rest = Math.max(0, Math.floor(value));
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
