/**
 * Audiences: segments, lookalikes and the members of customer lists.
 *
 * @module
 */
export { isSegmentGone } from "./answer.ts";
export type { AudiencesCall, Pending, ResponseHead } from "./call.ts";
export { AudiencesClient, type AudiencesClientOptions, type MembersAllCall, type MembersSummary } from "./client.ts";
export { type CsvOptions, csvMembers } from "./list/csv.ts";
export { ndjsonMembers } from "./list/ndjson.ts";
export { progressLine, type SyncMode, type SyncProgress } from "./list/progress.ts";
export type { ListRow, TextSource, UnusableRow } from "./list/row.ts";
export { type ListSync, type ListSyncDependencies, syncList } from "./list/sync.ts";
export type { SegmentList, SegmentPage } from "./list-segments.ts";
export { MEMBER_SCHEMAS, type MemberKind, type MembersAccepted } from "./members.ts";
export {
  checkSegmentChange,
  type NewLookalike,
  type NewSegment,
  type SegmentChange,
  segmentMarker,
} from "./new-segment.ts";
export { type MemberPage, type MemberPagesOptions, memberPages, memberPagesAsync } from "./pages.ts";
export type { Segment } from "./segment.ts";
export type { SegmentUpdated } from "./update-segment.ts";
export { type SegmentState, segmentState } from "./words.ts";
