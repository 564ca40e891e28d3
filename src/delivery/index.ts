export type { GroupRef, Queued } from "./append.ts";
export type { Counters } from "./counters.ts";
export type { DeadLetterFilter, DeadLetterInfo, DeadLetterListOptions } from "./dead-letters.ts";
export { createDelivery, type Delivery, type DeliveryOptions, type DrainReport } from "./delivery.ts";
export type { DeliveryEvent, Emit, OnSettled, SettledItem } from "./emitted.ts";
export type {
  AskedItem,
  Consent,
  Credential,
  Credentials,
  EventOutcome,
  EventSender,
  EventSendOptions,
  LimitScope,
  MemberKind,
  RequestRecord,
  Sealer,
  SegmentSeen,
  SegmentSender,
  SegmentSendOptions,
} from "./interfaces.ts";
export { type DeliveryItem, type EventItem, eventsGroup, type MemberItem, membersGroup } from "./item.ts";
export {
  type EndLine,
  type IngestLine,
  type JournalAnswer,
  type JournalEvent,
  type JournalLine,
  type JournalPart,
  type RequestLine,
  sampled,
} from "./journal-line.ts";
export type { ListQueue } from "./list-queue.ts";
export type { NowOutcome } from "./now-outcome.ts";
export type { PageDone } from "./page-done.ts";
export type { PreparedEntry } from "./prepare.ts";
export type { EventReceipt, ReceiptEntry, ReceiptQuery } from "./receipts.ts";
export type { ReplayOptions, ReplayReport } from "./replay.ts";
export {
  changeSegmentLink,
  readSegmentLink,
  SEGMENT_DELETED,
  type SegmentLink,
  type SegmentLinkRef,
  type SegmentProblem,
  segmentGroup,
  segmentLinkId,
  segmentLinkKey,
  segmentLinks,
  segmentMarker,
  writeSegmentLink,
} from "./segment-link.ts";
export type { SendNowOptions } from "./send-now.ts";
export { DEFAULT_SETTINGS, type DeliverySettings } from "./settings.ts";
export type { DeliveryStats, Health, HealthProblem } from "./stats.ts";
export type { Worker, WorkerOptions } from "./worker.ts";
