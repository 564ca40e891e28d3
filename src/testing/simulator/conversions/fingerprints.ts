/** A memory of keys and when each was first seen, about 20 bytes a key, for a million keys and more. */
export interface Fingerprints {
  /** When the key was first seen, if that is not before `notBefore`; else remembers it as seen at `at`. */
  seenOrAdd(key: string, at: number, notBefore: number): number | undefined;
  /** When the key was first seen, if that is not before `notBefore`. */
  seen(key: string, notBefore: number): number | undefined;
  readonly size: number;
  clear(): void;
}

const FIRST_CAPACITY = 1_024;

/**
 * Open addressing over two 32-bit hashes of each key. Two different keys are taken for one with a chance of about
 * n²/2⁶⁵: for a million keys, one in thirty million.
 */
export function createFingerprints(): Fingerprints {
  let capacity = FIRST_CAPACITY;
  let low = new Uint32Array(capacity);
  let high = new Uint32Array(capacity);
  /** The time plus one; 0 is an empty place. */
  let times = new Float64Array(capacity);
  let size = 0;
  let hashLow = 0;
  let hashHigh = 0;

  function hash(key: string): void {
    let a = 0x811c9dc5;
    let b = 0x9747b28c;
    for (let i = 0; i < key.length; i++) {
      const c = key.charCodeAt(i);
      a = Math.imul(a ^ c, 0x01000193);
      b = Math.imul(b ^ c, 0x5bd1e995);
      b ^= b >>> 13;
    }
    a ^= b >>> 15;
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    hashLow = (a ^ (a >>> 13)) >>> 0;
    b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
    hashHigh = (b ^ (b >>> 15)) >>> 0;
  }

  /** The place of the key, or the empty one where it belongs. */
  function place(): number {
    let at = hashLow & (capacity - 1);
    while (times[at] !== 0 && (low[at] !== hashLow || high[at] !== hashHigh)) at = (at + 1) & (capacity - 1);
    return at;
  }

  function rebuild(newCapacity: number, notBefore: number): void {
    const old = { low, high, times, capacity };
    capacity = newCapacity;
    low = new Uint32Array(capacity);
    high = new Uint32Array(capacity);
    times = new Float64Array(capacity);
    size = 0;
    for (let i = 0; i < old.capacity; i++) {
      const time = old.times[i] as number;
      if (time === 0 || time - 1 < notBefore) continue;
      hashLow = old.low[i] as number;
      hashHigh = old.high[i] as number;
      const at = place();
      low[at] = hashLow;
      high[at] = hashHigh;
      times[at] = time;
      size += 1;
    }
  }

  return {
    seenOrAdd(key, at, notBefore) {
      // Growing first drops what has expired; only a table that is still full gets bigger.
      if (size * 4 >= capacity * 3) {
        rebuild(capacity, notBefore);
        if (size * 2 >= capacity) rebuild(capacity * 2, notBefore);
      }
      hash(key);
      const index = place();
      const time = times[index] as number;
      if (time !== 0 && time - 1 >= notBefore) return time - 1;
      if (time === 0) size += 1;
      low[index] = hashLow;
      high[index] = hashHigh;
      times[index] = at + 1;
      return undefined;
    },
    seen(key, notBefore) {
      hash(key);
      const time = times[place()] as number;
      return time !== 0 && time - 1 >= notBefore ? time - 1 : undefined;
    },
    get size() {
      return size;
    },
    clear() {
      rebuild(FIRST_CAPACITY, Number.POSITIVE_INFINITY);
    },
  };
}
