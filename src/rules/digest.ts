/**
 * 128 bits of a text as 32 hex digits: equal text, equal digest, in every runtime and without a dependency. It is there
 * to tell events apart, not to keep secrets. Four lanes after MurmurHash3's mixing (public domain).
 */
export function digest(text: string): string {
  let a = 0x239b961b;
  let b = 0xab0e9789;
  let c = 0x38b34ae5;
  let d = 0xa1e38b93;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = b ^ Math.imul(a ^ code, 0x9e3779b1);
    b = c ^ Math.imul(b ^ code, 0x85ebca77);
    c = d ^ Math.imul(c ^ code, 0xc2b2ae3d);
    d = a ^ Math.imul(d ^ code, 0x27d4eb2f);
  }
  a ^= text.length;
  a = mix(a ^ (b >>> 15));
  b = mix(b ^ (c >>> 13) ^ a);
  c = mix(c ^ (d >>> 11) ^ b);
  d = mix(d ^ (a >>> 9) ^ c);
  a = mix(a ^ d);
  return [a, b, c, d].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

function mix(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return lane ^ (lane >>> 16);
}

/** {@link digest} of plain JSON, whatever the order of its keys: engines that store JSON may change it. */
export function digestOf(value: unknown): string {
  return digest(
    JSON.stringify(value, (_, node: unknown) =>
      typeof node === "object" && node !== null && !Array.isArray(node)
        ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)))
        : node,
    ) ?? "",
  );
}
