import { identityReady, type MemberKind } from "../../identity/index.ts";
import { memberDigest } from "../../identity/member.ts";
import type { HostMember } from "../../plugins/index.ts";
import type { KindNumber } from "./interfaces.ts";
import type { ListRow } from "./row.ts";

export interface ReadOptions {
  defaultCountry?: string | undefined;
  /** Kinds that may be sent. */
  identifiers: readonly MemberKind[];
  /** The 16 bytes of a person. */
  personOf(personKey: string): Uint8Array;
  /** Whether the person agrees to be in lists; asked where the host's plugins decide about it. */
  allowed?: ((member: HostMember) => Promise<boolean>) | undefined;
  signal?: AbortSignal | undefined;
}

/** Hears what a list holds. */
export interface ReadSink {
  line(): void;
  unusable(reason: string): void;
  /** Awaited where it answers a promise: a page is full. */
  identifier(kind: KindNumber, digest: string, person: Uint8Array | undefined): Promise<void> | undefined;
}

const FIELDS = [
  { field: "email", kind: "email", number: 0 },
  { field: "phone", kind: "phone", number: 1 },
  { field: "mobileAdId", kind: "mobile_ad_id", number: 2 },
] as const satisfies readonly { field: keyof HostMember; kind: MemberKind; number: KindNumber }[];

/** Lines read before others get their turn: some milliseconds. */
const LINES_A_TURN = 2_000;
/** Identifiers of one kind of one person. */
const MAX_EACH = 100;

/** Reads a list to its end: each identifier normalised and hashed, what cannot be used counted by its reason. */
export async function readList(
  rows: AsyncIterable<ListRow> | Iterable<ListRow>,
  options: ReadOptions,
  sink: ReadSink,
): Promise<void> {
  await identityReady();
  const { defaultCountry, identifiers, personOf, allowed, signal } = options;
  const fields = FIELDS.filter(({ kind }) => identifiers.includes(kind));
  const identity = { defaultCountry };
  let lines = 0;
  for await (const row of rows) {
    signal?.throwIfAborted();
    if (++lines % LINES_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    sink.line();
    const why = whyUnusable(row);
    if (why !== undefined) {
      sink.unusable(why);
      continue;
    }
    const member = row as HostMember;
    if (allowed && !(await allowed(member))) {
      sink.unusable("consent_denied");
      continue;
    }
    const person = member.personKey ? personOf(member.personKey) : undefined;
    let found = 0;
    for (const { field, kind, number } of fields) {
      const value = member[field];
      if (value === undefined || value === null) continue;
      for (const one of typeof value === "string" ? [value] : value.slice(0, MAX_EACH)) {
        const digest = memberDigest(kind, one, identity);
        if (typeof digest !== "string") {
          sink.unusable(digest.reason);
          continue;
        }
        found++;
        const full = sink.identifier(number, digest, person);
        if (full) await full;
      }
    }
    if (found === 0 && !FIELDS.some(({ field }) => member[field] !== undefined)) sink.unusable("no_identifier");
  }
}

function whyUnusable(row: unknown): string | undefined {
  if (typeof row !== "object" || row === null) return "row_malformed";
  if ("unusable" in row) return typeof row.unusable === "string" ? row.unusable : "row_malformed";
  for (const { field } of FIELDS) {
    const value = (row as HostMember)[field] as unknown;
    if (value === undefined || value === null || typeof value === "string" || Array.isArray(value)) continue;
    return "row_malformed";
  }
  const { personKey } = row as HostMember;
  return personKey === undefined || typeof personKey === "string" ? undefined : "row_malformed";
}
