import type { StateCodeCountry } from "../identity/index.ts";
import type { Issue } from "../wire/event.ts";

/** A person's answer to App Tracking Transparency on iOS. */
export type AttStatus = "authorized" | "denied" | "restricted" | "not_determined";

/** How an event is prepared: a destination's settings and the times of this call. */
export interface PrepareOptions {
  /** ISO 3166-1 alpha-2: reads national phone numbers. */
  defaultCountry?: string | undefined;
  /** Countries besides the United States whose state names become codes. Default: none. */
  stateCodes?: readonly StateCodeCountry[] | undefined;
  /** Name of the platform that sends; Snapchat asks partners for it. */
  integration?: string | undefined;
  /** Marks every event as a test: logged by Snapchat, not counted. */
  testEventCode?: string | undefined;
  /** `repair` (default): fix or leave out the bad field and say so. `strict`: reject the event instead. */
  policy?: "repair" | "strict" | undefined;
  /** The present, for age and future. Milliseconds since 1970. Never written into the event. */
  nowMs: number;
  /** When the host received the event: the time of an event that has none. Milliseconds since 1970. */
  receivedAtMs?: number | undefined;
  /** Asks Snapchat for limited use of the data. */
  limitedUse?: boolean | undefined;
  /** How limited use is spelt. Sources disagree; `LMU` is the one transcribed from Snapchat's pages. Default `LMU`. */
  limitedUseSpelling?: "LMU" | "LDU" | "lmu" | undefined;
  /**
   * Dotted paths that may leave: `custom_data.value`, `user_data.em`, or a whole object: `custom_data`. What Snapchat
   * requires always leaves. Absent: every field of the table.
   */
  allowFields?: readonly string[] | undefined;
  /** Query parameters that stay in addresses besides `ScCid` and `utm_*`. */
  urlParameters?: readonly string[] | undefined;
  /** Address of an event from the web that has none: the shop's home page. */
  fallbackUrl?: string | undefined;
  /** Oldest event by action source. Milliseconds. Default 7 days, offline 37. */
  ageLimitsMs?: Partial<Record<"WEB" | "MOBILE_APP" | "OFFLINE", number>> | undefined;
  /** How far ahead `event_time` may lie. Milliseconds. Default 5 minutes. */
  futureToleranceMs?: number | undefined;
  /** Lets names outside the 31 pass. */
  freeEventNames?: boolean | undefined;
  /** The event comes from one already held against `brokenBound`: it is not walked again. */
  bounded?: boolean | undefined;
  /** The person's answer, where the event does not carry it. */
  attStatus?: AttStatus | undefined;
}

/** An event made ready: the JSON text to send, or the reason why not. */
export type Prepared = PreparedEvent | RefusedEvent;

/** Everything in it is final: it may be stored and sent later, and sent again. */
export interface PreparedEvent {
  ok: true;
  /** One element of `data`, as it is sent. */
  json: string;
  eventId: string | undefined;
  eventName: string;
  /** Seconds since 1970. */
  eventTime: number;
  orderId: string | undefined;
  /** Names of the `user_data` fields that are present. */
  identifiers: string[];
  issues: Issue[];
}

/** An event that may not be sent, and why. */
export interface RefusedEvent {
  ok: false;
  /** Code of the issue that rejects the event. */
  reason: string;
  issues: Issue[];
}
