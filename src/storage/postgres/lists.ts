/** A list as text in Postgres's array syntax: drivers differ in how they send arrays, text all send the same. */
export function textList(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

export function plainList(items: readonly (number | boolean | undefined)[]): string {
  return `{${items.map((item) => item ?? "NULL").join(",")}}`;
}

/** Bytes of many values in one piece, with the place of each, counted from 1 as SQL does. */
export function pack(values: readonly Uint8Array[]): { bytes: Buffer; offsets: string; sizes: string } {
  const offsets: number[] = [];
  let end = 1;
  for (const value of values) {
    offsets.push(end);
    end += value.byteLength;
  }
  return {
    bytes: Buffer.concat(values, end - 1),
    offsets: plainList(offsets),
    sizes: plainList(values.map((value) => value.byteLength)),
  };
}
