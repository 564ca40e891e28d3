export type NumberReading = { value: number; respelled: boolean } | "unreadable" | "ambiguous";

// No plus anywhere: `+44 7700 900999` is a phone number in the wrong field, not an amount.
const PLAIN = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const CURRENCY_SIGN = /^(?:[A-Z]{3}|\p{Sc})\s*|\s*(?:[A-Z]{3}|\p{Sc})$/gu;
const COMMA_THOUSANDS = /^-?\d{1,3}(?:,\d{3})+\.\d+$|^-?\d{1,3}(?:,\d{3}){2,}$/;
const DOT_THOUSANDS = /^-?\d{1,3}(?:\.\d{3})+,\d+$|^-?\d{1,3}(?:\.\d{3}){2,}$/;
const SPACE_THOUSANDS = /^-?\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d+)?$/;
const DECIMAL_COMMA = /^-?\d+,(?:\d{1,2}|\d{4,})$/;
const EITHER = /^-?\d{1,3},\d{3}$/;
const SPACES = /[\s'’]/g;

/**
 * Reads a number as shops write it. `12,50` and `1.234,50` have one reading; `1,234` has two and is refused rather than
 * counted a thousandfold wrong.
 */
export function readNumber(value: unknown): NumberReading {
  if (typeof value === "number") return Number.isFinite(value) ? { value, respelled: false } : "unreadable";
  if (typeof value === "bigint") return { value: Number(value), respelled: false };
  if (typeof value !== "string" || value.length > 64) return "unreadable";
  const text = value.trim();
  if (PLAIN.test(text)) return finite(Number(text), false);
  let bare = text.replace(CURRENCY_SIGN, "");
  if (SPACE_THOUSANDS.test(bare)) bare = bare.replace(SPACES, "").replace(",", ".");
  if (PLAIN.test(bare)) return finite(Number(bare), true);
  if (COMMA_THOUSANDS.test(bare)) return finite(Number(bare.replaceAll(",", "")), true);
  if (DOT_THOUSANDS.test(bare)) return finite(Number(bare.replaceAll(".", "").replace(",", ".")), true);
  if (DECIMAL_COMMA.test(bare)) return finite(Number(bare.replace(",", ".")), true);
  return EITHER.test(bare) ? "ambiguous" : "unreadable";
}

function finite(value: number, respelled: boolean): NumberReading {
  return Number.isFinite(value) ? { value, respelled } : "unreadable";
}
