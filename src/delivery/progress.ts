import { type Bits, hasBit, newBits, setBit } from "./bits.ts";

/**
 * What an entry remembers from one claim to the next. Times are ages of the entry, so that every process counts them on
 * the engine's clock.
 */
export interface Progress {
  /** Requests that ended in a retry. A lost login or a full limit counts nothing. */
  attempts: number;
  /** The last wait before a retry. */
  delayMs: number | undefined;
  /** Bit i: item i is delivered, rejected or dropped. */
  done: Bits;
  /** Items whose outcome is unknown, by the age of the entry when they may first have reached Snapchat. */
  unknown: { ageMs: number; items: Bits }[];
  /** The age of the entry when this was written: whatever an unsettled claim sent, it sent later. */
  writtenAgeMs: number;
}

const FORMAT = 1;

export function newProgress(items: number): Progress {
  return { attempts: 0, delayMs: undefined, done: newBits(items), unknown: [], writtenAgeMs: 0 };
}

/** `undefined`: written by a newer version, to be left alone. */
export function readProgress(bytes: Uint8Array | undefined, items: number): Progress | undefined {
  if (!bytes || bytes.length === 0) return newProgress(items);
  if (bytes[0] !== FORMAT) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1).toString("utf8");
  const { a, d, i, u, w } = JSON.parse(text) as { a: number; d?: number; i: string; u?: [number, string][]; w: number };
  return {
    attempts: a,
    delayMs: d,
    done: fromBase64(i, items),
    unknown: (u ?? []).map(([ageMs, bits]) => ({ ageMs, items: fromBase64(bits, items) })),
    writtenAgeMs: w,
  };
}

export function writeProgress(progress: Progress): Uint8Array {
  const { attempts, delayMs, done, unknown, writtenAgeMs } = progress;
  const text = JSON.stringify({
    a: attempts,
    d: delayMs,
    i: toBase64(done),
    ...(unknown.length === 0 ? {} : { u: unknown.map(({ ageMs, items }) => [ageMs, toBase64(items)]) }),
    w: writtenAgeMs,
  });
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(text, "utf8")]);
}

/** Items that are not settled yet. */
export function* openIndexes(progress: Progress, count: number): Generator<number> {
  for (let index = 0; index < count; index++) if (!hasBit(progress.done, index)) yield index;
}

/** The age at which an item may first have reached Snapchat, where nothing is known of it since. */
export function unknownSince(progress: Progress, index: number): number | undefined {
  let first: number | undefined;
  for (const { ageMs, items } of progress.unknown) {
    if (hasBit(items, index) && (first === undefined || ageMs < first)) first = ageMs;
  }
  return first;
}

/**
 * Notes that items may have reached Snapchat at this age. An earlier note of an item stays, also where a later try was
 * answered: that answer says nothing about the first request.
 */
export function markUnknown(progress: Progress, indexes: Iterable<number>, ageMs: number, items: number): void {
  let group = progress.unknown.find((other) => other.ageMs === ageMs);
  for (const index of indexes) {
    if (unknownSince(progress, index) !== undefined) continue;
    if (!group) {
      group = { ageMs, items: newBits(items) };
      progress.unknown.push(group);
    }
    setBit(group.items, index);
  }
}

const toBase64 = (bits: Bits) => Buffer.from(bits).toString("base64");

function fromBase64(text: string, items: number): Bits {
  const bits = newBits(items);
  bits.set(Buffer.from(text, "base64").subarray(0, bits.length));
  return bits;
}
