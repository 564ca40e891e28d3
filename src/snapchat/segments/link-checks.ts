import type { MemberKind, Segment } from "../../audiences/index.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
import { SnapchatError } from "../../errors.ts";
import { wrong } from "./errors.ts";

/** @throws {SnapchatError} `segment_not_a_list`, `segment_of_other_account` (fix_configuration) */
export function checkLinkable({ adAccountId }: ActiveDestination, segment: Segment): void {
  if (segment.sourceType !== undefined && segment.sourceType !== "FIRST_PARTY") {
    throw wrong(
      "segment_not_a_list",
      `Snapchat takes members for customer lists only; this audience is of the kind ${segment.sourceType}.`,
      "Link a customer list, or let the segment be made.",
    );
  }
  if (segment.adAccountId !== undefined && segment.adAccountId !== adAccountId) {
    throw wrong(
      "segment_of_other_account",
      "This audience belongs to another ad account than the destination uses.",
      "Link an audience of the destination's ad account.",
    );
  }
}

const KINDS: readonly unknown[] = ["email", "phone", "mobile_ad_id"] satisfies MemberKind[];

/** @throws {SnapchatError} `segment_identifiers_invalid` (fix_data) */
export function checkIdentifiers(kinds: unknown): void {
  if (Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => KINDS.includes(kind))) return;
  throw new SnapchatError({
    code: "segment_identifiers_invalid",
    kind: "fix_data",
    message: "The identifiers of a segment are a list of email, phone and mobile_ad_id, at least one of them.",
    fix: "Name the kinds that may enter the segment, or leave them out for all that the destination sends.",
  });
}

export const linkedAlready = (key: string) =>
  wrong(
    "segment_linked_already",
    `This audience is kept in step with the segment ${key.slice(0, 40)} already.`,
    "Link another audience: two segments in one list would remove each other's members.",
  );

export const idInvalid = () =>
  wrong(
    "segment_id_invalid",
    "Snapchat's id of a segment is a number, as text.",
    "Take it from Ads Manager or segments.list().",
  );

export const choiceInvalid = () =>
  wrong(
    "segments_choice_invalid",
    "A segment is kept, emptied or deleted.",
    "Say what becomes of the segment at Snapchat.",
  );
