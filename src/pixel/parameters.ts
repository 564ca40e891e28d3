import { PIXEL_TRACK_PARAMETERS } from "../wire/pixel-parameters.ts";

/** Parameters of a `track` call, in the pixel's own names. */
export type PixelParameters = Record<string, string | number | readonly string[]>;

/**
 * What the pixel would take of `given`, each value in the type it expects: one function for browser and server. The
 * pixel drops the rest silently, so it is left out here and named.
 *
 * @param warn hears a stable code and a parameter's name, never a value.
 * @param allow the only names that may leave. Absent: all.
 */
export function pixelParameters(
  given: object,
  warn: (code: "parameter_unknown" | "parameter_invalid" | "parameter_off", name: string) => void,
  allow?: readonly string[],
): PixelParameters {
  const parameters: PixelParameters = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === "") continue;
    const read = READ[(PIXEL_TRACK_PARAMETERS as Readonly<Record<string, number>>)[name] as number];
    const taken = read?.(value);
    if (taken === undefined) warn(read ? "parameter_invalid" : "parameter_unknown", name);
    else if (allow && !allow.includes(name)) warn("parameter_off", name);
    else parameters[name] = taken;
  }
  return parameters;
}

/** A text or number as text, of a list the first; no mail address, which is no event data. */
function text(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(text).find(Boolean);
  const plain = typeof value === "string" || Number.isFinite(value) ? `${value}`.trim() : "";
  if (!/^$|\S@\S+\.\S/.test(plain)) return plain;
}

/** By the numbers of `PIXEL_KIND`. */
const READ: readonly ((value: unknown) => string | number | readonly string[] | undefined)[] = [
  text,
  (value) => {
    const number = +(text(value) as string);
    if (Number.isFinite(number)) return number;
  },
  // The pixel joins lists with commas, so an item with a comma would become two.
  (value) => {
    const items = [value]
      .flat()
      .map(text)
      .filter((item) => item && !item.includes(","));
    return items[0] && (items as string[]);
  },
  (value) => /^[A-Z]{3}$/.exec(`${text(value)}`.toUpperCase())?.[0],
];
