import { storageError } from "../errors.ts";

const FORMAT = 1;

/** JSON behind a byte that says which version of the package wrote it. */
export function encode(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text) + 1);
  bytes[0] = FORMAT;
  bytes.write(text, 1, "utf8");
  return bytes;
}

export function decode<T>(bytes: Uint8Array): T {
  checkFormat(bytes);
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1).toString("utf8")) as T;
}

export function checkFormat(bytes: Uint8Array): void {
  const [format] = bytes;
  if (format === FORMAT) return;
  throw storageError(
    "corrupt",
    `A stored value has format ${format ?? "none"}; this version of the package knows ${FORMAT}.`,
    "Update the package; what a newer version wrote is left alone.",
  );
}
