const EMPTY = 0;
const SMALLEST = 16;

/** Values of the base64url alphabet by character code. */
const SIX_BITS = new Uint8Array(128);
for (const [i, letter] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].entries()) {
  SIX_BITS[letter.charCodeAt(0)] = i;
}

const bits = (digest: string, at: number): number =>
  ((SIX_BITS[digest.charCodeAt(at) & 127] ?? 0) << 18) |
  ((SIX_BITS[digest.charCodeAt(at + 1) & 127] ?? 0) << 12) |
  ((SIX_BITS[digest.charCodeAt(at + 2) & 127] ?? 0) << 6) |
  (SIX_BITS[digest.charCodeAt(at + 3) & 127] ?? 0);

/**
 * Digest → time, by the digest's first 48 bits: 16 bytes a slot instead of a string and a Map's entry, so that a
 * million tombstones fit in 32 MB. Two digests may share those bits: "no" is certain, a time has to be confirmed.
 */
export class DigestTable {
  size = 0;
  #digests = new Float64Array(SMALLEST);
  #times = new Float64Array(SMALLEST);

  /** The latest time given for these bits, or `undefined`: certainly none. */
  get(digest: string): number | undefined {
    if (this.size === 0) return undefined;
    const slot = this.#slot(digest);
    return this.#digests[slot] === EMPTY ? undefined : this.#times[slot];
  }

  set(digest: string, timeMs: number): void {
    if ((this.size + 1) * 2 > this.#digests.length) this.#grow();
    const slot = this.#slot(digest);
    if (this.#digests[slot] === EMPTY) {
      this.size++;
      this.#digests[slot] = fingerprint(digest);
      this.#times[slot] = timeMs;
    } else {
      this.#times[slot] = Math.max(this.#times[slot] ?? 0, timeMs);
    }
  }

  /** Bytes it takes. */
  get bytes(): number {
    return this.#digests.byteLength + this.#times.byteLength;
  }

  #slot(digest: string): number {
    return this.#find(fingerprint(digest), bits(digest, 4));
  }

  #find(wanted: number, start: number): number {
    const mask = this.#digests.length - 1;
    let slot = start & mask;
    for (;;) {
      const held = this.#digests[slot];
      if (held === wanted || held === EMPTY) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const [digests, times] = [this.#digests, this.#times];
    this.#digests = new Float64Array(digests.length * 2);
    this.#times = new Float64Array(digests.length * 2);
    for (let i = 0; i < digests.length; i++) {
      const held = digests[i] ?? EMPTY;
      if (held === EMPTY) continue;
      const slot = this.#find(held, (held - 1) % 16_777_216);
      this.#digests[slot] = held;
      this.#times[slot] = times[i] ?? 0;
    }
  }
}

/** 48 bits plus one: 0 is an empty slot. */
const fingerprint = (digest: string): number => bits(digest, 0) * 16_777_216 + bits(digest, 4) + 1;
