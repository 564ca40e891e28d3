import { EXTINFO_SLOTS } from "../wire/extinfo.ts";
import { type Draft, mayLeave, note } from "./draft.ts";
import { isRecord, levelOf, withRightNames } from "./field-names.ts";
import { fieldText, plainText } from "./field-values.ts";
import { quote } from "./json-text.ts";

const LEVEL = levelOf("app_data");
const REQUIRED: ReadonlySet<string> = new Set(["app_id", "advertiser_tracking_enabled", "extinfo"]);

export interface AppDataText {
  json: string;
  /** False where an iOS user did not allow tracking: the advertising id may not leave. */
  adIdAllowed: boolean;
}

/** JSON of `app_data` of an event from an app; ends the event where what Snapchat requires is missing. */
export function appDataText(raw: unknown, draft: Draft): AppDataText {
  if (!isRecord(raw)) {
    note(draft, "app_data_missing", "app_data");
    return { json: "{}", adIdAllowed: false };
  }
  const app = withRightNames(raw, LEVEL, draft);
  const slots = extinfoSlots(app.extinfo, draft);
  const android = slots?.[0] === "a2";
  const parts = new Map<string, string>();
  for (const row of LEVEL.rows) {
    const given = app[row.name];
    if (given === undefined || given === null || row.field.kind === "extinfo") continue;
    if (draft.allowed !== undefined && !REQUIRED.has(row.name) && !mayLeave(draft, "app_data", row.path)) continue;
    const text = fieldText(row.field, given, draft, row.path);
    if (text !== undefined) parts.set(row.name, text);
  }
  if (!parts.has("app_id")) {
    const packageName = android ? slots?.[1] : undefined;
    if (packageName) parts.set("app_id", quote(packageName));
    else note(draft, "app_id_missing", "app_data.app_id");
  }
  if (!parts.has("advertiser_tracking_enabled")) parts.set("advertiser_tracking_enabled", trackingAnswer(draft));
  if (slots === undefined) note(draft, "extinfo_incomplete", "app_data.extinfo");
  else parts.set("extinfo", `[${slots.map(quote).join(",")}]`);
  let json = "";
  for (const row of LEVEL.rows) {
    const text = parts.get(row.name);
    if (text !== undefined) json += json === "" ? row.key + text : `,${row.key}${text}`;
  }
  return { json: `{${json}}`, adIdAllowed: android || parts.get("advertiser_tracking_enabled") === "1" };
}

/** Without the person's own answer, the setting's; without either, no: nothing is claimed that nobody said. */
function trackingAnswer(draft: Draft): string {
  const { attStatus } = draft.options;
  if (attStatus !== undefined) return attStatus === "authorized" ? "1" : "0";
  note(draft, "tracking_assumed_denied", "app_data.advertiser_tracking_enabled");
  return "0";
}

const PATH = "app_data.extinfo";
const [VERSION, OS_VERSION] = [0, 4];

/** Sixteen texts from a list or from named slots; `undefined` where platform or OS version are missing. */
function extinfoSlots(raw: unknown, draft: Draft): string[] | undefined {
  let given: readonly unknown[];
  if (Array.isArray(raw)) {
    given = raw;
    if (raw.length > EXTINFO_SLOTS.length) note(draft, "extinfo_cut", PATH);
  } else if (isRecord(raw)) {
    given = EXTINFO_SLOTS.map((slot) => raw[slot] ?? (slot === "version" ? raw.platform : undefined));
  } else return undefined;
  const slots = EXTINFO_SLOTS.map((_, index) => {
    const value = given[index];
    return value === undefined || value === null || value === "" ? "" : (plainText(value, 200, draft, PATH) ?? "");
  });
  const platform = (slots[VERSION] ?? "").trim().toLowerCase();
  slots[VERSION] =
    platform === "ios" || platform === "i2" ? "i2" : platform === "android" || platform === "a2" ? "a2" : "";
  return slots[VERSION] === "" || slots[OS_VERSION] === "" ? undefined : slots;
}
