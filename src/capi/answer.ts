import type { HttpResponse } from "../http/index.ts";
import { isRecord } from "./field-names.ts";
import { readRetryAfter } from "./rate-limit.ts";
import { type Said, saidOf } from "./words.ts";

/** What an answer of the Conversions API means for the events of its request. */
export type Verdict =
  | { kind: "valid"; requestId?: string }
  | InvalidVerdict
  | { kind: "unauthorized" | "forbidden"; message: string; code: string; requestId?: string }
  | { kind: "retry"; known: boolean; message: string; code: string; retryAfterMs?: number; requestId?: string }
  | { kind: "too_large"; message: string; code: string; requestId?: string };

export interface InvalidVerdict {
  kind: "invalid";
  message: string;
  code: string;
  /** Events the answer names, as it numbers them. */
  named: NamedEvent[];
  /** The answer speaks of every event of the request: its numbering is certain. */
  complete: boolean;
  requestId?: string;
}

export interface NamedEvent {
  number: number;
  valid: boolean;
  message: string;
  code: string;
  /** The words are about the token and not about the event. */
  aboutToken: "forbidden" | "unauthorized" | undefined;
  warnings: string[];
}

const FORBIDDEN =
  /unauthori[sz]ed resources?|not authori[sz]ed to|does not have (?:permission|access)|permission denied/i;
const BAD_TOKEN =
  /invalid (?:access |oauth )?token|(?:access |oauth |auth )?token\b.{0,40}\b(?:is |has |was )?(?:invalid|expired|revoked|missing|required|malformed)|(?:expired|missing|revoked|malformed) (?:access |oauth )?token|invalid_token|invalid credentials?|unauthenticated/i;

/**
 * Reads an answer as a whole: status and body together. A 200 may hold INVALID, a 400 may mean the token, and a wrong
 * asset says "Unauthorized resources" with no status anybody documented.
 */
export function readAnswer(response: HttpResponse, assetId: string, nowMs: number): Verdict {
  const { status } = response;
  const id = response.requestId === undefined ? {} : { requestId: response.requestId };
  const body = isRecord(response.json) ? response.json : undefined;
  const result = typeof body?.status === "string" ? body.status.toUpperCase() : "";
  const success = status >= 200 && status < 300;
  // Before any words are looked at: what was sent, up to thousands of events, is looked for in them.
  if (success && (result === "VALID" || result === "SUCCESS")) return { kind: "valid", ...id };
  const words = wordsOf(body);
  const said = saidOf(response, assetId);
  const raw = words.message === "" && body === undefined ? plainBody(response.text) : words.message;
  const message = raw === "" ? `Snapchat answered ${status}.` : said(raw);
  const code = words.code === "" ? `http_${status}` : said(words.code);

  if (status === 429)
    return { kind: "retry", known: true, message, code: "rate_limited", ...after(response, nowMs), ...id };
  if (status >= 500 || status === 408 || status === 425) {
    return { kind: "retry", known: status === 425, message, code, ...after(response, nowMs), ...id };
  }
  if (FORBIDDEN.test(raw)) return { kind: "forbidden", message, code, ...id };
  if (status === 401 || BAD_TOKEN.test(raw)) return { kind: "unauthorized", message, code, ...id };
  if (status === 403 || status === 404) return { kind: "forbidden", message, code, ...id };
  if (status === 413) return { kind: "too_large", message, code, ...id };
  if (success && result !== "INVALID" && result !== "FAILURE") {
    // Taken or not, nobody said: the event stays ours, and a repeat is absorbed by its id.
    return {
      kind: "retry",
      known: false,
      message: "Snapchat's answer could not be read.",
      code: "unreadable_answer",
      ...id,
    };
  }
  if (status === 400 || status === 422 || success) {
    const logs = logsOf(body, said);
    return { kind: "invalid", message, code, named: logs.named, complete: logs.complete, ...id };
  }
  return { kind: "retry", known: true, message, code, ...id };
}

