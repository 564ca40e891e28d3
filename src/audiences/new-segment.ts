import { SnapchatError } from "../errors.ts";
import { LIMITS } from "../wire/limits.ts";

/** A customer list to be made. */
export interface NewSegment {
  /** 1 to 375 characters. */
  name: string;
  description?: string | undefined;
  /** Days a member stays, 1 to 9998. Absent, 0 or 9999: for ever. */
  retentionInDays?: number | undefined;
  /**
   * A text that is added to the description: `cdp:<key>#<id>`, see {@link segmentMarker}. With it, or with one in the
   * description, a creation whose answer was lost is looked for before it is tried again.
   */
  marker?: string | undefined;
}

/** A lookalike of another segment to be made (Ads-API/lookalikes). */
export interface NewLookalike extends NewSegment {
  seedSegmentId: string;
  /** ISO 3166-1 alpha-2 codes, at least one. */
  countries: readonly string[];
  /** How alike: default `BALANCE`. */
  type?: "BALANCE" | "SIMILARITY" | "REACH" | undefined;
}

/** What may be changed later. Snapchat decides whether it takes it. */
export interface SegmentChange {
  name?: string | undefined;
  description?: string | undefined;
  retentionInDays?: number | undefined;
  status?: "ACTIVE" | "PAUSED" | undefined;
}

/** Snapchat's way of writing "for ever". */
const LIFETIME_DAYS = 9_999;
/** Longest retention of a lookalike, and what it gets without one. Days. */
const LOOKALIKE_DAYS = 180;
/** Longest marker: the rest of the description belongs to the host. */
const MAX_MARKER = 512;

/**
 * The text that finds a segment again: by the CDP's key for people, by the id for machines.
 *
 * @throws {SnapchatError} `segment_key_invalid` (fix_data) for an empty key, or one longer than 400 characters
 * @example
 * ```ts
 * import { segmentMarker } from "snapchat-destination/audiences";
 *
 * segmentMarker("vip", "7f3a"); // "cdp:vip#7f3a"
 * ```
 */
export function segmentMarker(key: string, id: string): string {
  if (key.trim() === "" || key.length > 400) {
    throw new SnapchatError({
      code: "segment_key_invalid",
      kind: "fix_data",
      message: `A segment's key has 1 to 400 characters, not ${key.length}.`,
      fix: "Use the key the customer data platform knows the segment by.",
      details: { length: key.length },
    });
  }
  return `cdp:${key}#${id}`;
}

/** The marker of a segment to be made: its own, or one that stands in its description. */
export function markerOf({ marker, description }: NewSegment): string | undefined {
  return marker ?? /cdp:[^#]+#\S+/.exec(description ?? "")?.[0];
}

/** Snapchat's form of a customer list. @throws {SnapchatError} `segment_…_invalid` (fix_data) */
export function customerListBody(adAccountId: string, segment: NewSegment): Record<string, unknown> {
  return {
    ...common(adAccountId, segment),
    source_type: "FIRST_PARTY",
    retention_in_days: retention(segment.retentionInDays, LIFETIME_DAYS),
  };
}

/** Snapchat's form of a lookalike. @throws {SnapchatError} `segment_…_invalid`, `lookalike_…_invalid` (fix_data) */
export function lookalikeBody(adAccountId: string, lookalike: NewLookalike): Record<string, unknown> {
  const { seedSegmentId, countries, type = "BALANCE" } = lookalike;
  if (typeof seedSegmentId !== "string" || !/^\d+$/.test(seedSegmentId)) {
    throw invalid("lookalike_seed_invalid", "A lookalike needs the id of the segment it is made from, as text.");
  }
  const codes = countries.map((country) => country.toUpperCase());
  if (codes.length === 0 || !codes.every((code) => /^[A-Z]{2}$/.test(code))) {
    throw invalid("lookalike_countries_invalid", "A lookalike needs at least one country, by its two-letter code.");
  }
  if (!["BALANCE", "SIMILARITY", "REACH"].includes(type)) {
    throw invalid("lookalike_type_invalid", "A lookalike's type is BALANCE, SIMILARITY or REACH.");
  }
  return {
    ...common(adAccountId, lookalike),
    source_type: "LOOKALIKE",
    retention_in_days: retention(lookalike.retentionInDays, LOOKALIKE_DAYS),
    creation_spec: { seed_segment_id: seedSegmentId, countries: codes, type },
  };
}

/** Of a segment that may not be made yet. @internal @throws {SnapchatError} `segment_…_invalid` (fix_data) */
export function checkSegmentChange(change: SegmentChange): void {
  changedFields(change, undefined);
}

/** The changed fields in Snapchat's words. @throws {SnapchatError} `segment_…_invalid` (fix_data) */
export function changedFields(change: SegmentChange, sourceType: string | undefined): Record<string, unknown> {
  const longest = sourceType === "LOOKALIKE" ? LOOKALIKE_DAYS : LIFETIME_DAYS;
  return {
    ...(change.name === undefined ? {} : { name: checkedName(change.name) }),
    ...(change.description === undefined ? {} : { description: change.description }),
    ...(change.retentionInDays === undefined ? {} : { retention_in_days: retention(change.retentionInDays, longest) }),
    ...(change.status === undefined ? {} : { status: change.status }),
  };
}

function common(adAccountId: string, { name, description, marker }: NewSegment): Record<string, unknown> {
  if (marker !== undefined && (marker.trim() === "" || marker.length > MAX_MARKER)) {
    throw invalid("segment_marker_invalid", `A segment's marker has 1 to ${MAX_MARKER} characters.`);
  }
  const text = [description, marker].filter((part) => part).join(" ");
  return { name: checkedName(name), ...(text === "" ? {} : { description: text }), ad_account_id: adAccountId };
}

/** Snapchat counts characters, not UTF-16 code units. */
function checkedName(name: unknown): string {
  if (typeof name === "string" && name.trim() !== "" && [...name].length <= LIMITS.segmentNameLength) return name;
  throw invalid(
    "segment_name_invalid",
    `A segment's name has 1 to ${LIMITS.segmentNameLength} characters.`,
    "Shorten the name, or the name template of the destination.",
  );
}

function retention(days: number | undefined, longest: number): number {
  if (days === undefined || days === 0) return longest;
  if (Number.isInteger(days) && days >= 1 && days <= longest) return days;
  throw invalid(
    "segment_retention_invalid",
    `Retention is a whole number of days from 1 to ${longest}, or 0 for the longest.`,
    "Correct the destination's audience settings.",
  );
}

function invalid(code: string, message: string, fix = "Correct the value and try again."): SnapchatError {
  return new SnapchatError({ code, kind: "fix_data", message, fix });
}
