/** Order of the UTF-8 bytes. JavaScript's own order of strings is that of UTF-16 and differs beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
