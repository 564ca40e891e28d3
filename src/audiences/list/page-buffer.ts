import type { KindNumber, QueuedPage } from "./interfaces.ts";

const HASH_BYTES = 32;
const PERSON_BYTES = 16;

/** Digests of one kind on their way to a page: packed, so that a hundred thousand take three megabytes. */
export interface PageBuffer {
  readonly kind: KindNumber;
  readonly count: number;
  readonly full: boolean;
  /** @param digest 64 hexadecimal digits */
  add(digest: string, person: Uint8Array | undefined): void;
  /** What is in it, and an empty buffer again. */
  take(op: QueuedPage["op"], acceptedAtMs: number): QueuedPage;
}

/** @param named whether every row comes with a person: rows with and without do not share a page */
export function createPageBuffer(kind: KindNumber, named: boolean, size: number): PageBuffer {
  let hashes: Buffer | undefined;
  let persons: Buffer | undefined;
  let count = 0;
  return {
    kind,
    get count() {
      return count;
    },
    get full() {
      return count >= size;
    },
    add(digest, person) {
      hashes ??= Buffer.allocUnsafe(size * HASH_BYTES);
      hashes.write(digest, count * HASH_BYTES, HASH_BYTES, "hex");
      if (named && person) {
        persons ??= Buffer.allocUnsafe(size * PERSON_BYTES);
        persons.set(person, count * PERSON_BYTES);
      }
      count++;
    },
    take(op, acceptedAtMs) {
      const page: QueuedPage = {
        op,
        kind,
        hashes: (hashes ?? Buffer.alloc(0)).subarray(0, count * HASH_BYTES),
        persons: persons?.subarray(0, count * PERSON_BYTES),
        acceptedAtMs,
      };
      hashes = undefined;
      persons = undefined;
      count = 0;
      return page;
    },
  };
}

/** A page without what stands at other places. */
export function onlyPlaces(page: QueuedPage, places: Iterable<number>): QueuedPage {
  const wanted = [...places];
  const pick = (bytes: Uint8Array, width: number) => {
    const picked = Buffer.allocUnsafe(wanted.length * width);
    for (const [at, place] of wanted.entries())
      picked.set(bytes.subarray(place * width, (place + 1) * width), at * width);
    return picked;
  };
  return {
    ...page,
    hashes: pick(page.hashes, HASH_BYTES),
    persons: page.persons && pick(page.persons, PERSON_BYTES),
  };
}

/** Pages of the same kind as one. */
export function joinedPages(pages: readonly QueuedPage[]): QueuedPage {
  const [first] = pages as [QueuedPage];
  return {
    ...first,
    hashes: Buffer.concat(pages.map(({ hashes }) => hashes)),
    persons: first.persons && Buffer.concat(pages.flatMap(({ persons }) => persons ?? [])),
  };
}

export function countOf({ hashes }: QueuedPage): number {
  return hashes.byteLength / HASH_BYTES;
}

/** A part of a page. */
export function slicePage(page: QueuedPage, from: number, to: number): QueuedPage {
  return {
    ...page,
    hashes: page.hashes.subarray(from * HASH_BYTES, to * HASH_BYTES),
    persons: page.persons?.subarray(from * PERSON_BYTES, to * PERSON_BYTES),
  };
}
