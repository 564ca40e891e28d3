/** Numbers below are seconds, from here on milliseconds: the year 5138 in seconds, 1973 in milliseconds. */
const MILLISECONDS_FROM = 100_000_000_000;

const USUAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ISO = /^[+-]?\d{4,6}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Milliseconds since 1970 of a time as platforms write it: ISO 8601 text, seconds, milliseconds, a Date. A text without
 * a zone is UTC, because the process's own zone is no part of the event. `undefined` for what is no time.
 *
 * @example
 * ```ts
 * import { parseTime } from "snapchat-destination/workflow";
 *
 * parseTime("2026-11-26T08:00:00Z"); // 1795680000000
 * parseTime(1_795_680_000); // 1795680000000: seconds
 * parseTime("yesterday"); // undefined
 * ```
 */
export function parseTime(value: unknown): number | undefined {
  if (typeof value === "number") return fromNumber(value);
  if (value instanceof Date) return fromNumber(value.getTime(), true);
  if (typeof value !== "string" || value.length > 40) return undefined;
  const text = value.trim();
  // The form nearly every platform sends needs no look at the zone.
  if (USUAL.test(text)) return fromNumber(Date.parse(text), true);
  if (/^-?\d{1,16}(\.\d+)?$/.test(text)) return text.length === 4 ? undefined : fromNumber(+text);
  const match = ISO.exec(text);
  if (!match) return undefined;
  const iso = text.replace(" ", "T").replace(",", ".");
  const dateOnly = text.length <= 13 && !iso.includes("T");
  return fromNumber(Date.parse(match[1] || dateOnly ? iso.replace(/([+-]\d{2})(\d{2})$/, "$1:$2") : `${iso}Z`), true);
}

function fromNumber(value: number, milliseconds = false): number | undefined {
  if (!Number.isFinite(value) || Math.abs(value) > 8.64e15) return undefined;
  return Math.trunc(milliseconds || Math.abs(value) >= MILLISECONDS_FROM ? value : value * 1_000);
}
