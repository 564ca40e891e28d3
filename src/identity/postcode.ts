import { type Omitted, omit } from "./reason.ts";
import { asciiDigits, isAscii, lowerComposed } from "./text.ts";

const NOT_CODE = /[^\p{L}\p{M}\p{N}]+/gu;
const NOT_ASCII_CODE = /[^a-z0-9]+/g;
const HAS_DIGIT = /[0-9]|\p{N}/u;
const ZIP_PLUS_4 = /^(\d{5})[-\s]\d{4}$/;
const MAX_LENGTH = 12;

/**
 * Lower case, letters and digits only; of a United States ZIP+4 the first five digits. Leading zeros stay, so postcodes
 * have to come as text.
 *
 * @param country ISO code in lower case, where it is known.
 */
export function normalizePostcode(text: string, country: string | undefined): string | Omitted {
  const plain = isAscii(text) ? text.toLowerCase() : asciiDigits(lowerComposed(text.normalize("NFKC")));
  const zip = ZIP_PLUS_4.exec(plain)?.[1] ?? lettersAndDigits(plain);
  if (!HAS_DIGIT.test(zip) || zip.length < 2 || zip.length > MAX_LENGTH || /^0+$/.test(zip))
    return omit("not_a_postcode");
  return country === "us" && /^\d{9}$/.test(zip) ? zip.slice(0, 5) : zip;
}

function lettersAndDigits(text: string): string {
  return isAscii(text) ? text.replace(NOT_ASCII_CODE, "") : text.replace(NOT_CODE, "").normalize("NFC");
}
