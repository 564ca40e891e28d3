import { redact } from "../errors.ts";
import type { HttpResponse } from "../http/index.ts";

const LONGEST_READ = 2_000;
const LONGEST = 300;
const DIGEST = /\b[0-9a-f]{32,}\b/gi;
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const IPV6 = /\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}/gi;
const PHONE = /\+?\(?\d(?:[\s().-]{0,2}\d){7,}/g;
const QUERY = /\?[^\s"'<>]+/g;

/** Snapchat's words as they may be kept and shown. */
export type Said = (text: string) => string;

/** What makes the words of one answer fit to be kept: without what was sent, and without what {@link safeWords} knows. */
export function saidOf(response: Pick<HttpResponse, "withoutSent"> | undefined, assetId: string): Said {
  return (text) => safeWords(response?.withoutSent(text.slice(0, LONGEST_READ)) ?? text, assetId);
}

/**
 * Snapchat's words, fit for a log and a receipt: without tokens, addresses, digests, ids of people, phone numbers and
 * query strings. The asset's own id may stay: it is the host's configuration.
 */
export function safeWords(text: string, assetId = ""): string {
  const held = text.slice(0, LONGEST_READ);
  const safe = redact(held)
    .replace(QUERY, "?[redacted]")
    .replace(UUID, (id) => (id.toLowerCase() === assetId.toLowerCase() ? id : "[redacted]"))
    .replace(DIGEST, "[redacted]")
    .replace(IPV4, "[redacted]")
    .replace(IPV6, (text) => (text.includes("::") || text.split(":").length > 3 ? "[redacted]" : text))
    .replace(PHONE, (digits, at: number, whole: string) => (insideAsset(whole, at, assetId) ? digits : "[redacted]"));
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
}

function insideAsset(text: string, at: number, assetId: string): boolean {
  if (assetId === "") return false;
  const start = text.toLowerCase().lastIndexOf(assetId.toLowerCase(), at);
  return start !== -1 && at < start + assetId.length;
}
