import { unreadableRecord } from "../errors.ts";

const FORMAT = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A record's value: one byte of format version, then JSON. */
export function encode(value: unknown): Uint8Array {
  const bytes = encoder.encode(`\u0000${JSON.stringify(value)}`);
  bytes[0] = FORMAT;
  return bytes;
}

/** @throws {SnapchatError} `record_too_new`, `record_corrupt` */
export function decode<T>(bytes: Uint8Array): T {
  if (bytes[0] === FORMAT) return JSON.parse(decoder.decode(bytes.subarray(1))) as T;
  throw unreadableRecord(bytes[0], FORMAT);
}
