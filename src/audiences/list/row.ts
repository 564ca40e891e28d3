import type { HostMember } from "../../plugins/index.ts";

/** A line of a list that names nobody, and why. */
export interface UnusableRow {
  /** Stable, `snake_case`. */
  unusable: string;
}

/** One line of a list: a person by identifiers in plain or hashed, or the reason why it is none. */
export type ListRow = HostMember | UnusableRow;

/** Text in pieces, as files and HTTP bodies come: bytes or strings. */
export type TextSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string> | string;

/** The pieces of a source; a string is one piece, not its letters. */
export async function* piecesOf(source: TextSource): AsyncGenerator<Uint8Array | string> {
  if (typeof source === "string") yield source;
  else yield* source;
}
