import { answerFailure } from "../http/ads-failure.ts";
import { entitiesOf, isRecord } from "./answer.ts";
import type { AudiencesCall, Seen } from "./call.ts";
import { changedFields, checkSegmentChange, type SegmentChange } from "./new-segment.ts";
import { readSegment, type Segment } from "./segment.ts";
import { type Channel, request, withRetries } from "./transport.ts";

/** A segment after a change, and what Snapchat did not take of it. */
export interface SegmentUpdated {
  segment: Segment;
  /** Fields that Snapchat answered with another value than was asked: it did not take the change. */
  ignored: (keyof SegmentChange)[];
}

const GET = "GET /segments/{id}";
const PUT = "PUT /adaccounts/{id}/segments";

/** Snapchat's fields by ours. */
const FIELDS = {
  name: "name",
  description: "description",
  retentionInDays: "retention_in_days",
  status: "status",
} as const satisfies Record<keyof SegmentChange, string>;

/** Get, change, put the whole: a field that is missing in the body may be taken for empty. */
export async function updateSegment(
  channel: Channel,
  segmentId: string,
  change: SegmentChange,
  call: AudiencesCall,
  seen: Seen,
): Promise<SegmentUpdated> {
  checkSegmentChange(change);
  const path = `/segments/${encodeURIComponent(segmentId)}`;
  return withRetries(channel, call, async () => {
    const got = await request(channel, call, seen, { method: "GET", path, label: GET });
    const [entity] = entitiesOf(got, GET);
    if (!isRecord(entity)) throw answerFailure(got, GET, { message: "The answer holds no segment." });
    const fields = changedFields(change, readSegment(entity).sourceType);
    const account = `/adaccounts/${encodeURIComponent(String(entity.ad_account_id ?? ""))}/segments`;
    const body = JSON.stringify({ segments: [{ ...entity, ...fields }] });
    const put = await request(channel, call, seen, { method: "PUT", path: account, label: PUT, body });
    const [echo] = entitiesOf(put, PUT);
    if (!isRecord(echo)) throw answerFailure(put, PUT, { message: "The answer holds no segment." });
    const ignored = (Object.keys(FIELDS) as (keyof SegmentChange)[]).filter(
      (field) => fields[FIELDS[field]] !== undefined && echo[FIELDS[field]] !== fields[FIELDS[field]],
    );
    return { segment: readSegment(echo), ignored };
  });
}
