import { SnapchatError } from "../errors.ts";

const FORMAT = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A record's value: one byte of format version, then JSON. */
export function encode(value: unknown): Uint8Array {
  const bytes = encoder.encode(`\u0000${JSON.stringify(value)}`);
  bytes[0] = FORMAT;
  return bytes;
}

/** @throws {SnapchatError} `record_too_new` */
export function decode<T>(bytes: Uint8Array): T {
  const [format] = bytes;
  if (format === FORMAT) return JSON.parse(decoder.decode(bytes.subarray(1))) as T;
  throw new SnapchatError({
    code: "record_too_new",
    kind: "fix_configuration",
    message: `A stored record has format ${format ?? "none"}, this version reads ${FORMAT}.`,
    fix: "Run the version of snapchat-destination that wrote the database, or a newer one.",
  });
}
