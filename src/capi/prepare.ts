import { isSnapchatError } from "../errors.ts";
import { type ActionSource, toActionSource } from "../wire/action-sources.ts";
import { brokenBound } from "../wire/bounds.ts";
import type { SnapEventInput } from "../wire/event.ts";
import { APP_EVENT_NAMES, EVENT_NAME_ALIASES, isEventName } from "../wire/event-names.ts";
import { appDataText } from "./app-data.ts";
import { customDataText } from "./custom-data.ts";
import { type Draft, mayLeave, note, setOf } from "./draft.ts";
import { judgeTime } from "./event-time.ts";
import { isAbsent, isRecord, levelOf, readMisnomers } from "./field-names.ts";
import { plainJson, plainText } from "./field-values.ts";
import { quote } from "./json-text.ts";
import { limitedUseText } from "./limited-use.ts";
import type { Prepared, PrepareOptions } from "./options.ts";
import { reduceUrl } from "./page-url.ts";
import { issueOf, type RepairCode } from "./repairs.ts";
import { type PersonContext, userDataText } from "./user-data.ts";

const ROOT = levelOf("root");
const OURS: ReadonlySet<string> = new Set(["carried_time"]);
const APP_NAMES: ReadonlySet<string> = new Set(APP_EVENT_NAMES);

/**
 * Makes one event ready to be sent: validates and repairs it, normalises and hashes its identifiers, reduces its
 * address, and writes its JSON text, once. Total: whatever comes in as an event, it answers and does not throw.
 *
 * The text is a pure function of the event and the settings; `nowMs` only judges age and future. It may be stored,
 * sent later, and sent again.
 *
 * @throws {SnapchatError} `identity_data_missing` only in bundles and on edges that have not awaited `preloadIdentity`.
 * @example
 * ```ts
 * import { prepareEvent } from "snapchat-destination/capi";
 *
 * const prepared = prepareEvent(
 *   {
 *     event_name: "PURCHASE",
 *     event_time: "2026-11-20T10:15:00Z",
 *     event_id: "order-10442",
 *     action_source: "WEB",
 *     event_source_url: "https://shop.example/thanks?ScCid=Ab1",
 *     user_data: { em: "Jane@Example.com", ph: "07700 900123" },
 *     custom_data: { value: "64.50", currency: "gbp" },
 *   },
 *   { nowMs: Date.parse("2026-11-20T10:16:00Z"), defaultCountry: "GB" },
 * );
 * console.log(prepared.ok ? prepared.json : prepared.reason);
 * ```
 */
export function prepareEvent(event: SnapEventInput, options: PrepareOptions): Prepared {
  let read = false;
  try {
    if (!isRecord(event)) return refusal("event_not_an_object");
    if (options.bounded !== true && brokenBound(event) !== undefined) return refusal("event_too_large");
    read = true;
    return prepare(event, options);
  } catch (error) {
    // Data the rules need is not loaded: the host's to mend, and no event's fault.
    if (isSnapchatError(error) && error.code === "identity_data_missing") throw error;
    return refusal(read ? "event_not_prepared" : "event_unreadable");
  }
}

function refusal(code: RepairCode): Prepared {
  return { ok: false, reason: code, issues: [issueOf(code, "")] };
}

function prepare(raw: Record<string, unknown>, options: PrepareOptions): Prepared {
  const draft: Draft = {
    options,
    issues: [],
    allowed: options.allowFields === undefined ? undefined : setOf(options.allowFields),
    refused: undefined,
    name: "",
    source: "WEB",
    orderId: undefined,
    identifiers: [],
  };
  const event = withRightNames(raw, draft);
  draft.source = sourceOf(event.action_source, draft);
  draft.name = nameOf(event.event_name, draft);
  const judged = judgeTime(event.event_time, event.carried_time, draft.source, options);
  let seconds = 0;
  if ("refused" in judged) note(draft, judged.refused, "event_time");
  else {
    seconds = judged.seconds;
    if (judged.repair !== undefined) note(draft, judged.repair, "event_time");
  }
  // What an event needs depends on where it happened; without that, further findings would be guesses.
  if (draft.refused?.startsWith("action_source")) return { ok: false, reason: draft.refused, issues: draft.issues };

  const eventId = idOf(event.event_id, event.custom_data, draft);
  const address = urlOf(event.event_source_url, draft);
  const app = draft.source === "MOBILE_APP" ? appDataText(event.app_data, draft) : undefined;
  if (app === undefined && event.app_data !== undefined && event.app_data !== null) {
    note(draft, "app_data_off_app", "app_data");
  }
  const person: PersonContext = {
    clickId: address?.clickId,
    deviceIds: app === undefined ? "off_app" : app.adIdAllowed ? "allowed" : "without_consent",
  };
  const user = userDataText(event.user_data, person, draft);
  const custom = customDataText(event.custom_data, draft);
  const limitedUse = limitedUseText(event.data_processing_options, draft);
  const integration = rootText(options.integration ?? event.integration, "integration", draft);
  const testCode = rootText(options.testEventCode ?? event.test_event_code, "test_event_code", draft);

  let json = isEventName(draft.name) ? `{"event_name":"${draft.name}"` : `{"event_name":${quote(draft.name)}`;
  json += `,"event_time":${seconds}`;
  if (eventId !== undefined) json += `,"event_id":${quote(eventId)}`;
  json += `,"action_source":"${draft.source}"`;
  if (address !== undefined) json += `,"event_source_url":${quote(address.url)}`;
  json += `,"user_data":${user}`;
  if (custom !== undefined) json += `,"custom_data":${custom}`;
  if (app !== undefined) json += `,"app_data":${app.json}`;
  if (limitedUse !== undefined) json += `,"data_processing_options":${limitedUse}`;
  if (integration !== undefined) json += `,"integration":${integration}`;
  if (testCode !== undefined) json += `,"test_event_code":${testCode}`;
  if (typeof event.opt_out === "boolean") {
    if (mayLeave(draft, "root", "opt_out")) json += `,"opt_out":${event.opt_out}`;
  } else if (!isAbsent(event.opt_out)) note(draft, "field_wrong_type", "opt_out");
  json += "}";

  if (draft.refused !== undefined) return { ok: false, reason: draft.refused, issues: draft.issues };
  return {
    ok: true,
    json,
    eventId,
    eventName: draft.name,
    eventTime: seconds,
    orderId: draft.orderId,
    identifiers: draft.identifiers,
    issues: draft.issues,
  };
}

