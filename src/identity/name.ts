import { isPlaceholder } from "./placeholder.ts";
import { type Omitted, omit } from "./reason.ts";
import { isAscii, lowerComposed } from "./text.ts";

const NOT_ASCII_LETTERS = /[^a-z]+/g;
const NOT_LETTERS = /[^\p{L}\p{M}]+/gu;
const LETTER = /\p{L}/u;

/**
 * First names, last names and cities: lower case, letters and their combining marks only, composed. Letters are not
 * transliterated: `Müller` stays `müller`.
 */
export function normalizeName(text: string): string | Omitted {
  const letters = lettersOnly(text);
  if (letters === "" || (!isAscii(letters) && !LETTER.test(letters))) return omit("no_letters");
  return isPlaceholder(letters) ? omit("placeholder") : letters;
}

/** Lower case, without everything that is no letter and no combining mark. */
export function lettersOnly(text: string): string {
  if (isAscii(text)) return text.toLowerCase().replace(NOT_ASCII_LETTERS, "");
  // Composed again: what was taken out may have stood between a letter and its mark.
  return lowerComposed(text).replace(NOT_LETTERS, "").normalize("NFC");
}
