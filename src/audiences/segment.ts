import { SnapchatError } from "../errors.ts";
import { LIMITS } from "../wire/limits.ts";

/** Kinds of identifiers that customer lists take. Names and addresses are not among them. */
export type MemberKind = "email" | "phone" | "mobile_ad_id";

/** Snapchat's names of the kinds, one per request (Ads-API/customer-lists). */
export const MEMBER_SCHEMAS: Readonly<Record<MemberKind, string>> = {
  email: "EMAIL_SHA256",
  phone: "PHONE_SHA256",
  mobile_ad_id: "MOBILE_AD_ID_SHA256",
};

export interface NewSegment {
  /** At most 375 characters. */
  name: string;
  description?: string | undefined;
  /** Days a member stays. Absent or 0: for ever. */
  retentionInDays?: number | undefined;
}

/** A customer list as Snapchat describes it. */
export interface Segment {
  /** A decimal number as text; it does not fit a JavaScript number. */
  id: string;
  name: string;
  description?: string | undefined;
  adAccountId?: string | undefined;
  sourceType?: string | undefined;
  retentionInDays?: number | undefined;
  /** `NO_UPLOAD`, `PROCESSING`, `COMPLETE`. */
  uploadStatus?: string | undefined;
  /** `NOT_READY`, `TOO_FEW_USERS`, `READY`. */
  targetableStatus?: string | undefined;
  /** Matched people, estimated. */
  approximateNumberUsers?: number | undefined;
}

/** Reads an entity of Snapchat's; what is missing stays absent. */
export function readSegment(raw: unknown): Segment {
  const entity = (typeof raw === "object" && raw !== null ? raw : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof entity[key] === "string" ? (entity[key] as string) : undefined);
  const number = (key: string) => (typeof entity[key] === "number" ? (entity[key] as number) : undefined);
  return {
    id: String(entity.id ?? ""),
    name: text("name") ?? "",
    description: text("description"),
    adAccountId: text("ad_account_id"),
    sourceType: text("source_type"),
    retentionInDays: number("retention_in_days"),
    uploadStatus: text("upload_status"),
    targetableStatus: text("targetable_status"),
    approximateNumberUsers: number("approximate_number_users"),
  };
}

/** What Snapchat would refuse about a new segment, or `undefined`. */
export function segmentProblem({ name, retentionInDays }: NewSegment): SnapchatError | undefined {
  if (typeof name !== "string" || name.trim() === "" || name.length > LIMITS.segmentNameLength) {
    return new SnapchatError({
      code: "segment_name_invalid",
      kind: "fix_data",
      message: `A segment's name has 1 to ${LIMITS.segmentNameLength} characters.`,
      fix: "Shorten the name, or the name template of the destination.",
    });
  }
  if (
    retentionInDays !== undefined &&
    !(Number.isInteger(retentionInDays) && retentionInDays >= 0 && retentionInDays <= 9_999)
  ) {
    return new SnapchatError({
      code: "segment_retention_invalid",
      kind: "fix_data",
      message: "Retention is a whole number of days from 0 (for ever) to 9999.",
      fix: "Correct the destination's audience settings.",
    });
  }
  return undefined;
}