/** The event itself, or a copy where something stands under another name. */
function withRightNames(raw: Record<string, unknown>, draft: Draft): Record<string, unknown> {
  let misnomers = false;
  for (const name in raw) if (!ROOT.byName.has(name) && name !== "carried_time") misnomers = true;
  if (!misnomers) return raw;
  const event: Record<string, unknown> = Object.create(null);
  for (const name of [...ROOT.byName.keys(), ...OURS]) event[name] = raw[name];
  readMisnomers(raw, ROOT, draft, (row, value) => (event[row.name] = value), OURS);
  return event;
}

function sourceOf(raw: unknown, draft: Draft): ActionSource {
  const source = typeof raw === "string" && raw.length <= 50 ? toActionSource(raw) : undefined;
  if (source !== undefined) return source;
  const missing = raw === undefined || raw === null || raw === "";
  note(draft, missing ? "action_source_missing" : "action_source_unknown", "action_source");
  return "WEB";
}

const SEPARATORS = /[\s-]+/g;
const FREE_NAME = /^[\w .:-]{1,100}$/;

function nameOf(raw: unknown, draft: Draft): string {
  let name = typeof raw === "string" && raw.length <= 200 ? raw : "";
  if (!isEventName(name)) {
    const given = name.trim();
    name = given.toUpperCase().replace(SEPARATORS, "_");
    if (name === "") {
      note(
        draft,
        raw === undefined || raw === null || raw === "" ? "event_name_missing" : "event_name_unknown",
        "event_name",
      );
    } else if (!isEventName(name)) {
      const meant = Object.hasOwn(EVENT_NAME_ALIASES, name) ? EVENT_NAME_ALIASES[name] : undefined;
      if (draft.options.freeEventNames === true && FREE_NAME.test(given)) return given;
      if (meant === undefined) note(draft, "event_name_unknown", "event_name");
      else {
        name = meant;
        note(draft, "event_name_respelled", "event_name");
      }
    }
  }
  if (APP_NAMES.has(name) && draft.source !== "MOBILE_APP" && draft.refused === undefined) {
    note(draft, "event_name_app_only", "event_name");
  }
  return name;
}

/** The id at the root; one that slipped into `custom_data`, where it deduplicates nothing, is moved up. */
function idOf(raw: unknown, custom: unknown, draft: Draft): string | undefined {
  let given = raw;
  if ((given === undefined || given === null || given === "") && isRecord(custom)) {
    given = custom.event_id ?? custom.client_dedup_id;
    if (given !== undefined && given !== null) note(draft, "field_renamed", "event_id");
  }
  const id = given === undefined || given === null ? undefined : plainText(given, 500, draft, "event_id");
  if (id === undefined) note(draft, "event_id_missing", "event_id");
  return id;
}

const URL_PATH = "event_source_url";

function urlOf(raw: unknown, draft: Draft): { url: string; clickId: string | undefined } | undefined {
  const { urlParameters, fallbackUrl } = draft.options;
  if (raw !== undefined && raw !== null && raw !== "") {
    const reduced = typeof raw === "string" && raw.length <= 8_000 ? reduceUrl(raw, urlParameters) : undefined;
    if (reduced !== undefined && (draft.source === "WEB" || mayLeave(draft, "root", URL_PATH))) {
      if (reduced.repair !== undefined) note(draft, reduced.repair, URL_PATH);
      return reduced;
    }
    if (reduced === undefined) note(draft, "url_unreadable", URL_PATH);
  }
  if (draft.source !== "WEB") return undefined;
  const fallback = fallbackUrl === undefined ? undefined : reduceUrl(fallbackUrl, urlParameters);
  note(draft, fallback === undefined ? "event_source_url_missing" : "event_source_url_fallback", URL_PATH);
  return fallback;
}

function rootText(raw: unknown, name: "integration" | "test_event_code", draft: Draft): string | undefined {
  return isAbsent(raw) ? undefined : plainJson(raw, 100, draft, name);
}
