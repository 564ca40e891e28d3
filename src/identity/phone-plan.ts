import { CALLING_CODES, COUNTRIES } from "./phone-plans.ts";

/** What the fast path knows of a calling code. Sets of digits and of lengths are bit masks. */
export interface CallingCode {
  /** Lengths of a national number that are possible in every country of the code. */
  lengths: number;
  /** First digits that may belong to a trunk prefix, so that the number needs the library. */
  unsafe: number;
  /** A leading zero is the trunk prefix and nothing else. */
  trunkZero: boolean;
}

/** What the fast path knows of a country, for numbers written without a country code: `unsafe` holds international prefixes too. */
export interface CountryPlan extends CallingCode {
  code: string;
}

const bits = (numbers: Iterable<string>) =>
  [...numbers].reduce((mask, number) => (number === "" ? mask : mask | (1 << Number(number))), 0);

/** By the code's number: `44` is at 44. Codes are prefix-free, so the first that fits is the one. */
const codes: (CallingCode | undefined)[] = Array.from({ length: 1_000 });
const countries = new Map<string, CountryPlan>();

for (const line of CALLING_CODES) {
  for (const row of line.split(" ")) {
    const [code, lengths, unsafe, trunk] = row.split(":") as [string, string, string, string?];
    codes[Number(code)] = { lengths: bits(lengths.split(".")), unsafe: bits(unsafe), trunkZero: trunk === "0" };
  }
}
for (const line of COUNTRIES) {
  for (const row of line.split(" ")) {
    const [country, code, unsafe, trunk] = row.split(":") as [string, string, string, string?];
    const lengths = codes[Number(code)]?.lengths ?? 0;
    countries.set(country, { code, lengths, unsafe: bits(unsafe), trunkZero: trunk === "0" });
  }
}

/** The length of the calling code that the digits begin with, or 0. */
export function callingCodeLength(digits: string): number {
  let code = 0;
  for (let length = 1; length <= 3 && length <= digits.length; length++) {
    code = code * 10 + digits.charCodeAt(length - 1) - 48;
    if (code === 0) return 0;
    if (codes[code] !== undefined) return length;
  }
  return 0;
}

/** Digits, calling code first, without a trunk zero, where the tables are enough to say that they are a possible number. */
export function plainNumber(digits: string): string | undefined {
  let code = 0;
  for (let length = 1; length <= 3 && length < digits.length; length++) {
    code = code * 10 + digits.charCodeAt(length - 1) - 48;
    if (code === 0) return undefined;
    const plan = codes[code];
    if (plan === undefined) continue;
    if (fits(plan, digits, length)) return digits;
    return fitsAfterZero(plan, digits, length) ? digits.slice(0, length) + digits.slice(length + 1) : undefined;
  }
  return undefined;
}

/** Whether digits from `from` on are a national number of possible length whose first digit belongs to no prefix. */
export function fits(plan: CallingCode, digits: string, from: number): boolean {
  return isPossible(plan, digits.length - from) && (plan.unsafe & (1 << (digits.charCodeAt(from) - 48))) === 0;
}

/** Whether digits from `from` on are one trunk zero and a national number of possible length. */
export function fitsAfterZero(plan: CallingCode, digits: string, from: number): boolean {
  return (
    plan.trunkZero &&
    digits.charCodeAt(from) === 48 &&
    digits.charCodeAt(from + 1) !== 48 &&
    isPossible(plan, digits.length - from - 1)
  );
}

function isPossible(plan: CallingCode, length: number): boolean {
  return length > 0 && length <= 17 && (plan.lengths & (1 << length)) !== 0;
}

/** The plan of a country by its two-letter code in any case; `UK` is read as `GB`. */
export function countryPlan(country: string | undefined): { country: string; plan: CountryPlan } | undefined {
  if (country === undefined) return undefined;
  let plan = countries.get(country);
  if (plan) return { country, plan };
  const upper = country.trim().toUpperCase();
  const name = upper === "UK" ? "GB" : upper;
  plan = countries.get(name);
  return plan && { country: name, plan };
}
