import type { MemberOp } from "../storage/ports.ts";
import type { MemberKind } from "./interfaces.ts";
import type { StoredMember } from "./payload.ts";

/** One person's change as it was stored. */
export interface PlacedMember {
  member: StoredMember;
  /** Of its entry: decides which of two changes is the later one. */
  position: number;
  /** It may have reached Snapchat already. */
  doubted: boolean;
}

/** The last word on one identifier. */
export interface FoldedIdentifier {
  kind: MemberKind;
  hash: Uint8Array;
  /** The last change of each person, in order. */
  ops: MemberOp[];
  /** Snapchat may hold something else than is known here: it has to be told again, changed or not. */
  doubted: boolean;
}

/**
 * The row of whoever was added without being named: by a list of addresses, by an event without ids. The identifier is
 * all that is known of them, so a named person who leaves with this identifier takes this row along, and nobody else's.
 */
export const UNNAMED: Uint8Array = new Uint8Array(16);

/** The same identifier of the same kind: one latin-1 character for each byte, which is quick to make. */
export function identifierKey(kind: MemberKind, hash: Uint8Array): string {
  return kind + Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("latin1");
}

/**
 * Folds changes, given in order of position, to the last one of each person for each identifier. A remove without a
 * person takes back what everybody said before.
 *
 * @param byPerson false where nothing remembers persons: then the last change of an identifier counts, whoever made it.
 */
export function foldMembers(placed: readonly PlacedMember[], byPerson: boolean): FoldedIdentifier[] {
  const folded = new Map<string, FoldedIdentifier>();
  for (const { member, position, doubted } of placed) {
    const { op, person } = member;
    for (const { kind, hash } of member.identifiers) {
      const key = identifierKey(kind, hash);
      let one = folded.get(key);
      if (!one) {
        one = { kind, hash, ops: [], doubted: false };
        folded.set(key, one);
      }
      one.doubted ||= doubted || op === "assert";
      if (op === "assert") continue;
      for (const said of byPerson ? saidBy(op, person) : NOBODY) {
        const next: MemberOp = { op, kind, hash, position, ...said };
        one.ops = [...one.ops.filter((earlier) => !replaces(said.person, earlier.person)), next];
      }
    }
  }
  return [...folded.values()];
}

const NOBODY: readonly { person?: Uint8Array }[] = [{}];

/** Whose rows an operation is about. Without a person a remove is about everybody's. */
export function saidBy(op: MemberOp["op"], person: Uint8Array | undefined): readonly { person?: Uint8Array }[] {
  if (op === "add") return [{ person: person ?? UNNAMED }];
  return person === undefined ? NOBODY : [{ person }, { person: UNNAMED }];
}

/** Nobody's word replaces everybody's; a remove of everybody is nobody's own and stays beside what is said after it. */
function replaces(next: Uint8Array | undefined, earlier: Uint8Array | undefined): boolean {
  return next === undefined || (earlier !== undefined && Buffer.compare(next, earlier) === 0);
}
