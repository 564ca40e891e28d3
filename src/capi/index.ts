/**
 * Conversion events: the client of the Conversions API, and what checks, repairs and hashes an event before.
 *
 * @module capi
 */
export type { ActionSource } from "../wire/action-sources.ts";
export { type Bounds, type BrokenBound, brokenBound } from "../wire/bounds.ts";
export type { Issue, OneOrMany, SnapEventInput, UserDataInput } from "../wire/event.ts";
export { EVENT_NAMES, type EventName } from "../wire/event-names.ts";
export { type Extinfo, type ExtinfoArray, extinfo } from "../wire/extinfo.ts";
export { FIELDS, type Field, type FieldKind, type FieldLevel, pixelName } from "../wire/fields.ts";
export type { AppData, Content, CustomData, SnapEvent } from "../wire/snap-event.ts";
export type { Call, CallOptions, ResponseHead, WithResponse } from "./call.ts";
export { ConversionsClient } from "./client.ts";
export type {
  ConversionsClientOptions,
  PreparedText,
  SendOptions,
  SendPreparedOptions,
  SendPreparedResult,
  SendResult,
} from "./client-options.ts";
export { AGE_LIMITS_MS, FUTURE_TOLERANCE_MS, isTooOld } from "./event-time.ts";
export type { EventCount, EventLogEntry, EventStats } from "./logs.ts";
export type { AttStatus, Prepared, PreparedEvent, PrepareOptions, RefusedEvent } from "./options.ts";
export type { EventOutcome, RequestRecord } from "./outcome.ts";
export { prepareEvent } from "./prepare.ts";
export type { RateLimit } from "./rate-limit.ts";
export { REPAIRS, type Repair, type RepairCode } from "./repairs.ts";
export type { RequestPlan, Token } from "./transport.ts";
export { type Validated, type ValidateOptions, validate } from "./validate.ts";
export type { SnapchatVerdict, Validation } from "./validation.ts";