function after(response: HttpResponse, nowMs: number): { retryAfterMs?: number } {
  const retryAfterMs = readRetryAfter(response.headers, nowMs);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

/** Bodies that are not JSON: a bare word such as `unauthorized` speaks, a gateway's page does not. */
function plainBody(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= 200 && !trimmed.startsWith("<") ? trimmed : "";
}

interface Words {
  message: string;
  code: string;
}

const NO_WORDS: Words = { message: "", code: "" };

/** All wordings met: `errors.error_msgs`, top-level `error_msgs`, `reason`, and the Marketing API's envelope. */
function wordsOf(body: Record<string, unknown> | undefined): Words {
  if (body === undefined) return NO_WORDS;
  const nested = isRecord(body.errors) ? body.errors : {};
  const texts = new Set<string>();
  for (const source of [nested.error_msgs, body.error_msgs, nested.messages, body.reason]) collect(source, texts);
  collect(body.errors, texts);
  if (texts.size === 0) {
    for (const source of [body.debug_message, body.display_message, body.message, body.error_description, body.error]) {
      collect(source, texts);
    }
  }
  const code = firstText(nested.codes) ?? firstText(body.codes) ?? firstText(body.error_code) ?? firstText(body.code);
  return { message: [...texts].slice(0, 5).join("; "), code: code ?? "" };
}

function collect(source: unknown, into: Set<string>): void {
  if (typeof source === "string" && source.trim() !== "") into.add(source.trim());
  else if (Array.isArray(source)) for (const entry of source.slice(0, 20)) collect(entry, into);
  else if (isRecord(source)) collect(source.message ?? source.reason, into);
}

/** A code as text, whether it came as a number, a text or a list. */
function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === "number" && Number.isFinite(first)) return String(first);
  return typeof first === "string" && /^[\w.-]{1,60}$/.test(first) ? first : undefined;
}

/** Which events an answer names: a list (`event_logs`), one number (`event`), or v2's `record_indexes`. */
export function logsOf(
  body: Record<string, unknown> | undefined,
  said: Said,
): { named: NamedEvent[]; complete: boolean } {
  if (body === undefined) return { named: [], complete: false };
  if (Array.isArray(body.event_logs)) {
    const named = body.event_logs.flatMap((entry) => namedEvent(entry, said));
    return { named, complete: named.some((event) => event.valid) };
  }
  const own = wordsOf(body);
  const words = { valid: false, ...spoken(own, said), warnings: [] };
  const number = integerOf(body.event);
  if (number !== undefined) return { named: [{ number, ...words }], complete: false };
  if (Array.isArray(body.error_records)) {
    const named = body.error_records.flatMap((record) => {
      const numbers = isRecord(record) && Array.isArray(record.record_indexes) ? record.record_indexes : [];
      const reason = isRecord(record) && typeof record.reason === "string" ? record.reason : "";
      const about = spoken({ message: reason, code: own.code }, said);
      return numbers.flatMap((one) => {
        const index = integerOf(one);
        return index === undefined ? [] : [{ ...words, ...about, number: index }];
      });
    });
    return { named, complete: false };
  }
  return { named: [], complete: false };
}

function spoken(words: Words, said: Said): Pick<NamedEvent, "message" | "code" | "aboutToken"> {
  return { message: said(words.message), code: said(words.code), aboutToken: aboutToken(words.message) };
}

function namedEvent(entry: unknown, said: Said): NamedEvent[] {
  if (!isRecord(entry)) return [];
  const number = integerOf(entry.event);
  if (number === undefined) return [];
  const words = wordsOf(entry);
  const warnings = new Set<string>();
  collect(entry.warnings, warnings);
  return [
    {
      number,
      valid: typeof entry.status === "string" ? entry.status.toUpperCase() === "VALID" : words.message === "",
      ...spoken(words, said),
      warnings: [...warnings].map(said),
    },
  ];
}

function integerOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/**
 * Positions, from 0, of the named events in a request of `count`. Nobody says whether Snapchat counts from 0 or 1: a
 * complete list tells, a 0 or a `count` tells; otherwise 1, as its samples print.
 */
export function positionsOf(
  verdict: Pick<InvalidVerdict, "named" | "complete">,
  count: number,
): Map<number, NamedEvent> {
  const numbers = verdict.named.map((event) => event.number);
  const lowest = Math.min(...numbers);
  const base = lowest === 0 && !numbers.includes(count) ? 0 : 1;
  const positions = new Map<number, NamedEvent>();
  for (const event of verdict.named) {
    const position = event.number - base;
    if (!event.valid && position >= 0 && position < count) positions.set(position, event);
  }
  return positions;
}

function aboutToken(message: string): "forbidden" | "unauthorized" | undefined {
  if (FORBIDDEN.test(message)) return "forbidden";
  return BAD_TOKEN.test(message) ? "unauthorized" : undefined;
}
