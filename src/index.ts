/**
 * The whole destination, for a host with many tenants: begin with {@link createSnapchat}.
 *
 * @module snapchat-destination
 */
export type { Clock } from "./clock.ts";
export type {
  Counters,
  DeadLetterFilter,
  DeadLetterInfo,
  DeadLetterListOptions,
  DeliveryEvent,
  DeliverySettings,
  DeliveryStats,
  DrainReport,
  EventReceipt,
  Health,
  HealthProblem,
  JournalPart,
  ReceiptEntry,
  ReplayOptions,
  ReplayReport,
  SegmentProblem,
  Worker,
  WorkerOptions,
} from "./delivery/index.ts";
export type { LoweredLimit } from "./delivery/limits.ts";
export type {
  AudienceSettings,
  AuditLine,
  AuditQuery,
  CheckLine,
  ConnectionInfo,
  DeleteOptions,
  DeleteReport,
  Destination,
  DestinationPatch,
  DestinationSettings,
  DisableOptions,
  MutationOptions,
  NewDestination,
  OffboardOptions,
  OffboardReport,
  PreflightReport,
  QueueOnDisable,
  QueueOnMove,
  SegmentsChoice,
  SegmentsReport,
  SettingsPatch,
  Staying,
  Tenant as TenantStanding,
  TenantDestinations,
  TenantStatus,
  Tenants,
  TokenStatus,
  UpdateOptions,
} from "./destinations/index.ts";
export type { TenantMutation } from "./destinations/tenants.ts";
export {
  type ErrorDetails,
  type ErrorKind,
  isSnapchatError,
  Secret,
  SnapchatError,
  type SnapchatErrorInit,
} from "./errors.ts";
export type { Fetch } from "./http/index.ts";
export type {
  Inspection,
  Membership,
  Person,
  Remaining,
  RevokeOptions,
  WithdrawalReport,
  WithdrawOptions,
} from "./people/index.ts";
export type { MembershipView } from "./people/people.ts";
export {
  type BeforeSendAnswer,
  type ConsentPurpose,
  type ConsentSubject,
  definePlugin,
  type Enrichment,
  type FetchLike,
  type HookContext,
  type HookName,
  type Hooks,
  type HostMember,
  type HostSegment,
  type IdentityPurpose,
  type KeyHook,
  type Notification,
  type PersonReference,
  type Plugin,
  type PluginChange,
  type PluginFailure,
  type ResolvedPerson,
} from "./plugins/index.ts";
export type { LimitSettings } from "./snapchat/credentials.ts";
export type { EventScreen } from "./snapchat/event-screen.ts";
export type { SnapchatEvents } from "./snapchat/events.ts";
export type { ExplainedPart, Explanation } from "./snapchat/explain.ts";
export type { IdentifierExplanation } from "./snapchat/explain-identifiers.ts";
export type { Logger } from "./snapchat/log.ts";
export { manifest } from "./snapchat/manifest.ts";
export type { ReauthRequired, SnapchatApp, SnapchatOptions, TenantEvent, TrackOptions } from "./snapchat/options.ts";
export type { PixelDomain } from "./snapchat/pixel-domains.ts";
export type { Receipt, ReceiptPart, ReceiptStatus } from "./snapchat/receipt.ts";
export type {
  LinkOptions,
  ListOptions as SegmentListOptions,
  SegmentPatch,
  SegmentUpdateReport,
} from "./snapchat/segments/segments.ts";
export type { LinkedSegment } from "./snapchat/segments/status.ts";
export type { SegmentSync, SyncOptions } from "./snapchat/segments/sync.ts";
export type { TenantSegments } from "./snapchat/segments/tenant-segments.ts";
export type { SendNowOptions, SendOutcome, SendPart, SendStatus } from "./snapchat/send-now.ts";
export type { SignInOptions, SnapchatOAuth } from "./snapchat/sign-in.ts";
export type { EventSignal, SignalAdvice, SignalReport } from "./snapchat/signals/report.ts";
export type { SkipAlarm } from "./snapchat/skip-share.ts";
export type { ExplainOptions, Tenant } from "./snapchat/tenant.ts";
export type { TenantAccounts } from "./snapchat/tenant-accounts.ts";
export type { TenantDeadLetters } from "./snapchat/tenant-dead-letters.ts";
export type { TenantPixel, TenantPixelTagOptions } from "./snapchat/tenant-pixel.ts";
export type { FindReceipts, TenantReceipts } from "./snapchat/tenant-receipts.ts";
export type { SnapchatSaw } from "./snapchat/verify/snapchat-lines.ts";
export type { VerifyReport } from "./snapchat/verify/verify.ts";
export { createSnapchat, type Snapchat } from "./snapchat.ts";
export type { Storage } from "./storage/ports.ts";
export type { Endpoints } from "./wire/endpoints.ts";
export { presets, setToggle } from "./workflow/index.ts";
