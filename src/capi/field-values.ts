import { isListedCurrency } from "../wire/currencies.ts";
import { type Draft, note } from "./draft.ts";
import { isAbsent, type Row } from "./field-names.ts";
import { isPlainWord, quote } from "./json-text.ts";
import { readNumber } from "./numbers.ts";
import { looksPersonal } from "./personal-data.ts";

/** A text or number as the text that is sent; `undefined`, with an issue, where it may not be. Blank texts are absent. */
export function plainText(value: unknown, max: number, draft: Draft, path: string): string | undefined {
  let text: string;
  if (typeof value === "string") text = value;
  else if ((typeof value === "number" && Number.isFinite(value)) || typeof value === "bigint") return String(value);
  else {
    note(draft, "field_wrong_type", path);
    return undefined;
  }
  if (text.length > max) {
    note(draft, "field_too_long", path);
    return undefined;
  }
  if (looksPersonal(text)) {
    note(draft, "field_personal_data", path);
    return undefined;
  }
  return text.trim() === "" ? undefined : text;
}

/** As {@link plainText}, as JSON. */
export function plainJson(value: unknown, max: number, draft: Draft, path: string): string | undefined {
  if (typeof value === "string" && value.length <= max && isPlainWord(value)) return `"${value}"`;
  const text = plainText(value, max, draft, path);
  return text === undefined ? undefined : quote(text);
}

/** A list of texts as JSON, each at most once; a lone value becomes a list of one. */
export function textList(value: unknown, max: number, draft: Draft, path: string): string | undefined {
  if (!Array.isArray(value)) {
    const text = plainJson(value, max, draft, path);
    return text === undefined ? undefined : `[${text}]`;
  }
  let json = "";
  let many: Set<unknown> | undefined;
  // By index: the methods of a list from outside may be anything.
  for (let i = 0; i < value.length; i++) {
    const entry: unknown = value[i];
    if (isAbsent(entry)) continue;
    if (i === FEW || (i > FEW && many === undefined)) many = firstOf(value, i);
    if (many === undefined ? isRepeated(value, i) : many.has(entry)) continue;
    many?.add(entry);
    const text = plainJson(entry, max, draft, path);
    if (text !== undefined) json += json === "" ? text : `,${text}`;
  }
  return json === "" ? undefined : `[${json}]`;
}

/** Up to here comparing each with each is cheaper than a set. */
const FEW = 20;

function firstOf(list: readonly unknown[], count: number): Set<unknown> {
  const first = new Set<unknown>();
  for (let i = 0; i < count; i++) first.add(list[i]);
  return first;
}

function isRepeated(list: readonly unknown[], at: number): boolean {
  for (let i = 0; i < at; i++) if (list[i] === list[at]) return true;
  return false;
}

export function numberText(value: unknown, draft: Draft, path: string): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  const reading = readNumber(value);
  if (typeof reading === "string") {
    note(draft, reading === "ambiguous" ? "number_ambiguous" : "number_unreadable", path);
    return undefined;
  }
  if (reading.respelled) note(draft, "number_respelled", path);
  return String(reading.value);
}

function integerText(value: unknown, draft: Draft, path: string): string | undefined {
  const text = numberText(value, draft, path);
  if (text === undefined || Number.isSafeInteger(Number(text))) return text;
  note(draft, "number_unreadable", path);
  return undefined;
}

const CURRENCY = /^[A-Z]{3}$/;

function currencyText(value: unknown, draft: Draft, path: string): string | undefined {
  if (typeof value === "string" && isListedCurrency(value)) return `"${value}"`;
  const code = typeof value === "string" && value.length <= 16 ? value.trim().toUpperCase() : "";
  if (!CURRENCY.test(code)) {
    note(draft, "currency_unreadable", path);
    return undefined;
  }
  if (!isListedCurrency(code)) note(draft, "currency_unlisted", path);
  return `"${code}"`;
}

const DATE = /^\d{4}(?:\d{4}|-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?)$/;

function dateText(value: unknown, draft: Draft, path: string): string | undefined {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return `"${value.toISOString()}"`;
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && text.length <= 40 && DATE.test(text.trim())) return `"${text.trim()}"`;
  note(draft, "date_unreadable", path);
  return undefined;
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === 1 || value === "1" || value === "true") return true;
  return value === 0 || value === "0" || value === "false" ? false : undefined;
}

/** JSON of a field whose kind needs nothing but the value; `undefined` where nothing is to be sent. */
export function fieldText(row: Row, value: unknown, draft: Draft): string | undefined {
  const { kind, max, path } = row;
  switch (kind) {
    case "text":
      return plainJson(value, max, draft, path);
    case "texts":
      return textList(value, max, draft, path);
    case "textOrTexts":
      return Array.isArray(value) ? textList(value, max, draft, path) : plainJson(value, max, draft, path);
    case "number":
      return numberText(value, draft, path);
    case "integer":
      return integerText(value, draft, path);
    case "currency":
      return currencyText(value, draft, path);
    case "date":
      return dateText(value, draft, path);
    case "flag":
    case "switch": {
      const flag = booleanOf(value);
      if (flag === undefined) note(draft, "field_wrong_type", path);
      else return kind === "flag" ? String(flag) : flag ? "1" : "0";
      return undefined;
    }
    default:
      return undefined;
  }
}
