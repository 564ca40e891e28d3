import type { MemberOp } from "../storage/ports.ts";
import { LIST_HASH_BYTES, LIST_PERSON_BYTES, type ListPage } from "./list-payload.ts";
import { saidBy } from "./members-fold.ts";
import { MAX_OPS } from "./members-plan.ts";

/** Operations of a part of a page, and the place on the page that each came from. */
export interface PagePart {
  ops: MemberOp[];
  places: number[];
}

type Page = Pick<ListPage, "op" | "kind" | "hashes" | "persons">;

/** Few enough that what is made of them is gone before the memory of the process grows. A place makes at most two operations. */
const PLACES_A_PART = MAX_OPS / 10;

/**
 * A page's operations, at most {@link MAX_OPS} at a time: made when they are asked for, as often as that is, since a hundred
 * thousand of them take more memory than anything else about a list.
 */
export function pageParts(page: Page, position: number): (() => PagePart)[] {
  const count = page.hashes.byteLength / LIST_HASH_BYTES;
  const parts: (() => PagePart)[] = [];
  for (let from = 0; from < count; from += PLACES_A_PART) {
    parts.push(() => partOf(page, position, from, Math.min(count, from + PLACES_A_PART)));
  }
  return parts;
}

function partOf({ op: said, kind, hashes, persons }: Page, position: number, from: number, to: number): PagePart {
  const op = said === "remove" ? "remove" : "add";
  const ops: MemberOp[] = [];
  const places: number[] = [];
  for (let place = from; place < to; place++) {
    const hash = hashes.subarray(place * LIST_HASH_BYTES, (place + 1) * LIST_HASH_BYTES);
    const person = persons?.subarray(place * LIST_PERSON_BYTES, (place + 1) * LIST_PERSON_BYTES);
    for (const whose of saidBy(op, person)) {
      ops.push({ op, kind, hash, position, ...whose });
      places.push(place);
    }
  }
  return { ops, places };
}
