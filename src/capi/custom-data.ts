import { type Draft, mayLeave, note } from "./draft.ts";
import { isRecord, levelOf, safeName, withRightNames } from "./field-names.ts";
import { fieldText, plainText } from "./field-values.ts";
import { quote } from "./json-text.ts";
import { looksPersonal } from "./personal-data.ts";

const LEVEL = levelOf("custom_data");
const ITEM = levelOf("contents");
/** Read as the root's `event_id`, where they belong. */
const MOVED_UP: ReadonlySet<string> = new Set(["event_id", "client_dedup_id"]);
const REQUIRED_FOR_PURCHASE: ReadonlySet<string> = new Set(["value", "currency"]);

/** JSON of `custom_data`, or `undefined` where nothing of it is to be sent. */
export function customDataText(raw: unknown, draft: Draft): string | undefined {
  const purchase = draft.name === "PURCHASE";
  let custom: Record<string, unknown> = {};
  if (isRecord(raw)) custom = withRightNames(raw, LEVEL, draft, MOVED_UP);
  else if (raw !== undefined && raw !== null) note(draft, "field_wrong_type", "custom_data");
  let json = "";
  let value = false;
  let currency = false;
  for (const row of LEVEL.rows) {
    const given = custom[row.name];
    if (given === undefined || given === null) continue;
    const required = purchase && REQUIRED_FOR_PURCHASE.has(row.name);
    if (draft.allowed !== undefined && !required && !mayLeave(draft, "custom_data", row.path)) continue;
    let text: string | undefined;
    if (row.field.kind === "items") text = itemsText(given, draft, row.path);
    else if (row.field.kind === "map") text = mapText(given, draft, row.path);
    else text = fieldText(row.field, given, draft, row.path);
    if (text === undefined) continue;
    if (row.name === "value") value = true;
    else if (row.name === "currency") currency = true;
    else if (row.name === "order_id") draft.orderId = typeof given === "string" ? given : String(given);
    json += json === "" ? row.key + text : `,${row.key}${text}`;
  }
  if (purchase && !value) note(draft, "value_missing", "custom_data.value");
  if (purchase && !currency) note(draft, "currency_missing", "custom_data.currency");
  return json === "" ? undefined : `{${json}}`;
}

function itemsText(raw: unknown, draft: Draft, path: string): string | undefined {
  const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  let json = "";
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined || item === null) continue;
    if (!isRecord(item)) {
      note(draft, "field_wrong_type", path);
      continue;
    }
    const text = itemText(withRightNames(item, ITEM, draft), draft);
    if (text !== "") json += json === "" ? `{${text}}` : `,{${text}}`;
  }
  return json === "" ? undefined : `[${json}]`;
}

function itemText(item: Record<string, unknown>, draft: Draft): string {
  let json = "";
  for (const row of ITEM.rows) {
    const given = item[row.name];
    if (given === undefined || given === null) continue;
    const text = fieldText(row.field, given, draft, row.path);
    if (text !== undefined) json += json === "" ? row.key + text : `,${row.key}${text}`;
  }
  return json;
}

/** `custom_fields`: names are the host's, values are plain. */
function mapText(raw: unknown, draft: Draft, path: string): string | undefined {
  if (!isRecord(raw)) {
    note(draft, "field_wrong_type", path);
    return undefined;
  }
  let json = "";
  for (const name of Object.keys(raw)) {
    const given = raw[name];
    if (given === undefined || given === null) continue;
    const at = `${path}.${safeName(name)}`;
    if (name.length > 200 || looksPersonal(name)) {
      note(draft, "field_personal_data", at);
      continue;
    }
    let text: string | undefined;
    if (typeof given === "boolean") text = String(given);
    else if (typeof given === "number" && Number.isFinite(given)) text = String(given);
    else {
      const plain = plainText(given, 1_000, draft, at);
      if (plain !== undefined) text = quote(plain);
    }
    if (text !== undefined) json += `${json === "" ? "" : ","}${quote(name)}:${text}`;
  }
  return json === "" ? undefined : `{${json}}`;
}
