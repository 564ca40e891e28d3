import type { IdentityOptions } from "./field.ts";
import { normalizeName } from "./name.ts";
import type { Omitted } from "./reason.ts";
import { STATE_CODES } from "./states.ts";
import { isAscii } from "./text.ts";

/** `US-CA`, as ISO 3166-2 writes it. */
const ISO_3166_2 = /^(us|au|br|ca|in|mx)-([a-z]{2,3})$/i;

/**
 * States of the United States become their two-letter code, those of other countries where `stateCodes` names them; all
 * else is lower case, letters only. Without the person's country a name that is a state of the United States counts as it.
 *
 * @param country ISO code of the person's own country in lower case, where it is known.
 */
export function normalizeState(text: string, country: string | undefined, options: IdentityOptions): string | Omitted {
  const iso = ISO_3166_2.exec(text);
  if (iso?.[1] && iso[2] && hasCodes(iso[1].toLowerCase(), options)) return iso[2].toLowerCase();
  const name = normalizeName(text);
  if (typeof name !== "string") return name;
  if (country !== undefined) return codeOf(name, country, options) ?? name;
  return codeOf(name, "us", options) ?? codeOf(name, options.defaultCountry?.toLowerCase(), options) ?? name;
}

function hasCodes(country: string | undefined, { stateCodes }: IdentityOptions): boolean {
  return country === "us" || (stateCodes?.some((code) => code.toLowerCase() === country) ?? false);
}

function codeOf(name: string, country: string | undefined, options: IdentityOptions): string | undefined {
  if (country === undefined || !hasCodes(country, options)) return undefined;
  const unmarked = isAscii(name) ? name : name.normalize("NFKD").replace(/\p{M}+/gu, "");
  return STATE_CODES[country]?.get(unmarked);
}
