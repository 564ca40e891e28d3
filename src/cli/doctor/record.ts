import type { Fetch } from "../../http/index.ts";
import type { Exchange, Transcript } from "../../testing/index.ts";
import { type Endpoints, SNAPCHAT_ENDPOINTS } from "../../wire/endpoints.ts";

/** Records what is asked and answered, without tokens, ids and names: what a contract test can replay. */
export function createRecorder(title: string, endpoints: Endpoints, fetch: Fetch) {
  const exchanges: Exchange[] = [];
  const ids = new Map<string, string>();

  return {
    async fetch(request: Request): Promise<Response> {
      const response = await fetch(request);
      const text = await response.clone().text();
      exchanges.push({
        request: `${request.method} ${addressOf(request.url, endpoints)}`,
        response: { status: response.status, headers: headersOf(response.headers), body: bodyOf(text, ids) },
        provenance: "seen",
      });
      return response;
    },
    transcript: (): Transcript => ({ format: "transcript/1", title, exchanges }),
  };
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b\d{12,}\b/gi;
const KEPT_QUERY = new Set(["limit", "with_ad_accounts", "sort"]);

/** The address at Snapchat, with braces for tokens and ids. */
function addressOf(address: string, endpoints: Endpoints): string {
  const url = new URL(address);
  const api = url.pathname.startsWith("/v3/") ? "conversions" : url.pathname.startsWith("/v1") ? "adsApi" : "accounts";
  const known = new URL(endpoints[api]).origin === url.origin ? SNAPCHAT_ENDPOINTS[api] : url.origin;
  const path = url.pathname
    .split("/")
    .map((part) => (/^[a-z_]+$|^v\d+$|^$/.test(part) ? part : "{id}"))
    .join("/");
  const query = [...url.searchParams].map(([name, value]) => `${name}=${KEPT_QUERY.has(name) ? value : `{${name}}`}`);
  return `${known}${path}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

const KEPT_HEADERS = ["content-type", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"];

function headersOf(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

function bodyOf(text: string, ids: Map<string, string>): unknown {
  try {
    return redacted(JSON.parse(text), "", ids);
  } catch {
    return /^[\w .,!-]{0,100}$/.test(text) ? text : "{text}";
  }
}

/** Texts that name nobody: words in capitals, times, numbers, currencies, time zones. */
const HARMLESS =
  /^(?:[A-Z][A-Z0-9_]*|\d{1,11}(?:\.\d+)?|\d{4}-\d\d-\d\dT[\d:.]+Z|[A-Z][a-z]+\/[A-Za-z_]+|https?:\/\/)$/;
/** Snapchat's own sentences, and lower-case states. */
const WORDS = new Set([
  "reason",
  "message",
  "error_msgs",
  "warnings",
  "debug_message",
  "display_message",
  "status",
  "request_status",
  "sub_request_status",
  "sub_request_error_reason",
  "codes",
  "error_code",
  "msg",
]);

function redacted(value: unknown, key: string, ids: Map<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => redacted(item, key, ids));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redacted(inner, name, ids)]));
  }
  if (typeof value !== "string") return value;
  if (HARMLESS.test(value)) return value;
  if (WORDS.has(key)) return scrubbed(value, ids);
  return ID.test(resetOf(value)) && value.replace(ID, "") === "" ? stable(value, ids) : "{text}";
}

/** A global pattern remembers where it was. */
function resetOf(value: string): string {
  ID.lastIndex = 0;
  return value;
}

function scrubbed(text: string, ids: Map<string, string>): string {
  return text
    .replace(/[^\s"']+@[^\s"']+/g, "{mail}")
    .replace(/\b[0-9a-f]{32,}\b/gi, "{digest}")
    .replace(/\beyJ[\w.-]{10,}/g, "{token}")
    .replace(ID, (id) => stable(id, ids));
}

/** The same made-up id wherever the real one stands. */
function stable(id: string, ids: Map<string, string>): string {
  let known = ids.get(id);
  if (known === undefined) {
    const number = String(ids.size + 1);
    known = id.includes("-") ? `00000000-0000-4000-8000-${number.padStart(12, "0")}` : number.padStart(id.length, "1");
    ids.set(id, known);
  }
  return known;
}
