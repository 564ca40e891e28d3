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
/** Scheme, user, host and path. */
const ABSOLUTE = /^(https?):\/\/([^/?#@\s]*@)?([^/?#@\s\\%]+)(\/[^?#\s]*)?(?=[?#\s]|$)/i;
const HOST_FIRST = /^(?:\/\/)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)/i;
const QUERY_END = /[#\s]/;
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
  let match = ABSOLUTE.exec(text);
  if (match === null) {
    text = raw.trim();
    if (HOST_FIRST.test(text)) {
      text = `https:${text.startsWith("//") ? "" : "//"}${text}`;
      repair = "url_scheme_added";
    }
    match = ABSOLUTE.exec(text);
    if (match === null) return undefined;
  }
  let url = match[2] === undefined ? match[0] : `${match[1]}://${match[3]}${match[4] ?? ""}`;
  if (looksPersonal(url)) {
    url = withoutPeople(url);
    repair = "url_personal_data";
  }
  const query = queryOf(text, match[0].length);
  if (query === "") return { url, clickId: undefined, repair };

  const more = extra === undefined ? NONE : setOf(extra);
  let kept = "";
  let clickId: string | undefined;
  for (let start = 0; start < query.length; ) {
    let end = query.indexOf("&", start);
    if (end === -1) end = query.length;
    const equals = query.indexOf("=", start);
    if (equals > start && equals < end - 1) {
      const name = query.slice(start, equals);
      if (equals - start === 5 && name.toLowerCase() === "sccid") {
        const value = query.slice(equals + 1, end);
        if (clickId === undefined && CLICK_ID.test(value)) {
          clickId = value;
          kept += `${kept === "" ? "?" : "&"}ScCid=${value}`;
        }
      } else if (KEPT.has(name) || more.has(name)) {
        if (looksPersonal(decoded(query.slice(equals + 1, end)))) repair = "url_personal_data";
        else kept += (kept === "" ? "?" : "&") + query.slice(start, end);
      }
    }
    start = end + 1;
  }
  return { url: url + kept, clickId, repair };
}

/** The query without `?`, up to the fragment or the first blank. */
function queryOf(text: string, start: number): string {
  if (text.charCodeAt(start) !== 63) return "";
  const end = text.slice(start + 1).search(QUERY_END);
  return end === -1 ? text.slice(start + 1) : text.slice(start + 1, start + 1 + end);
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
