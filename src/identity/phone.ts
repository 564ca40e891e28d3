import { phoneLibrary } from "./phone-library.ts";
import { callingCodeLength, type countryPlan, fits, fitsAfterZero, plainNumber } from "./phone-plan.ts";
import { type Omitted, omit } from "./reason.ts";
import { asciiDigits, removeInvisible } from "./text.ts";

type Country = ReturnType<typeof countryPlan>;

/** Without a plus sign and a default country, a number with punctuation counts as international from this length on. */
const SURELY_INTERNATIONAL = 12;
const LONGEST_WRITTEN = 250;

/** The result for a number whose digits need no rule but the tables', else `undefined`. */
export function fastPhone(text: string, country: Country): string | undefined {
  const written = readAscii(text);
  if (written === undefined) return undefined;
  const { digits, plus, punctuation } = written;
  if (plus || digits.startsWith("00")) return plainNumber(digits.startsWith("00") ? digits.slice(2) : digits);
  if (country) {
    const { plan } = country;
    if (fitsAfterZero(plan, digits, 0)) return plan.code + digits.slice(1);
    return !digits.startsWith(plan.code) && fits(plan, digits, 0) ? plan.code + digits : undefined;
  }
  return !punctuation || digits.length >= SURELY_INTERNATIONAL ? plainNumber(digits) : undefined;
}

interface Written {
  digits: string;
  plus: boolean;
  /** Something other than white space stands between the digits. */
  punctuation: boolean;
}

/** ASCII digits with an optional plus sign in front and the usual separators, else `undefined`. */
function readAscii(text: string): Written | undefined {
  if (text.length > 40) return undefined;
  let plus = false;
  let punctuation = false;
  let clean = true;
  let start = 0;
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) count++;
    else if (code === 43 && count === 0 && !plus) {
      plus = true;
      if (at === 0) start = 1;
      else clean = false;
    } else if (code === 32) clean = false;
    else if (code === 45 || code === 46 || code === 40 || code === 41 || code === 47) {
      clean = false;
      punctuation = true;
    } else return undefined;
  }
  if (count === 0 || (punctuation && text.endsWith(".0"))) return undefined;
  return { digits: clean ? text.slice(start) : text.replace(/[^0-9]+/g, ""), plus, punctuation };
}

/** The whole rule, by libphonenumber-js: E.164 digits without the plus sign. A possible number is enough. */
export function slowPhone(text: string, country: Country): string | Omitted {
  const written = readAny(text);
  if (!written) return omit("not_a_phone");
  const { digits, plus, punctuation } = written;
  if (plus || digits.startsWith("00")) {
    const dialled = country && !plus ? national(digits, country.country) : undefined;
    return international(digits.replace(/^00/, "")) ?? dialled ?? omit("not_a_phone");
  }
  if (country) {
    const number = national(digits, country.country) ?? (digits.startsWith("0") ? undefined : international(digits));
    return number ?? omit("not_a_phone");
  }
  if (digits.length < 5) return omit("not_a_phone");
  const canonical = !digits.startsWith("0") && (!punctuation || digits.length >= SURELY_INTERNATIONAL);
  return (canonical ? international(digits) : undefined) ?? omit("phone_without_country");
}

/** Digits, calling code first. One zero after the code is dropped where the number is not possible with it. */
function international(digits: string): string | undefined {
  const number = possible(`+${digits}`);
  if (number !== undefined) return number;
  const code = callingCodeLength(digits);
  if (code === 0 || digits[code] !== "0") return undefined;
  return possible(`+${digits.slice(0, code)}${digits.slice(code + 1)}`);
}

function national(digits: string, country: string): string | undefined {
  return possible(digits, country);
}

type DefaultCountry = Exclude<Parameters<ReturnType<typeof phoneLibrary.get>["parsePhoneNumberFromString"]>[1], object>;

function possible(text: string, country?: string): string | undefined {
  const parsed = phoneLibrary.get().parsePhoneNumberFromString(text, country as DefaultCountry);
  return parsed?.isPossible() ? parsed.number.slice(1) : undefined;
}

const SCHEME = /^\s*(?:tel|phone|sips?|callto|whatsapp)\s*:\s*/;
const CONTEXT = /;phone-context=(\+[\d().-]+)/;
/** An extension, and all that follows it: `ext. 7`, `x7`, `#7`, `;ext=7`, pauses, a second number after a comma. */
const EXTENSION = /\s*(?:[,;#]|(?:extension|extn?|xt?n?|доб|poste|anexo)[.:]?\s*\d).*$/su;
const WRITTEN = /^[^\d+]*\+?[\d\s\p{P}\p{Sk}\p{Sm}~]*$/u;

/** Any script's digits with whatever people write around them, without scheme and extension, else `undefined`. */
function readAny(text: string): Written | undefined {
  if (text.length > LONGEST_WRITTEN) return undefined;
  let number = asciiDigits(removeInvisible(text.normalize("NFKC"))).toLowerCase();
  const context = CONTEXT.exec(number)?.[1];
  number = number.replace(SCHEME, "").replace(EXTENSION, "");
  if (context && !number.includes("+")) number = context + number;
  number = number.trim().replace(/^(\d{7,})\.0+$/, "$1");
  if (!WRITTEN.test(number) || /[\p{L}*=@]/u.test(number) || number.indexOf("+", 1) > number.search(/\d/))
    return undefined;
  const digits = number.replace(/\D+/g, "");
  if (digits === "") return undefined;
  return { digits, plus: /^[^\d+]*\+/.test(number), punctuation: /[^\d\s]/.test(number) };
}
