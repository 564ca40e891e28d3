import { type Draft, lacks, mayLeave, note } from "./draft.ts";
import { isAbsent, isRecord, joined, levelOf, type Row, readMisnomers, safeName } from "./field-names.ts";
import { fieldText, plainJson } from "./field-values.ts";
import { quote } from "./json-text.ts";
import { looksPersonal } from "./personal-data.ts";

const LEVEL = levelOf("custom_data");
const ITEM = levelOf("contents");
const VALUE = LEVEL.byName.get("value") as Row;
const CURRENCY = LEVEL.byName.get("currency") as Row;
const ORDER_ID = LEVEL.byName.get("order_id") as Row;
/** Read as the root's `event_id`, where they belong. */
const MOVED_UP: ReadonlySet<string> = new Set(["event_id", "client_dedup_id"]);

/** JSON of `custom_data`, or `undefined` where nothing of it is to be sent. */
export function customDataText(raw: unknown, draft: Draft): string | undefined {
  const purchase = draft.name === "PURCHASE";
  const texts: (string | undefined)[] = new Array(LEVEL.rows.length);
  if (isRecord(raw)) {
    let misnomers = false;
    for (const name in raw) {
      const row = LEVEL.byName.get(name);
      const value = raw[name];
      if (row === undefined) misnomers = true;
      else if (!isAbsent(value)) texts[row.index] = valueText(row, value, draft);
    }
    if (misnomers) {
      readMisnomers(raw, LEVEL, draft, (row, value) => (texts[row.index] = valueText(row, value, draft)), MOVED_UP);
    }
  } else if (raw !== undefined && raw !== null) note(draft, "field_wrong_type", "custom_data");

  if (purchase && texts[VALUE.index] === undefined) lacks(draft, "value_missing", VALUE.path);
  if (purchase && texts[CURRENCY.index] === undefined) lacks(draft, "currency_missing", CURRENCY.path);
  const json = joined(LEVEL, texts);
  return json === "" ? undefined : `{${json}}`;
}

function valueText(row: Row, value: unknown, draft: Draft): string | undefined {
  if (draft.allowed !== undefined && !mayLeave(draft, "custom_data", row.path)) {
    if (draft.name !== "PURCHASE" || (row !== VALUE && row !== CURRENCY)) return undefined;
  }
  if (row.kind === "items") return itemsText(value, draft, row.path);
  if (row.kind === "map") return mapText(value, draft, row.path);
  const text = fieldText(row, value, draft);
  if (row === ORDER_ID && text !== undefined) draft.orderId = String(value);
  return text;
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
    const text = itemText(item, draft);
    if (text !== "") json += json === "" ? `{${text}}` : `,{${text}}`;
  }
  return json === "" ? undefined : `[${json}]`;
}

function itemText(item: Record<string, unknown>, draft: Draft): string {
  for (const name in item) if (!ITEM.byName.has(name)) return itemWithMisnomers(item, draft);
  let json = "";
  for (let i = 0; i < ITEM.rows.length; i++) {
    const row = ITEM.rows[i] as Row;
    const value = item[row.name];
    if (isAbsent(value)) continue;
    const text = fieldText(row, value, draft);
    if (text === undefined) continue;
    json += json === "" ? row.key : row.next;
    json += text;
  }
  return json;
}

function itemWithMisnomers(item: Record<string, unknown>, draft: Draft): string {
  const right: Record<string, unknown> = Object.create(null);
  for (const { name } of ITEM.rows) right[name] = item[name];
  readMisnomers(item, ITEM, draft, (row, value) => (right[row.name] = value));
  return itemText(right, draft);
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
    if (isAbsent(given)) continue;
    const at = `${path}.${safeName(name)}`;
    if (name.length > 200 || looksPersonal(name)) {
      note(draft, "field_personal_data", at);
      continue;
    }
    let text: string | undefined;
    if (typeof given === "boolean" || (typeof given === "number" && Number.isFinite(given))) text = String(given);
    else text = plainJson(given, 1_000, draft, at);
    if (text !== undefined) json += `${json === "" ? "" : ","}${quote(name)}:${text}`;
  }
  return json === "" ? undefined : `{${json}}`;
}
