import type { RateLimit } from "./rate-limit.ts";

/**
 * What became of one event.
 *
 * - `delivered`: Snapchat answered VALID.
 * - `rejected`: the event itself is refused; the same event is refused again.
 * - `retry`: nothing is wrong with the event; send it again later.
 * - `unauthorized`: the token is refused (missing, expired, unknown, too new).
 * - `forbidden`: the token is good, but not for this asset.
 */
export interface EventOutcome {
  status: "delivered" | "rejected" | "retry" | "unauthorized" | "forbidden";
  /** False: Snapchat may have taken the event all the same. A repeat within 48 hours is then absorbed by its `event_id`. */
  known: boolean;
  /** The event's own id, where it has one. */
  eventId?: string;
  /** Snapchat's words, or ours; redacted. */
  message?: string;
  /** Snapchat's error code, or ours in `snake_case`. */
  code?: string;
  /** Wait at least this long. Milliseconds. */
  retryAfterMs?: number;
  /** Snapchat's `X-Request-Id` of the answer that decided. */
  requestId?: string;
}

/** One request that left, or failed on the way. */
export interface RequestRecord {
  /** `undefined`: no answer came. */
  status: number | undefined;
  requestId?: string;
  durationMs: number;
  /** Events in its body. */
  items: number;
  rateLimit?: RateLimit;
  /** `validate` counts nothing. */
  purpose: "events" | "validate" | "logs" | "stats";
  /** True for a request that only a bad event, a retry or a refused token made necessary. */
  extra: boolean;
  /** Which of the given tokens was used, from 0. */
  credential: number;
}
