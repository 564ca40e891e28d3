import type { MemberOp } from "../storage/ports.ts";
import { LIST_HASH_BYTES, LIST_PERSON_BYTES, type ListPage } from "./list-payload.ts";
import { saidBy } from "./members-fold.ts";
import { MAX_OPS } from "./members-plan.ts";

/** A page's operations, at most {@link MAX_OPS} at a time, with the place on the page that each came from. */
export function* pageOps(
  page: Pick<ListPage, "op" | "kind" | "hashes" | "persons">,
  position: number,
): Generator<{ ops: MemberOp[]; places: number[] }> {
  const { kind, hashes, persons } = page;
  const op = page.op === "remove" ? "remove" : "add";
  const count = hashes.byteLength / LIST_HASH_BYTES;
  let ops: MemberOp[] = [];
  let places: number[] = [];
  for (let index = 0; index < count; index++) {
    const hash = hashes.subarray(index * LIST_HASH_BYTES, (index + 1) * LIST_HASH_BYTES);
    const person = persons?.subarray(index * LIST_PERSON_BYTES, (index + 1) * LIST_PERSON_BYTES);
    for (const said of saidBy(op, person)) {
      ops.push({ op, kind, hash, position, ...said });
      places.push(index);
    }
    if (ops.length > MAX_OPS - 2 || index === count - 1) {
      yield { ops, places };
      ops = [];
      places = [];
    }
  }
}
