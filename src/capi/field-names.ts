import { type Field, type FieldLevel, fieldsOf, pathOf } from "../wire/fields.ts";
import { type Draft, note } from "./draft.ts";

/** One level of the field table, ready to be walked: rows in order, with what each writes. */
export interface Level {
  readonly name: FieldLevel;
  readonly rows: readonly Row[];
  readonly known: ReadonlySet<string>;
  /** Other name → the right one. */
  readonly aliases: ReadonlyMap<string, string>;
}

export interface Row {
  readonly field: Field;
  readonly name: string;
  readonly path: string;
  /** `"name":` */
  readonly key: string;
}

export function levelOf(name: FieldLevel): Level {
  const fields = fieldsOf(name);
  return {
    name,
    rows: fields.map((field) => ({
      field,
      name: field.name,
      path: pathOf(field),
      key: `${JSON.stringify(field.name)}:`,
    })),
    known: new Set(fields.map((field) => field.name)),
    aliases: new Map(fields.flatMap((field) => (field.aliases ?? []).map((alias) => [alias, field.name] as const))),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The same values under the right names. An unknown name is left out with an issue; a known misnomer is read where the
 * right name is absent. Without either the input itself is returned.
 */
export function withRightNames(
  input: Record<string, unknown>,
  level: Level,
  draft: Draft,
  ignored?: ReadonlySet<string>,
): Record<string, unknown> {
  let strange = false;
  for (const key in input) {
    if (!level.known.has(key) && !ignored?.has(key)) {
      strange = true;
      break;
    }
  }
  if (!strange) return input;
  const right: Record<string, unknown> = Object.create(null);
  const prefix = level.name === "root" ? "" : level.name === "contents" ? "custom_data.contents[]." : `${level.name}.`;
  for (const key of Object.keys(input)) if (level.known.has(key) || ignored?.has(key)) right[key] = input[key];
  for (const key of Object.keys(input)) {
    if (level.known.has(key) || ignored?.has(key)) continue;
    if (input[key] === undefined || input[key] === null) continue;
    const name = level.aliases.get(key);
    if (name !== undefined && (right[name] === undefined || right[name] === null)) {
      right[name] = input[key];
      note(draft, "field_renamed", prefix + name);
    } else {
      note(draft, "field_unknown", prefix + safeName(key));
    }
  }
  return right;
}

/** A name from outside, fit to be shown: a key may itself be a person's address. */
export function safeName(name: string): string {
  return /^[\w.\-[\]]{1,60}$/.test(name) ? name : "(other)";
}
