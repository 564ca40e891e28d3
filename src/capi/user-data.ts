import {
  IDENTITY_REASONS,
  type IdentityField,
  type IdentityOptions,
  type IdentityReason,
  userDataValue,
} from "../identity/index.ts";
import { type Draft, mayLeave, note } from "./draft.ts";
import { isAbsent, isRecord, levelOf, type Row, readMisnomers } from "./field-names.ts";
import { fieldText } from "./field-values.ts";
import { firstIpAddress } from "./ip-address.ts";
import { quote } from "./json-text.ts";
import { placeText } from "./places.ts";
import { agentText } from "./user-agent.ts";

const LEVEL = levelOf("user_data");
const indexOf = (name: string): number => LEVEL.byName.get(name)?.index ?? -1;
const [EM, PH, EXTERNAL_ID, MADID, IP, AGENT, CLICK_ID] = [
  indexOf("em"),
  indexOf("ph"),
  indexOf("external_id"),
  indexOf("madid"),
  indexOf("client_ip_address"),
  indexOf("client_user_agent"),
  indexOf("sc_click_id"),
];

/** What the rest of the event says about its person: the click id of the address, and whether device ids may leave. */
export interface PersonContext {
  clickId: string | undefined;
  /** Apps only. */
  deviceIds: "allowed" | "off_app" | "without_consent";
}

/** JSON of `user_data` with every direct identifier hashed; ends the event where Snapchat could match nobody. */
export function userDataText(raw: unknown, context: PersonContext, draft: Draft): string {
  const texts: (string | undefined)[] = new Array(LEVEL.rows.length);
  if (isRecord(raw)) {
    const identity = identityOptions(raw.country, draft);
    let misnomers = false;
    for (const name in raw) {
      const row = LEVEL.byName.get(name);
      const value = raw[name];
      if (row === undefined) misnomers = true;
      else if (!isAbsent(value)) texts[row.index] = valueText(row, value, context, identity, draft);
    }
    if (misnomers) {
      readMisnomers(raw, LEVEL, draft, (row, value) => {
        texts[row.index] = valueText(row, value, context, identity, draft);
      });
    }
  } else if (raw !== undefined && raw !== null) note(draft, "field_wrong_type", "user_data");

  if (texts[CLICK_ID] === undefined && context.clickId !== undefined) {
    if (mayLeave(draft, "user_data", "user_data.sc_click_id")) texts[CLICK_ID] = quote(context.clickId);
  }
  let json = "";
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text === undefined) continue;
    const row = LEVEL.rows[i] as Row;
    draft.identifiers.push(row.name);
    json += json === "" ? row.key : row.next;
    json += text;
  }
  // The least Snapchat can match by (Conversions-API/UsingTheAPI).
  const address = texts[IP] !== undefined && texts[AGENT] !== undefined;
  if (texts[EM] === undefined && texts[PH] === undefined && texts[MADID] === undefined && !address) {
    note(draft, "identifiers_missing", "user_data");
  }
  return `{${json}}`;
}

/** The person's own country decides how state and postcode are read. */
function identityOptions(country: unknown, draft: Draft): IdentityOptions {
  const { options } = draft;
  const own: unknown = Array.isArray(country) ? country[0] : country;
  if (typeof own !== "string") return options;
  return { defaultCountry: options.defaultCountry, country: own, stateCodes: options.stateCodes };
}

function valueText(
  row: Row,
  value: unknown,
  context: PersonContext,
  identity: IdentityOptions,
  draft: Draft,
): string | undefined {
  if (draft.allowed !== undefined && !mayLeave(draft, "user_data", row.path)) return undefined;
  switch (row.kind) {
    case "digest":
      if (typeof value !== "string") return digests(row, value, identity, draft);
      if (row.place) {
        const place = placeText(row.name as IdentityField, value, identity);
        if (place?.json !== undefined) return place.json;
      }
      return oneDigest(row, value, identity, draft);
    case "device":
      return deviceId(row, value, context, identity, draft);
    case "ip":
      return ipText(row, value, draft);
    default:
      if (row.index === AGENT && typeof value === "string") return agentText(value, row, draft);
      return fieldText(row, value, draft);
  }
}

/** A list is sent where Snapchat's samples print one; its schema has `external_id` as a text. */
function oneDigest(row: Row, value: unknown, identity: IdentityOptions, draft: Draft): string | undefined {
  const digest = identified(row, value, identity, draft);
  if (digest === undefined) return undefined;
  return row.index === EXTERNAL_ID ? `"${digest}"` : `["${digest}"]`;
}

function digests(row: Row, value: unknown, identity: IdentityOptions, draft: Draft): string | undefined {
  if (!Array.isArray(value)) return oneDigest(row, value, identity, draft);
  const found = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const entry: unknown = value[i];
    if (isAbsent(entry)) continue;
    const digest = identified(row, entry, identity, draft);
    if (digest !== undefined) found.add(digest);
  }
  if (found.size === 0) return undefined;
  const list = [...found].join('","');
  return found.size === 1 && row.index === EXTERNAL_ID ? `"${list}"` : `["${list}"]`;
}

/** The value to send, by the rules of `identity`; where there is none, an issue with the reason, never the value. */
function identified(row: Row, value: unknown, identity: IdentityOptions, draft: Draft): string | undefined {
  const result = userDataValue(row.name as IdentityField, value, identity);
  if (result.value === undefined && result.reason !== undefined && result.reason !== "empty") {
    omitted(draft, result.reason, row.path);
  }
  return result.value;
}

function omitted(draft: Draft, reason: IdentityReason, path: string): void {
  draft.issues.push({ path, code: reason, ...IDENTITY_REASONS[reason], severity: "repaired" });
  if (draft.options.policy === "strict") draft.refused ??= reason;
}

function deviceId(
  row: Row,
  value: unknown,
  context: PersonContext,
  identity: IdentityOptions,
  draft: Draft,
): string | undefined {
  if (context.deviceIds === "off_app") {
    note(draft, "device_id_off_app", row.path);
    return undefined;
  }
  if (context.deviceIds === "without_consent" && row.name === "madid") {
    note(draft, "device_id_without_consent", row.path);
    return undefined;
  }
  const id = identified(row, value, identity, draft);
  return id === undefined ? undefined : quote(id);
}

function ipText(row: Row, value: unknown, draft: Draft): string | undefined {
  const address = typeof value === "string" && value.length <= 500 ? firstIpAddress(value) : undefined;
  if (address === undefined) {
    note(draft, "ip_unreadable", row.path);
    return undefined;
  }
  return `"${address}"`;
}
