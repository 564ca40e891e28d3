export {
  type AudiencesCall,
  AudiencesClient,
  type AudiencesClientOptions,
  isSegmentGone,
  type MembersAccepted,
} from "./client.ts";
export { MEMBER_SCHEMAS, type MemberKind, type NewSegment, type Segment } from "./segment.ts";
