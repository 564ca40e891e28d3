export type { Clock } from "./clock.ts";
export {
  type ErrorDetails,
  type ErrorKind,
  isSnapchatError,
  Secret,
  SnapchatError,
  type SnapchatErrorInit,
} from "./errors.ts";
export type { Explanation } from "./snapchat/explain.ts";
export type { ReauthRequired, SnapchatApp, SnapchatOptions, TenantEvent, TrackOptions } from "./snapchat/options.ts";
export type { Receipt, ReceiptPart, ReceiptStatus } from "./snapchat/receipt.ts";
export type { LinkedSegment } from "./snapchat/segments.ts";
export type { Tenant } from "./snapchat/tenant.ts";
export type { VerifyReport } from "./snapchat/verify.ts";
export { createSnapchat, type Snapchat, type SnapchatOAuth, type Stats } from "./snapchat.ts";
export type { Storage } from "./storage/ports.ts";
export { presets, setToggle } from "./workflow/index.ts";
