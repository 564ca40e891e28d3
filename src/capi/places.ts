import { type IdentityField, type IdentityOptions, type IdentityReason, userDataValue } from "../identity/index.ts";

/** A place as it is written, or the reason why it is left out. */
export interface PlaceText {
  readonly json: string | undefined;
  readonly reason: IdentityReason | undefined;
}

/**
 * Digests of places, kept: a shop sees the same few cities, states and countries all day, and looking one up costs a
 * tenth of reading and hashing it. Only places and genders, never names, contacts or ids; nothing says whose they were.
 */
type Kept = Map<string, PlaceText>;
interface Generation {
  held: number;
  /** By field alone. */
  plain: Record<"ct" | "country" | "ge", Kept>;
  /** By the country that decides how the value is read. */
  ofCountry: Record<"st" | "zp", Map<string, Kept>>;
}

/** Values of one generation; two generations live at a time. */
const MOST = 4_000;
const LONGEST = 60;

const generation = (): Generation => ({
  held: 0,
  plain: { ct: new Map(), country: new Map(), ge: new Map() },
  ofCountry: { st: new Map(), zp: new Map() },
});

let recent = generation();
let before = generation();

/** JSON of one place's digest, from memory where it was met before; `undefined` for what is not kept. */
export function placeText(field: IdentityField, value: string, options: IdentityOptions): PlaceText | undefined {
  if (value.length > LONGEST) return undefined;
  const kept = keptOf(recent, field, options);
  if (kept === undefined) return undefined;
  const known = kept.get(value);
  if (known !== undefined) return known;
  const found = keptOf(before, field, options)?.get(value) ?? read(field, value, options);
  if (recent.held++ < MOST) kept.set(value, found);
  else {
    before = recent;
    recent = generation();
  }
  return found;
}

function read(field: IdentityField, value: string, options: IdentityOptions): PlaceText {
  const { value: digest, reason } = userDataValue(field, value, options);
  return { json: digest === undefined ? undefined : `["${digest}"]`, reason };
}

function keptOf(from: Generation, field: IdentityField, options: IdentityOptions): Kept | undefined {
  if (field === "ct" || field === "country" || field === "ge") return from.plain[field];
  if (field !== "st" && field !== "zp") return undefined;
  if (options.stateCodes !== undefined) return undefined;
  const country = options.country ?? (field === "zp" ? options.defaultCountry : undefined) ?? "";
  if (country.length > LONGEST) return undefined;
  const countries = from.ofCountry[field];
  let kept = countries.get(country);
  if (kept === undefined) {
    kept = new Map();
    countries.set(country, kept);
    from.held++;
  }
  return kept;
}
