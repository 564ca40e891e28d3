const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Fills an array with random bytes; `crypto.getRandomValues` in production. */
export type RandomBytes = (length: number) => Uint8Array;

export const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** The first ten characters of every ULID of this millisecond: 48 bits of time, sortable as text. */
export function ulidTime(timeMs: number): string {
  let rest = Math.max(0, Math.floor(timeMs));
  let text = "";
  for (let i = 0; i < 10; i++) {
    text = (ALPHABET[rest % 32] ?? "0") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** 48 bits of time and 80 random bits in Crockford's base 32; sorts by time as text. */
export function ulid(timeMs: number, random: RandomBytes = randomBytes): string {
  let text = ulidTime(timeMs);
  for (const byte of random(16)) text += ALPHABET[byte & 31];
  return text;
}
