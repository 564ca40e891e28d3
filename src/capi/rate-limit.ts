/** What Snapchat's `X-Rate-Limit-*` headers say. */
export interface RateLimit {
  limit: number;
  remaining: number;
  /** Until the window starts anew. Milliseconds. */
  resetInMs: number;
}

/** Longest wait an answer can ask for; a reset "in 1970 + 50,000 years" is a unit misread. Milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;

export function readRateLimit(headers: Headers, nowMs: number): RateLimit | undefined {
  const limit = numberOf(headers.get("x-rate-limit-limit"));
  const remaining = numberOf(headers.get("x-rate-limit-remaining"));
  const reset = numberOf(headers.get("x-rate-limit-reset"));
  if (limit === undefined || remaining === undefined || reset === undefined) return undefined;
  return { limit, remaining, resetInMs: untilReset(reset, nowMs) };
}

/** How long a 429 or 503 asks to wait: `Retry-After` in seconds or as a date, else the reset of the window. */
export function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get("retry-after");
  if (text !== null) {
    const seconds = numberOf(text);
    const ms = seconds === undefined ? Date.parse(text) - nowMs : seconds * 1_000;
    if (!Number.isNaN(ms)) return clamp(ms);
  }
  const reset = numberOf(headers.get("x-rate-limit-reset"));
  return reset === undefined ? undefined : untilReset(reset, nowMs);
}

/** Recorded as epoch milliseconds; peers read seconds. Told apart by magnitude; a small number is a duration in seconds. */
function untilReset(reset: number, nowMs: number): number {
  if (reset >= 1e12) return clamp(reset - nowMs);
  if (reset >= 1e9) return clamp(reset * 1_000 - nowMs);
  return clamp(reset * 1_000);
}

function clamp(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), LONGEST_WAIT_MS);
}

function numberOf(text: string | null): number | undefined {
  if (text === null || !/^\d{1,16}(?:\.\d+)?$/.test(text.trim())) return undefined;
  return Number(text);
}
