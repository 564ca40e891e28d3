import { type Omitted, omit } from "./reason.ts";

const NOT_CODE = /[^\p{L}\p{N}]+/gu;
const ZIP_PLUS_4 = /^(\d{5})[-\s]\d{4}$/;
const MAX_LENGTH = 12;

/**
 * Lower case, letters and digits only; of a United States ZIP+4 the first five digits. Leading zeros stay, so postcodes
 * have to come as text.
 *
 * @param country ISO code in lower case, where it is known.
 */
export function normalizePostcode(text: string, country: string | undefined): string | Omitted {
  const plain = text.normalize("NFKC");
  const zip = ZIP_PLUS_4.exec(plain)?.[1] ?? plain.toLowerCase().replace(NOT_CODE, "");
  if (!/\p{N}/u.test(zip) || zip.length < 2 || zip.length > MAX_LENGTH || /^0+$/.test(zip))
    return omit("not_a_postcode");
  return country === "us" && /^\d{9}$/.test(zip) ? zip.slice(0, 5) : zip;
}
