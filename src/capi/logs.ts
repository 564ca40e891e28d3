import { failureOf } from "./failures.ts";
import { isRecord } from "./field-names.ts";
import type { Exchanged } from "./transport.ts";
import { type Said, saidOf } from "./words.ts";

/** One event as Snapchat logged it. */
export interface EventLogEntry {
  eventName: string | undefined;
  /** As it was sent; Snapchat counts under `eventName`. */
  rawEventName: string | undefined;
  /** Milliseconds since 1970. */
  eventTimeMs: number | undefined;
  actionSource: string | undefined;
  valid: boolean;
  integration: string | undefined;
  /** Snapchat's words, redacted. */
  errors: string[];
  warnings: string[];
}

/** What Snapchat counted in the past hour. */
export interface EventStats {
  test: EventCount;
  live: EventCount;
}

/** How many events Snapchat saw of an asset, and when last. */
export interface EventCount {
  /** Milliseconds since 1970; absent where none came. */
  latestEventMs: number | undefined;
  eventsPastHour: number;
}

export function readLogs(exchanged: Exchanged, assetId: string): EventLogEntry[] {
  const body = exchanged.response?.json;
  if (exchanged.verdict.kind !== "valid" || !isRecord(body)) throw failureOf(exchanged.verdict, "logs");
  const said = saidOf(exchanged.response, assetId);
  const logs = Array.isArray(body.logs) ? body.logs : [];
  return logs.filter(isRecord).map((entry) => ({
    eventName: textOf(entry.event_name),
    rawEventName: textOf(entry.raw_event_name),
    eventTimeMs: timeOf(entry.event_time),
    actionSource: textOf(entry.action_source),
    valid: textOf(entry.status)?.toUpperCase() === "VALID",
    integration: textOf(entry.integration),
    errors: wordsOf(entry.error_records, said),
    warnings: wordsOf(entry.warning_records, said),
  }));
}

export function readStats(exchanged: Exchanged): EventStats {
  const body = exchanged.response?.json;
  if (exchanged.verdict.kind !== "valid" || !isRecord(body)) throw failureOf(exchanged.verdict, "stats");
  const stats = isRecord(body.stats) ? body.stats : {};
  return { test: countOf(stats.test), live: countOf(stats.live) };
}

function countOf(value: unknown): EventCount {
  const count = isRecord(value) ? value : {};
  const events = Number(count.event_count_past_hour);
  return {
    latestEventMs: timeOf(count.latest_event_ts),
    eventsPastHour: Number.isFinite(events) ? events : 0,
  };
}

/** Snapchat states no unit: told apart by magnitude. 0 means never. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  if (!Number.isFinite(time) || time <= 0) return undefined;
  return time >= 1e12 ? time : time * 1_000;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function wordsOf(records: unknown, said: Said): string[] {
  if (!Array.isArray(records)) return [];
  return records.flatMap((record) => {
    const reason = isRecord(record) ? (record.reason ?? record.message) : record;
    return typeof reason === "string" ? [said(reason)] : [];
  });
}
