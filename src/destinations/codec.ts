import { SnapchatError, unreadableRecord } from "../errors.ts";

const FORMAT = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A record's value: one byte of format version, then JSON. */
export function encode(value: unknown): Uint8Array {
  const json = encoder.encode(JSON.stringify(value));
  const bytes = new Uint8Array(json.length + 1);
  bytes[0] = FORMAT;
  bytes.set(json, 1);
  return bytes;
}

/** @throws {SnapchatError} `record_corrupt`, `record_too_new` */
export function decode<T>(bytes: Uint8Array): T {
  if (bytes[0] !== FORMAT) throw unreadableRecord(bytes[0], FORMAT);
  try {
    return JSON.parse(decoder.decode(bytes.subarray(1))) as T;
  } catch {
    throw new SnapchatError({
      code: "record_corrupt",
      kind: "fix_configuration",
      message: "A stored record does not parse.",
      fix: "Restore the record from a backup of the database.",
    });
  }
}
