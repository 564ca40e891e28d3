import { compileMapping, type Library } from "./mapping.ts";
import { isAbsent, toText } from "./values.ts";
import type { Mapping } from "./workflow.ts";

/** Fields to be made, by key. */
export type Fields = Readonly<Record<string, Mapping>>;

/** Writes what its fields find in an event into `out`; false where they find nothing at all. */
export type Writer = (out: Record<string, unknown>, event: unknown) => boolean;

/** What becomes of a value before it is written. */
export type Finish = (value: unknown) => unknown;

/** Compiles fields into one writer. `finish` runs on every value. */
export function compileWriter(fields: Fields, library: Library, finish?: Finish): Writer {
  const compiled = Object.keys(fields).map((key) => ({ key, get: compileMapping(fields[key] as Mapping, library) }));
  return (out, event) => {
    let any = false;
    for (const { key, get } of compiled) {
      const value = finish ? finish(get(event)) : get(event);
      if (isAbsent(value)) continue;
      out[key] = value;
      any = true;
    }
    return any;
  };
}

/** Identifiers are text or a list of texts; ten of one kind is more than a person has. */
export function toIdentifier(value: unknown): string | string[] | undefined {
  // Nearly every identifier is a text with nothing to trim, and looking is cheaper than trimming.
  if (typeof value === "string" && isInk(value.charCodeAt(0)) && isInk(value.charCodeAt(value.length - 1)))
    return value;
  if (!Array.isArray(value)) return toText(value) || undefined;
  const texts = value
    .slice(0, 10)
    .map(toText)
    .filter((one): one is string => !isAbsent(one));
  return texts.length > 1 ? texts : texts[0];
}

/** An ASCII character that shows; of the others some are white space. */
function isInk(code: number): boolean {
  return code > 32 && code < 127;
}
