export type NumberReading = { value: number; respelled: boolean } | "unreadable" | "ambiguous";

const PLAIN = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const CURRENCY_SIGNS = /^(?:[A-Z]{3}|\p{Sc})\s*|\s*(?:[A-Z]{3}|\p{Sc})$/gu;
const COMMA_THOUSANDS = /^[+-]?\d{1,3}(?:,\d{3})+\.\d+$|^[+-]?\d{1,3}(?:,\d{3}){2,}$/;
const DOT_THOUSANDS = /^[+-]?\d{1,3}(?:\.\d{3})+,\d+$|^[+-]?\d{1,3}(?:\.\d{3}){2,}$/;
const DECIMAL_COMMA = /^[+-]?\d+,(?:\d{1,2}|\d{4,})$/;
const SPACES = /[\s\u00a0\u202f'’]/g;

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
  const bare = text.replace(CURRENCY_SIGNS, "").replace(SPACES, "");
  if (PLAIN.test(bare)) return finite(Number(bare), true);
  if (COMMA_THOUSANDS.test(bare)) return finite(Number(bare.replaceAll(",", "")), true);
  if (DOT_THOUSANDS.test(bare)) return finite(Number(bare.replaceAll(".", "").replace(",", ".")), true);
  if (DECIMAL_COMMA.test(bare)) return finite(Number(bare.replace(",", ".")), true);
  return /^[+-]?\d{1,3},\d{3}$/.test(bare) ? "ambiguous" : "unreadable";
}

function finite(value: number, respelled: boolean): NumberReading {
  return Number.isFinite(value) ? { value, respelled } : "unreadable";
}
