/**
 * The whole destination, for a host with many tenants: begin with {@link createSnapchat}.
 *
 * @module snapchat-destination
 */
export type { Clock } from "./clock.ts";
export type {
  DeliveryEvent,
  DeliverySettings,
  DeliveryStats,
  DrainReport,
  EventReceipt,
  Health,
  HealthProblem,
  ReceiptEntry,
  Worker,
  WorkerOptions,
} from "./delivery/index.ts";
export type {
  AuditLine,
  AuditQuery,
  CheckLine,
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
export {
  type ErrorDetails,
  type ErrorKind,
  isSnapchatError,
  Secret,
  SnapchatError,
  type SnapchatErrorInit,
} from "./errors.ts";
export type { Inspection, Person, WithdrawalReport } from "./people/index.ts";
export {
  type BeforeSendAnswer,
  type ConsentPurpose,
  type ConsentSubject,
  definePlugin,
  type Enrichment,
  type HookContext,
  type HookName,
  type HostMember,
  type HostSegment,
  type Notification,
  type PersonReference,
  type Plugin,
  type PluginFailure,
  type ResolvedPerson,
} from "./plugins/index.ts";
export type { EventScreen } from "./snapchat/event-screen.ts";
export type { SnapchatEvents } from "./snapchat/events.ts";
export type { ExplainedPart, Explanation } from "./snapchat/explain.ts";
export type { IdentifierExplanation } from "./snapchat/explain-identifiers.ts";
export type { Logger } from "./snapchat/log.ts";
export { manifest } from "./snapchat/manifest.ts";
export type { ReauthRequired, SnapchatApp, SnapchatOptions, TenantEvent, TrackOptions } from "./snapchat/options.ts";
export type { Receipt, ReceiptPart, ReceiptStatus } from "./snapchat/receipt.ts";
export type {
  LinkOptions,
  SegmentPatch,
  SegmentUpdateReport,
} from "./snapchat/segments/segments.ts";
export type { LinkedSegment } from "./snapchat/segments/status.ts";
export type { SegmentSync, SyncOptions } from "./snapchat/segments/sync.ts";
export type { TenantSegments } from "./snapchat/segments/tenant-segments.ts";
export type { SendNowOptions, SendOutcome, SendPart, SendStatus } from "./snapchat/send-now.ts";
export type { SignInOptions, SnapchatOAuth } from "./snapchat/sign-in.ts";
export type { Tenant } from "./snapchat/tenant.ts";
export type { TenantAccounts } from "./snapchat/tenant-accounts.ts";
export type { TenantDeadLetters } from "./snapchat/tenant-dead-letters.ts";
export type { TenantPixel, TenantPixelTagOptions } from "./snapchat/tenant-pixel.ts";
export type { FindReceipts, TenantReceipts } from "./snapchat/tenant-receipts.ts";
export type { VerifyReport } from "./snapchat/verify/verify.ts";
export { createSnapchat, type Snapchat } from "./snapchat.ts";
export type { Storage } from "./storage/ports.ts";
export { presets, setToggle } from "./workflow/index.ts";
