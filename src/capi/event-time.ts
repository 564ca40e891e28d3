import type { ActionSource } from "../wire/action-sources.ts";
import type { PrepareOptions } from "./options.ts";
import type { RepairCode } from "./repairs.ts";

const DAY_MS = 86_400_000;

/** Oldest event Snapchat takes (Conversions-API/Parameters as transcribed; offline as its partners send). Milliseconds. */
export const AGE_LIMITS_MS: Readonly<Record<ActionSource, number>> = {
  WEB: 7 * DAY_MS,
  MOBILE_APP: 7 * DAY_MS,
  OFFLINE: 37 * DAY_MS,
};

/** How far ahead an event's time may lie. Snapchat documents no figure. Milliseconds. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000;

type Reading = { ms: number } | { code: "event_time_missing" | "event_time_invalid" | "event_time_ambiguous" };

const MISSING: Reading = { code: "event_time_missing" };
const INVALID: Reading = { code: "event_time_invalid" };
const AMBIGUOUS: Reading = { code: "event_time_ambiguous" };

const DIGITS = /^\d{1,16}(?:\.\d+)?$/;
const ISO = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(?:([Zz])|([+-])(\d\d):?(\d\d)?)$/;
const DATE_LIKE = /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}/;

/**
 * Reads a time in any form a host may have. Numbers are told apart by magnitude: ten digits are seconds, thirteen are
 * milliseconds, what lies between could be either. A date without a zone or without a time of day is ambiguous.
 */
export function readTime(value: unknown): Reading {
  if (typeof value === "number") return fromNumber(value);
  if (typeof value === "string") return fromText(value);
  if (value === undefined || value === null) return MISSING;
  if (value instanceof Date) {
    const ms = value.getTime();
    return Number.isNaN(ms) ? INVALID : { ms };
  }
  return INVALID;
}

function fromNumber(value: number): Reading {
  if (value >= 1e9 && value < 1e10) return { ms: Math.floor(value) * 1_000 };
  if (value >= 1e12 && value < 1e13) return { ms: Math.floor(value) };
  return value >= 1e10 && value < 1e12 ? AMBIGUOUS : INVALID;
}

function fromText(value: string): Reading {
  if (value.length > 64) return INVALID;
  const text = value.trim();
  if (text === "") return MISSING;
  if (DIGITS.test(text)) return fromNumber(Number(text));
  const match = ISO.exec(text);
  if (match === null) return DATE_LIKE.test(text) ? AMBIGUOUS : INVALID;
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHours, zoneMinutes] = match;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)));
  // `Date.UTC` rolls 31 February over into March; such a date was never meant.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return INVALID;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return INVALID;
  const offset = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * (sign === "-" ? -1 : 1);
  const milliseconds = Math.floor(Number(`0.${fraction ?? "0"}`) * 1_000);
  return { ms: date.getTime() + Number(second ?? 0) * 1_000 + milliseconds - offset * 60_000 };
}

export type JudgedTime = { seconds: number; repair?: RepairCode } | { refused: RepairCode };

/**
 * The time that is sent, a pure function of the event and of when the host received it: `nowMs` only judges. A time in
 * the future is replaced by a time the event itself carries, never by the present, which would change on a retry.
 */
export function judgeTime(time: unknown, carried: unknown, source: ActionSource, options: PrepareOptions): JudgedTime {
  const { nowMs } = options;
  const latest = nowMs + (options.futureToleranceMs ?? FUTURE_TOLERANCE_MS);
  const reading = readTime(time);
  let repair: RepairCode | undefined;
  let ms: number;
  if ("ms" in reading) {
    ms = reading.ms;
    if (ms > latest) {
      const other = readTime(carried);
      if (!("ms" in other) || other.ms > latest) return { refused: "event_in_future" };
      ms = other.ms;
      repair = "event_time_clamped";
    }
  } else {
    if (reading.code !== "event_time_missing") return { refused: reading.code };
    const { receivedAtMs } = options;
    if (receivedAtMs === undefined || !Number.isFinite(receivedAtMs)) return { refused: "event_time_missing" };
    if (receivedAtMs > latest) return { refused: "event_in_future" };
    ms = receivedAtMs;
    repair = "event_time_received";
  }
  if (isTooOld(ms, source, nowMs, options.ageLimitsMs)) return { refused: "event_too_old" };
  const seconds = Math.floor(ms / 1_000);
  return repair === undefined ? { seconds } : { seconds, repair };
}

/**
 * Whether an event is past the age Snapchat takes from its action source; a retry asks again before it sends.
 *
 * @example
 * ```ts
 * import { isTooOld } from "snapchat-destination/capi";
 *
 * const now = Date.now();
 * isTooOld(now - 3_600_000, "WEB", now); // false
 * isTooOld(now - 90 * 86_400_000, "WEB", now); // true
 * ```
 */
export function isTooOld(
  eventTimeMs: number,
  source: ActionSource,
  nowMs: number,
  limits: PrepareOptions["ageLimitsMs"] = undefined,
): boolean {
  return eventTimeMs < nowMs - (limits?.[source] ?? AGE_LIMITS_MS[source]);
}
