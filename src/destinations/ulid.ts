const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_LETTERS = 16;

/** Random bytes; `crypto.getRandomValues` in production. */
export type RandomBytes = (length: number) => Uint8Array;

const cryptoBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

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

/** 48 bits of time and 80 random bits in Crockford's base 32: sorts by time as text, and rises within one millisecond. */
export type Ulid = (timeMs: number) => string;

export function createUlid(random: RandomBytes = cryptoBytes): Ulid {
  let lastTime = "";
  let digits: number[] = [];
  return (timeMs) => {
    const time = ulidTime(timeMs);
    if (time === lastTime) increment(digits);
    // The highest bit stays free, so that a millisecond has room to count up.
    else digits = Array.from(random(RANDOM_LETTERS), (byte, i) => byte & (i === 0 ? 15 : 31));
    lastTime = time;
    return time + digits.map((digit) => ALPHABET[digit] ?? "0").join("");
  };
}

function increment(digits: number[]): void {
  for (let i = digits.length - 1; i >= 0; i--) {
    const next = (digits[i] ?? 0) + 1;
    digits[i] = next % 32;
    if (next < 32) return;
  }
}
