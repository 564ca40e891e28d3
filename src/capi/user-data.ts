import {
  IDENTITY_REASONS,
  type IdentityField,
  type IdentityOptions,
  type IdentityReason,
  userDataValue,
} from "../identity/index.ts";
import { type Draft, mayLeave, note } from "./draft.ts";
import { isRecord, levelOf, type Row, withRightNames } from "./field-names.ts";
import { fieldText } from "./field-values.ts";
import { firstIpAddress } from "./ip-address.ts";
import { quote } from "./json-text.ts";

const LEVEL = levelOf("user_data");

/** What the rest of the event says about its person: the click id of the address, and whether device ids may leave. */
export interface PersonContext {
  clickId: string | undefined;
  /** Apps only. */
  deviceIds: "allowed" | "off_app" | "without_consent";
}

/** JSON of `user_data` with every direct identifier hashed; ends the event where Snapchat could match nobody. */
export function userDataText(raw: unknown, context: PersonContext, draft: Draft): string {
  const { identifiers } = draft;
  let json = "";
  let user: Record<string, unknown> = {};
  if (isRecord(raw)) user = withRightNames(raw, LEVEL, draft);
  else if (raw !== undefined && raw !== null) note(draft, "field_wrong_type", "user_data");
  const identity = identityOptions(user.country, draft);
  for (const row of LEVEL.rows) {
    let value = user[row.name];
    if (value === undefined || value === null || value === "") {
      if (row.name !== "sc_click_id" || context.clickId === undefined) continue;
      value = context.clickId;
    }
    if (draft.allowed !== undefined && !mayLeave(draft, "user_data", row.path)) continue;
    const text = valueText(row, value, context, identity, draft);
    if (text === undefined) continue;
    identifiers.push(row.name);
    json += json === "" ? row.key + text : `,${row.key}${text}`;
  }
  if (!matchable(identifiers)) note(draft, "identifiers_missing", "user_data");
  return `{${json}}`;
}

/** The person's own country decides how state and postcode are read. */
function identityOptions(country: unknown, draft: Draft): IdentityOptions {
  const { options } = draft;
  const own: unknown = Array.isArray(country) ? country[0] : country;
  if (typeof own !== "string") return options;
  return { defaultCountry: options.defaultCountry, country: own, stateCodes: options.stateCodes };
}

/** The least Snapchat can match by (Conversions-API/UsingTheAPI): e-mail, phone, address with user agent, or an app's ad id. */
function matchable(present: readonly string[]): boolean {
  return (
    present.includes("em") ||
    present.includes("ph") ||
    present.includes("madid") ||
    (present.includes("client_ip_address") && present.includes("client_user_agent"))
  );
}

function valueText(
  row: Row,
  value: unknown,
  context: PersonContext,
  identity: IdentityOptions,
  draft: Draft,
): string | undefined {
  switch (row.field.kind) {
    case "digest":
      return digests(row, value, identity, draft);
    case "device":
      return deviceId(row, value, context, identity, draft);
    case "ip":
      return ipText(row, value, draft);
    default:
      return fieldText(row.field, value, draft, row.path);
  }
}

function digests(row: Row, value: unknown, identity: IdentityOptions, draft: Draft): string | undefined {
  if (!Array.isArray(value)) {
    const digest = identified(row, value, identity, draft);
    if (digest === undefined) return undefined;
    return row.name === "external_id" ? `"${digest}"` : `["${digest}"]`;
  }
  const found = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const entry: unknown = value[i];
    if (entry === undefined || entry === null || entry === "") continue;
    const digest = identified(row, entry, identity, draft);
    if (digest !== undefined) found.add(digest);
  }
  if (found.size === 0) return undefined;
  const list = [...found].join('","');
  return found.size === 1 && row.name === "external_id" ? `"${list}"` : `["${list}"]`;
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
