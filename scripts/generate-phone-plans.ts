/**
 * Writes `src/identity/phone-plans.ts` from the metadata of libphonenumber-js: what the fast path has to know about each
 * calling code and each country. Run with `npx tsx scripts/generate-phone-plans.ts`; a test fails when the file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

/** One numbering plan in libphonenumber-js's compressed metadata, version 4; the positions are the ones we read. */
type Plan = readonly unknown[];
interface Metadata {
  version: number;
  country_calling_codes: Record<string, string[]>;
  countries: Record<string, Plan>;
  nonGeographic: Record<string, Plan>;
}

const target = new URL("../src/identity/phone-plans.ts", import.meta.url);

function metadata(): Metadata {
  const require = createRequire(import.meta.url);
  const data = require("libphonenumber-js/metadata.min.json") as Metadata;
  if (data.version !== 4) throw new Error(`The metadata is version ${data.version}; read its layout before going on.`);
  return data;
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const iddPrefix = (plan: Plan) => text(plan[1]);
const pattern = (plan: Plan) => text(plan[2]);
const lengths = (plan: Plan) => plan[3] as number[];
const trunkPattern = (plan: Plan) => text(plan[7]) || text(plan[5]);

interface First {
  digits: Set<string>;
  /** Whether the expression also matches nothing, so that what follows it counts too. */
  empty: boolean;
}

/** The digits a match can begin with, for the few constructs of the metadata's expressions. Throws on any other. */
export function firstDigits(expression: string): Set<string> {
  let at = 0;

  function alternatives(): First {
    const all: First = { digits: new Set(), empty: false };
    do {
      const one = sequence();
      for (const digit of one.digits) all.digits.add(digit);
      all.empty ||= one.empty;
    } while (expression[at] === "|" && ++at);
    return all;
  }

  function sequence(): First {
    const all: First = { digits: new Set(), empty: true };
    while (at < expression.length && expression[at] !== "|" && expression[at] !== ")") {
      const one = repeated(atom());
      if (all.empty) for (const digit of one.digits) all.digits.add(digit);
      all.empty &&= one.empty;
    }
    return all;
  }

  function atom(): First {
    const character = expression[at++] ?? "";
    if (/\d/.test(character)) return { digits: new Set([character]), empty: false };
    if (character === "$") return { digits: new Set(), empty: true };
    if (character === "\\" && expression[at] === "d") {
      at++;
      return { digits: new Set("0123456789"), empty: false };
    }
    if (character === "[") {
      const end = expression.indexOf("]", at);
      const inside = new RegExp(`[${expression.slice(at, end)}]`);
      at = end + 1;
      return { digits: new Set([..."0123456789"].filter((digit) => inside.test(digit))), empty: false };
    }
    if (character === "(") {
      if (expression.startsWith("?:", at)) at += 2;
      const inner = alternatives();
      if (expression[at++] !== ")") throw new Error(`A group does not end in ${expression}`);
      return inner;
    }
    throw new Error(`${JSON.stringify(character)} in ${expression} is new; teach this script about it.`);
  }

  function repeated(one: First): First {
    if (expression[at] === "?" || expression[at] === "*") {
      at++;
      return { ...one, empty: true };
    }
    if (expression[at] === "{") {
      const end = expression.indexOf("}", at);
      const least = Number.parseInt(expression.slice(at + 1, end), 10);
      at = end + 1;
      return { ...one, empty: one.empty || least === 0 };
    }
    return one;
  }

  return alternatives().digits;
}

const sorted = (digits: Iterable<string>) => [...new Set(digits)].sort().join("");

/**
 * `code:lengths:digits:trunk`: lengths possible in every country of the code, digits a trunk prefix can begin with, and `0`
 * where one leading zero followed by any other digit is the trunk prefix and nothing else.
 */
function callingCodes(data: Metadata): string[] {
  const rows: string[] = [];
  const all = { ...data.country_calling_codes };
  for (const code of Object.keys(data.nonGeographic)) all[code] = [];
  for (const [code, countries] of Object.entries(all)) {
    const plans = countries.map((country) => data.countries[country] as Plan);
    if (plans.length === 0) plans.push(data.nonGeographic[code] as Plan);
    const main = plans[0] as Plan;
    const shared = lengths(main).filter((length) => plans.every((plan) => lengths(plan).includes(length)));
    rows.push(`${code}:${shared.join(".")}:${sorted(firstDigits(trunkPattern(main)))}:${trunkZero(main)}`);
  }
  return rows.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

/**
 * `country:code:digits:trunk`: digits with which a national number may be something else (a trunk or an international
 * prefix), and `0` where one leading zero followed by any other digit is the trunk prefix and nothing else.
 */
function countries(data: Metadata): string[] {
  const rows = Object.entries(data.countries).map(([country, plan]) => {
    const international = firstDigits(iddPrefix(plan));
    const unsafe = sorted([...firstDigits(trunkPattern(plan)), ...international]);
    const trunk = dialsOutByZero(iddPrefix(plan)) ? "" : trunkZero(plan);
    return `${country}:${plan[0]}:${unsafe}:${trunk}`;
  });
  return rows.sort();
}

/** `0` where no number of the plan begins with a zero and the only prefix that does is the zero itself. */
function trunkZero(plan: Plan): string {
  return onlyZero(trunkPattern(plan)) && !firstDigits(pattern(plan)).has("0") ? "0" : "";
}

/** Whether `0` alone is the one alternative of the expression that begins with a zero. */
function onlyZero(expression: string): boolean {
  const rest = expression.replace(/^0\||\|0$|^0$/, "");
  return rest !== expression && !firstDigits(rest).has("0");
}

/** Whether an international prefix can begin with one zero and another digit, as in `011` and `010`. */
function dialsOutByZero(expression: string): boolean {
  const prefix = new RegExp(`^(?:${expression})`);
  for (let rest = 100; rest < 1_000; rest++) if (prefix.test(`0${rest}5555555`)) return true;
  return false;
}

function lines(rows: readonly string[]): string {
  const out: string[] = [];
  let line = "";
  for (const row of rows) {
    if (line.length + row.length > 108) {
      out.push(line);
      line = "";
    }
    line += line === "" ? row : ` ${row}`;
  }
  out.push(line);
  return out.map((one) => `  ${JSON.stringify(one)},`).join("\n");
}

/** The whole file. */
export function phonePlans(): string {
  const data = metadata();
  return `// Made by scripts/generate-phone-plans.ts from the metadata of libphonenumber-js. Do not edit.

/** Calling code : lengths possible in every country that shares it : first digits that may belong to a trunk prefix : \`0\` where a leading zero is that prefix and nothing else. */
export const CALLING_CODES: readonly string[] = [
${lines(callingCodes(data))}
];

/** Country : calling code : first digits that may belong to a prefix : \`0\` where a leading zero is the trunk prefix and nothing else. */
export const COUNTRIES: readonly string[] = [
${lines(countries(data))}
];
`;
}

if (process.argv[1]?.endsWith("generate-phone-plans.ts")) {
  writeFileSync(target, phonePlans());
  console.log(`${target.pathname}: ${readFileSync(target, "utf8").length} characters`);
}
