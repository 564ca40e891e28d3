import type { IdentityOptions } from "./field.ts";
import { lettersOnly } from "./name.ts";
import { isPlaceholder } from "./placeholder.ts";
import { type Omitted, omit } from "./reason.ts";
import { STATE_CODES } from "./states.ts";

/** `US-CA`, as ISO 3166-2 writes it. */
const ISO_3166_2 = /^\s*(us|au|br|ca|in|mx)-([a-z]{2,3})\s*$/i;

/**
 * States of the United States become their two-letter code, those of other countries where `stateCodes` names them; all
 * else is lower case, letters only. Without the person's country a name that is a state of the United States counts as it.
 *
 * @param country ISO code of the person's own country in lower case, where it is known.
 */
export function normalizeState(text: string, country: string | undefined, options: IdentityOptions): string | Omitted {
  const codes = ["us", ...(options.stateCodes ?? []).map((code) => code.toLowerCase())];
  const iso = ISO_3166_2.exec(text);
  if (iso && codes.includes(iso[1]?.toLowerCase() ?? "")) return iso[2]?.toLowerCase() ?? "";
  const name = lettersOnly(text);
  if (!/\p{L}/u.test(name)) return omit("no_letters");
  if (isPlaceholder(name)) return omit("placeholder");
  if (name.length <= 3) return name;
  const unmarked = name.normalize("NFKD").replace(/\p{M}+/gu, "");
  const own = (options.defaultCountry ?? "").toLowerCase();
  const order = country === undefined ? ["us", own] : [country];
  for (const one of order) {
    const code = codes.includes(one) ? STATE_CODES[one]?.get(unmarked) : undefined;
    if (code !== undefined) return code;
  }
  return name;
}
