import type { Segment } from "./segment.ts";

/** Where a segment stands, for a person who plans a campaign. */
export interface SegmentState {
  /** `unusable` where Snapchat has nobody to show ads to yet, for whatever reason. */
  state: "empty" | "processing" | "too_small" | "ready" | "paused" | "unknown";
  /** One sentence. */
  words: string;
  /** What may be done about it; absent where nothing has to be. */
  advice?: string;
  /** People matched, estimated: `about 12,000`. Absent while Snapchat does not say. */
  size?: string;
}

/** Matched people that a segment needs before ads can be shown to it (business help). */
const MINIMUM_PEOPLE = 1_000;

/**
 * Snapchat's status fields in a marketer's words. `TOO_FEW_USERS` comes first: a list that was matched and is too small
 * stays unusable however complete its uploads are.
 *
 * @example
 * ```ts
 * import { type Segment, segmentState } from "snapchat-destination/audiences";
 *
 * export function line(segment: Segment): string {
 *   const { words, advice = "" } = segmentState(segment);
 *   return `${segment.name}: ${words} ${advice}`; // "VIP: Snapchat is still matching …"
 * }
 * ```
 */
export function segmentState(segment: Segment): SegmentState {
  const size = sizeOf(segment);
  const with_ = (state: Omit<SegmentState, "size">): SegmentState => ({ ...state, ...(size ? { size } : {}) });
  const { status, uploadStatus, targetableStatus, sourceType } = segment;
  if (status === "PAUSED") {
    return with_({
      state: "paused",
      words: "The segment is paused at Snapchat.",
      advice: "Switch it on in Ads Manager.",
    });
  }
  if (targetableStatus === "READY") {
    return with_({
      state: "ready",
      words: `The segment can be used in campaigns${size ? `; Snapchat matched ${size} people` : ""}.`,
    });
  }
  if (uploadStatus === "NO_UPLOAD" && (sourceType === undefined || sourceType === "FIRST_PARTY")) {
    return with_({
      state: "empty",
      words: "Nobody has been sent to the segment yet.",
      advice: "It fills by itself as people enter it; nothing has to be done.",
    });
  }
  if (targetableStatus === "TOO_FEW_USERS") {
    return with_({
      state: "too_small",
      words: `Snapchat matched too few people${size ? ` (${size})` : ""}; ads need at least ${MINIMUM_PEOPLE.toLocaleString("en")}.`,
      advice: "Add people, or more kinds of identifiers: e-mail, phone and mobile advertising id together match best.",
    });
  }
  if (uploadStatus === "PROCESSING" || targetableStatus === "NOT_READY") {
    return with_({
      state: "processing",
      words: "Snapchat is matching the people it was sent; this takes some hours, at most two days.",
    });
  }
  return with_({ state: "unknown", words: "Snapchat does not say where the segment stands." });
}

function sizeOf({ approximateNumberUsers: people }: Segment): string | undefined {
  if (people === undefined) return undefined;
  if (people < MINIMUM_PEOPLE) return people === 0 ? "none" : `fewer than ${MINIMUM_PEOPLE.toLocaleString("en")}`;
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(people)) - 1);
  return `about ${(Math.round(people / digits) * digits).toLocaleString("en")}`;
}
