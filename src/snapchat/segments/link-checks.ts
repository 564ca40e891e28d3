import type { Segment } from "../../audiences/index.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
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
