import { isRecord } from "./answer.ts";

/** An audience segment as Snapchat describes it (Ads-API/customer-lists). */
export interface Segment {
  /** A decimal number as text: it does not fit a JavaScript number. */
  id: string;
  name: string;
  description?: string | undefined;
  adAccountId?: string | undefined;
  /** `FIRST_PARTY` is a customer list; only those take members. Others: `LOOKALIKE`, `PIXEL`, `MOBILE`, `ENGAGEMENT`, … */
  sourceType?: string | undefined;
  /** Days a member stays; 9999 is for ever. */
  retentionInDays?: number | undefined;
  /** `ACTIVE`, `PENDING`, `PAUSED`. */
  status?: string | undefined;
  /** `NO_UPLOAD`, `PROCESSING`, `COMPLETE`. */
  uploadStatus?: string | undefined;
  /** `NOT_READY`, `TOO_FEW_USERS`, `READY`. */
  targetableStatus?: string | undefined;
  /** People whom Snapchat matched, estimated. The only number of matches it ever gives. */
  approximateNumberUsers?: number | undefined;
  createdAt?: string | undefined;
  updatedAt?: string | undefined;
}

/** Reads an entity of Snapchat's; what is missing stays absent. */
export function readSegment(raw: unknown): Segment {
  const entity = isRecord(raw) ? raw : {};
  const text = (key: string) => {
    const value = entity[key];
    return typeof value === "string" ? value : undefined;
  };
  const number = (key: string) => {
    const value = entity[key];
    return typeof value === "number" ? value : undefined;
  };
  return {
    id: typeof entity.id === "string" || typeof entity.id === "number" ? String(entity.id) : "",
    name: text("name") ?? "",
    description: text("description"),
    adAccountId: text("ad_account_id"),
    sourceType: text("source_type"),
    retentionInDays: number("retention_in_days"),
    status: text("status"),
    uploadStatus: text("upload_status"),
    targetableStatus: text("targetable_status"),
    approximateNumberUsers: number("approximate_number_users"),
    createdAt: text("created_at"),
    updatedAt: text("updated_at"),
  };
}
