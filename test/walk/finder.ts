import type { Canary } from "../connecting/walk/canaries.ts";

/** Bytes at a needle's beginning that are looked for first. Shorter needles are not looked for. */
const WINDOW = 8;
const POWER = Array.from({ length: WINDOW }).reduce<number>((power) => Math.imul(power, 31), 1);

interface Needle {
  bytes: Buffer;
  canary: Canary;
}

/**
 * Looks for thousands of texts in one go through the bytes, however many they are: a rolling hash of eight bytes, and the
 * rest only where it is one that a needle begins with.
 */
export function createFinder() {
  const maybe = new Uint8Array(1 << 16);
  const needles = new Map<number, Needle[]>();
  const slot = (hash: number) => Math.imul(hash, 0x9e3779b1) >>> 16;

  return {
    add(canary: Canary): void {
      for (const form of canary.forms) {
        const bytes = Buffer.from(form, "utf8");
        if (bytes.length < WINDOW) continue;
        let hash = 0;
        for (let i = 0; i < WINDOW; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
        maybe[slot(hash)] = 1;
        const same = needles.get(hash);
        if (same) same.push({ bytes, canary });
        else needles.set(hash, [{ bytes, canary }]);
      }
    },
    search(text: Buffer, length: number, found: (canary: Canary, at: number) => void): void {
      let hash = 0;
      for (let i = 0; i < length; i++) {
        hash = (Math.imul(hash, 31) + (text[i] as number)) | 0;
        if (i >= WINDOW) hash = (hash - Math.imul(text[i - WINDOW] as number, POWER)) | 0;
        if (i < WINDOW - 1 || maybe[slot(hash)] === 0) continue;
        const at = i - WINDOW + 1;
        for (const { bytes, canary } of needles.get(hash) ?? []) {
          if (at + bytes.length > length) continue;
          if (text.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0) found(canary, at);
        }
      }
    },
  };
}
