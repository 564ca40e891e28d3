import type { Members, SegmentRef } from "../storage/ports.ts";
import { identifierKey, type PlacedMember } from "./members-fold.ts";
import type { StoredMember } from "./payload.ts";

const PAGE = 1_000;

/**
 * A named person who leaves takes along every identifier that was added for them, named in the event or not: those that
 * are stored, and those of earlier changes of the same batch.
 */
export async function wholePersons(
  members: Members | undefined,
  segment: SegmentRef,
  placed: readonly PlacedMember[],
): Promise<PlacedMember[]> {
  const added = new Map<string, StoredMember["identifiers"]>();
  const whole: PlacedMember[] = [];
  for (const one of placed) {
    const { member, position } = one;
    const { person } = member;
    if (!members || !person || member.op === "assert") {
      whole.push(one);
      continue;
    }
    const key = Buffer.from(person).toString("hex");
    if (member.op === "add") {
      added.set(key, [...(added.get(key) ?? []), ...member.identifiers]);
      whole.push(one);
      continue;
    }
    const known = new Set(member.identifiers.map(({ kind, hash }) => identifierKey(kind, hash)));
    const more: StoredMember["identifiers"] = [];
    for (const identifier of [...(added.get(key) ?? []), ...(await storedOf(members, segment, person, position))]) {
      const own = identifierKey(identifier.kind, identifier.hash);
      if (known.has(own)) continue;
      known.add(own);
      more.push(identifier);
    }
    added.delete(key);
    whole.push(
      more.length === 0 ? one : { ...one, member: { ...member, identifiers: [...member.identifiers, ...more] } },
    );
  }
  return whole;
}

async function storedOf(
  members: Members,
  segment: SegmentRef,
  person: Uint8Array,
  position: number,
): Promise<StoredMember["identifiers"]> {
  const found: StoredMember["identifiers"] = [];
  let after: string | undefined;
  do {
    const page = await members.scan(segment, {
      person,
      positionBefore: position,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const { kind, hash } of page.items) found.push({ kind, hash });
    after = page.after;
  } while (after !== undefined);
  return found;
}
