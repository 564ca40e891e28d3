import { EXTINFO_SLOTS } from "../wire/extinfo.ts";
import { type Draft, mayLeave, note } from "./draft.ts";
import { isAbsent, isRecord, joined, levelOf, type Row, readMisnomers } from "./field-names.ts";
import { fieldText, plainText } from "./field-values.ts";
import { quote } from "./json-text.ts";

const LEVEL = levelOf("app_data");
const APP_ID = LEVEL.byName.get("app_id") as Row;
const TRACKING = LEVEL.byName.get("advertiser_tracking_enabled") as Row;
const EXTINFO = LEVEL.byName.get("extinfo") as Row;
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
  const slots = extinfoSlots(raw.extinfo, draft);
  const android = slots?.[0] === "a2";
  const texts: (string | undefined)[] = new Array(LEVEL.rows.length);
  const take = (row: Row, value: unknown) => {
    if (draft.allowed !== undefined && !REQUIRED.has(row.name) && !mayLeave(draft, "app_data", row.path)) return;
    if (row !== EXTINFO) texts[row.index] = fieldText(row, value, draft);
  };
  let misnomers = false;
  for (const name in raw) {
    const row = LEVEL.byName.get(name);
    const value = raw[name];
    if (row === undefined) misnomers = true;
    else if (!isAbsent(value)) take(row, value);
  }
  if (misnomers) readMisnomers(raw, LEVEL, draft, take);
  if (texts[APP_ID.index] === undefined) {
    const packageName = android ? slots?.[1] : undefined;
    if (packageName) texts[APP_ID.index] = quote(packageName);
    else note(draft, "app_id_missing", APP_ID.path);
  }
  texts[TRACKING.index] ??= trackingAnswer(draft);
  if (slots === undefined) note(draft, "extinfo_incomplete", EXTINFO.path);
  else texts[EXTINFO.index] = `[${slots.map(quote).join(",")}]`;
  return { json: `{${joined(LEVEL, texts)}}`, adIdAllowed: android || texts[TRACKING.index] === "1" };
}

/** Without the person's own answer, the setting's; without either, no: nothing is claimed that nobody said. */
function trackingAnswer(draft: Draft): string {
  const { attStatus } = draft.options;
  if (attStatus !== undefined) return attStatus === "authorized" ? "1" : "0";
  note(draft, "tracking_assumed_denied", TRACKING.path);
  return "0";
}

const [VERSION, OS_VERSION] = [0, 4];

/** Sixteen texts from a list or from named slots; `undefined` where platform or OS version are missing. */
function extinfoSlots(raw: unknown, draft: Draft): string[] | undefined {
  let given: readonly unknown[];
  if (Array.isArray(raw)) {
    given = raw;
    if (raw.length > EXTINFO_SLOTS.length) note(draft, "extinfo_cut", EXTINFO.path);
  } else if (isRecord(raw)) {
    given = EXTINFO_SLOTS.map((slot) => raw[slot] ?? (slot === "version" ? raw.platform : undefined));
  } else return undefined;
  const slots = EXTINFO_SLOTS.map((_, index) => {
    const value = given[index];
    return value === undefined || value === null || value === ""
      ? ""
      : (plainText(value, 200, draft, EXTINFO.path) ?? "");
  });
  const platform = (slots[VERSION] ?? "").trim().toLowerCase();
  slots[VERSION] =
    platform === "ios" || platform === "i2" ? "i2" : platform === "android" || platform === "a2" ? "a2" : "";
  return slots[VERSION] === "" || slots[OS_VERSION] === "" ? undefined : slots;
}
