import { SnapchatError } from "../errors.ts";
import { storageError } from "./errors.ts";
import type { Claim, Group, MemberOp, NewEntry, Outcome } from "./ports.ts";

/** Ids on the port: any text of at most this many bytes in UTF-8. */
export const MAX_ID_BYTES = 200;
/** Record keys hold several ids; engines index them. */
export const MAX_KEY_BYTES = 2_000;
/** Entries of one append. */
export const MAX_ENTRIES = 1_000;
/** Operations of one members call. */
export const MAX_MEMBER_OPS = 10_000;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Refuses ids that some engine could not keep apart: too long, or not well-formed (all lone surrogates are one byte sequence in UTF-8). */
export function checkId(what: string, id: string, max = MAX_ID_BYTES): void {
  if (id.length * 3 > max && Buffer.byteLength(id) > max) {
    throw storageError(
      "too_large",
      `A ${what} is longer than ${max} bytes.`,
      `Use a shorter ${what}, or a digest of it.`,
    );
  }
  if (LONE_SURROGATE.test(id)) {
    throw new SnapchatError({
      code: "invalid_id",
      kind: "fix_data",
      message: `A ${what} is not well-formed Unicode.`,
      fix: "Use text that UTF-8 can hold, or a digest.",
    });
  }
}

export function checkGroup(group: Group): void {
  checkId("tenant id", group.tenantId);
  checkId("destination id", group.destinationId);
  checkId("group name", group.name);
  checkId("credential id", group.credentialId);
}

export function checkEntries(entries: readonly NewEntry[], maxEntryBytes: number): void {
  if (entries.length > MAX_ENTRIES) {
    throw storageError(
      "too_large",
      `An append holds ${entries.length} entries; at most ${MAX_ENTRIES} are taken.`,
      "Append in several calls.",
    );
  }
  for (const entry of entries) {
    checkId("entry id", entry.id);
    if (entry.payload.byteLength > maxEntryBytes) {
      throw storageError(
        "too_large",
        `An entry holds ${entry.payload.byteLength} bytes; the engine takes ${maxEntryBytes}.`,
        "Split the entry: capabilities.maxEntryBytes says how far.",
        { details: { bytes: entry.payload.byteLength, maxEntryBytes } },
      );
    }
  }
}

export function checkValue(key: string, value: Uint8Array, maxValueBytes: number): void {
  checkId("record key", key, MAX_KEY_BYTES);
  if (value.byteLength > maxValueBytes) {
    throw storageError(
      "too_large",
      `A record holds ${value.byteLength} bytes; the engine takes ${maxValueBytes}.`,
      "Store less in one record: capabilities.maxValueBytes says how much.",
      { details: { bytes: value.byteLength, maxValueBytes } },
    );
  }
}

/** Outcomes by id. An outcome for an entry that is not in the claim is a mistake of the caller, lost claim or not. */
export function outcomesById(claim: Claim, outcomes: readonly Outcome[]): Map<string, Outcome> {
  const inClaim = new Set(claim.entries.map((entry) => entry.id));
  const byId = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    if (!inClaim.has(outcome.id)) {
      throw new SnapchatError({
        code: "entry_not_in_claim",
        kind: "bug",
        message: "An outcome names an entry that is not in the claim.",
        fix: "Settle only the entries the claim brought.",
        details: { destinationId: claim.group.destinationId, group: claim.group.name },
      });
    }
    byId.set(outcome.id, outcome);
  }
  return byId;
}

export function checkMemberOps(ops: readonly MemberOp[]): void {
  if (ops.length > MAX_MEMBER_OPS) {
    throw storageError(
      "too_large",
      `A call holds ${ops.length} membership operations; at most ${MAX_MEMBER_OPS} are taken.`,
      "Call once per page.",
    );
  }
}
