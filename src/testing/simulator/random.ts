/** A seeded source of randomness: the same seed gives the same tokens, ids and faults. */
export interface Random {
  /** From 0 (included) to 1 (excluded). */
  next(): number;
  uuid(): string;
  /** URL-safe text. */
  text(length: number): string;
}

const TEXT_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** mulberry32: small, quick, good enough to play with; never for secrets outside a simulator. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next32(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  function hex(words: number): string {
    let out = "";
    for (let i = 0; i < words; i++) out += next32().toString(16).padStart(8, "0");
    return out;
  }

  return {
    next: () => next32() / 4_294_967_296,
    uuid() {
      const h = hex(4);
      const variant = "89ab"[Number.parseInt(h[16] as string, 16) & 3];
      return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`;
    },
    text(length) {
      let out = "";
      while (out.length < length) {
        let word = next32();
        for (let i = 0; i < 5; i++) {
          out += TEXT_ALPHABET[word & 63];
          word >>>= 6;
        }
      }
      return out.slice(0, length);
    },
  };
}
