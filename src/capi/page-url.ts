import { setOf } from "./draft.ts";
import { looksPersonal } from "./personal-data.ts";
import type { RepairCode } from "./repairs.ts";

/** Query parameters that stay in every address. `ScCid` is Snapchat's click id; its case matters. */
export const URL_PARAMETERS = [
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "utm_content",
  "utm_term",
  "utm_id",
] as const;

const KEPT: ReadonlySet<string> = new Set(URL_PARAMETERS);
const NONE: ReadonlySet<string> = new Set();
/** Scheme, host and path. */
const PLAIN_URL = /^https?:\/\/[^/?#@\s\\%]+(?:\/[^?#\s]*)?$/i;
const USER = /^(https?:\/\/)[^/?#@\s]*@/i;
const CUT = /[?#\s]/;
const HOST_FIRST = /^(?:\/\/)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)/i;
const END = /[#\s]/;
const QUESTION_MARK = 63;
const CLICK_ID = /^[\w.~-]{1,300}$/;

export interface ReducedUrl {
  /** Origin, path and the parameters that may stay. */
  url: string;
  /** The click id found in the address, case kept. */
  clickId: string | undefined;
  repair: RepairCode | undefined;
}

/**
 * Reduces an address to what may be stored and sent: no user, no fragment, a path without anything like an e-mail
 * address, and of the query only the listed parameters. `undefined` where it is no web address.
 */
export function reduceUrl(raw: string, extra: readonly string[] | undefined): ReducedUrl | undefined {
  let repair: RepairCode | undefined;
  let text = raw;
  let cut = text.search(CUT);
  let url = cut === -1 ? text : text.slice(0, cut);
  if (!PLAIN_URL.test(url)) {
    text = raw.trim();
    if (HOST_FIRST.test(text)) {
      text = `https:${text.startsWith("//") ? "" : "//"}${text}`;
      repair = "url_scheme_added";
    }
    text = text.replace(USER, "$1");
    cut = text.search(CUT);
    url = cut === -1 ? text : text.slice(0, cut);
    if (!PLAIN_URL.test(url)) return undefined;
  }
  if (looksPersonal(url)) {
    url = withoutPeople(url);
    repair = "url_personal_data";
  }
  if (cut === -1 || text.charCodeAt(cut) !== QUESTION_MARK) return { url, clickId: undefined, repair };

  const more = extra === undefined ? NONE : setOf(extra);
  let clickId: string | undefined;
  let mark = "?";
  const stop = text.slice(cut + 1).search(END);
  const end = stop === -1 ? text.length : cut + 1 + stop;
  for (let start = cut + 1; start < end; ) {
    let next = text.indexOf("&", start);
    if (next === -1 || next > end) next = end;
    const equals = text.indexOf("=", start);
    if (equals > start && equals < next - 1) {
      const name = text.slice(start, equals);
      if (name.length === 5 && name.toLowerCase() === "sccid") {
        const value = text.slice(equals + 1, next);
        if (clickId === undefined && CLICK_ID.test(value)) {
          clickId = value;
          url += `${mark}ScCid=${value}`;
          mark = "&";
        }
      } else if (KEPT.has(name) || more.has(name)) {
        if (looksPersonal(decoded(text.slice(equals + 1, next)))) repair = "url_personal_data";
        else {
          url += mark + text.slice(start, next);
          mark = "&";
        }
      }
    }
    start = next + 1;
  }
  return { url, clickId, repair };
}

/** A path whose parts that look like an e-mail address are gone. */
function withoutPeople(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  if (path === -1) return url;
  const clean = url
    .slice(path)
    .split("/")
    .map((part) => (looksPersonal(part) ? "-" : part))
    .join("/");
  return url.slice(0, path) + clean;
}

function decoded(value: string): string {
  if (!value.includes("%") && !value.includes("+")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
