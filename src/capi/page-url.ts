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
const ABSOLUTE = /^(https?):\/\/(?:[^/?#@\s]*@)?([^/?#@\s\\]+)([^?#\s]*)(?:\?([^#\s]*))?/i;
const HOST_FIRST = /^(?:\/\/)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)/i;
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
  let match = ABSOLUTE.exec(raw);
  if (match === null) {
    const text = raw.trim();
    match = ABSOLUTE.exec(text);
    if (match === null) {
      if (!HOST_FIRST.test(text)) return undefined;
      match = ABSOLUTE.exec(`https:${text.startsWith("//") ? "" : "//"}${text}`);
      if (match === null) return undefined;
      repair = "url_scheme_added";
    }
  }
  const host = match[2] as string;
  let path = match[3] as string;
  const query = match[4];
  if (path !== "" && looksPersonal(path)) {
    path = path
      .split("/")
      .map((segment) => (looksPersonal(segment) ? "-" : segment))
      .join("/");
    if (looksPersonal(path)) path = "/";
    repair = "url_personal_data";
  }
  let kept = "";
  let clickId: string | undefined;
  if (query !== undefined && query !== "") {
    const more = extra === undefined ? NONE : setOf(extra);
    for (const pair of query.split("&")) {
      const equals = pair.indexOf("=");
      if (equals < 1 || equals === pair.length - 1) continue;
      const name = pair.slice(0, equals);
      if (name.length === 5 && name.toLowerCase() === "sccid") {
        const value = pair.slice(equals + 1);
        if (clickId !== undefined || !CLICK_ID.test(value)) continue;
        clickId = value;
        kept += `${kept === "" ? "?" : "&"}ScCid=${value}`;
      } else if (KEPT.has(name) || more.has(name)) {
        if (looksPersonal(decoded(pair.slice(equals + 1)))) repair = "url_personal_data";
        else kept += (kept === "" ? "?" : "&") + pair;
      }
    }
  }
  return { url: `${(match[1] as string).toLowerCase()}://${host}${path}${kept}`, clickId, repair };
}

function decoded(value: string): string {
  if (!value.includes("%") && !value.includes("+")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
