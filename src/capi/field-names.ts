import { DEFAULT_MAX, type FieldKind, type FieldLevel, fieldsOf, pathOf } from "../wire/fields.ts";
import { type Draft, note } from "./draft.ts";

/** One level of the field table, ready to be read by name and written in order. */
export interface Level {
  readonly name: FieldLevel;
  readonly rows: readonly Row[];
  readonly byName: ReadonlyMap<string, Row>;
  /** Other name → the row it stands for. */
  readonly byAlias: ReadonlyMap<string, Row>;
}

/** A field's row with what reading and writing it needs. All rows have one shape: they are read several times an event. */
export interface Row {
  readonly name: string;
  readonly kind: FieldKind;
  /** Longest text, in characters. */
  readonly max: number;
  /** Position in the order of the table. */
  readonly index: number;
  /** A part of an address or a gender: few values, met again and again. */
  readonly place: boolean;
  readonly path: string;
  /** `"name":` */
  readonly key: string;
  /** `,"name":` */
  readonly next: string;
}

const PLACES: ReadonlySet<string> = new Set(["ct", "st", "zp", "country", "ge"]);

export function levelOf(name: FieldLevel): Level {
  const fields = fieldsOf(name);
  const rows = fields.map((field, index): Row => {
    const key = `${JSON.stringify(field.name)}:`;
    const { kind, max = DEFAULT_MAX } = field;
    const place = name === "user_data" && PLACES.has(field.name);
    return { name: field.name, kind, max, index, place, path: pathOf(field), key, next: `,${key}` };
  });
  return {
    name,
    rows,
    byName: new Map(rows.map((row) => [row.name, row])),
    byAlias: new Map(rows.flatMap((row) => (fields[row.index]?.aliases ?? []).map((alias) => [alias, row] as const))),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isAbsent(value: unknown): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

/**
 * Reads what stands under unknown names: a known misnomer counts as the right name where that is absent, anything else
 * is left out with an issue. Called only where such a name was met.
 */
export function readMisnomers(
  input: Record<string, unknown>,
  level: Level,
  draft: Draft,
  take: (row: Row, value: unknown) => void,
  ignored?: ReadonlySet<string>,
): void {
  const taken = new Set<Row>();
  for (const key of Object.keys(input)) {
    if (level.byName.has(key) || ignored?.has(key)) continue;
    const value = input[key];
    if (value === undefined || value === null) continue;
    const row = level.byAlias.get(key);
    if (row !== undefined && isAbsent(input[row.name]) && !taken.has(row)) {
      taken.add(row);
      note(draft, "field_renamed", row.path);
      take(row, value);
    } else {
      const prefix =
        level.name === "root" ? "" : level.name === "contents" ? "custom_data.contents[]." : `${level.name}.`;
      note(draft, "field_unknown", prefix + safeName(key));
    }
  }
}

/** The texts that were read, as the inside of a JSON object in the order of the table. */
export function joined(level: Level, texts: readonly (string | undefined)[]): string {
  const { rows } = level;
  let json = "";
  for (let i = 0; i < rows.length; i++) {
    const text = texts[i];
    if (text === undefined) continue;
    const row = rows[i] as Row;
    json += json === "" ? row.key : row.next;
    json += text;
  }
  return json;
}

/** A name from outside, fit to be shown: a key may itself be a person's address or number. */
export function safeName(name: string): string {
  return /^[\w.\-[\]]{1,60}$/.test(name) && !/(?:\d\D*){7}/.test(name) ? name : "(other)";
}
