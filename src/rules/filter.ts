import { compilePath } from "./path.ts";
import { isAbsent } from "./values.ts";
import type { Condition, Filter } from "./workflow.ts";

/** Compares what a path found with what a condition says. Pure and bounded; never throws. */
export type Operator = (found: unknown, value: unknown) => boolean;

/** A compiled filter. */
export type Test = (event: unknown, item?: unknown) => boolean;

/** Characters of a found text that `contains` and `glob` look at. */
const LOOK = 2_000;

const text = (of: (found: string, value: string) => boolean): Operator => {
  return (found, value) => typeof found === "string" && typeof value === "string" && of(found.slice(0, LOOK), value);
};

const compare = (of: (found: number, value: number) => boolean): Operator => {
  return (found, value) => !isAbsent(found) && !isAbsent(value) && of(asNumber(found), asNumber(value));
};

/** Numbers as text compare as numbers (CustomerLabs sends both); anything else compares with nothing. */
function asNumber(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "string" ? +value : Number.NaN;
}

function equals(found: unknown, value: unknown): boolean {
  if (found === value) return !isAbsent(found);
  // Text against text compares exactly; a number meets its own text.
  return typeof found !== typeof value && compare((a, b) => a === b)(found, value);
}

/** The operators of {@link Filter} by name; plugins add to a copy of it. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  equals,
  in: (found, value) => Array.isArray(value) && !isAbsent(found) && value.some((one) => equals(found, one)),
  contains: (found, value) =>
    Array.isArray(found)
      ? found.slice(0, LOOK).some((one) => equals(one, value))
      : typeof found === "string" && found.slice(0, LOOK).includes(String(value)),
  starts: text((found, value) => found.startsWith(value)),
  ends: (found, value) => typeof found === "string" && typeof value === "string" && found.endsWith(value),
  glob: text(matchGlob),
  exists: (found, value) => isAbsent(found) === (value === false),
  gt: compare((a, b) => a > b),
  gte: compare((a, b) => a >= b),
  lt: compare((a, b) => a < b),
  lte: compare((a, b) => a <= b),
};

/** `*` any run, `?` one character; linear but for the last star, so at most text × pattern steps. */
function matchGlob(found: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (at < found.length) {
    if (pattern[p] === "*") {
      star = p++;
      mark = at;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === found[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Compiles a filter tree; no filter lets everything through, an unknown operator nothing. */
export function compileFilter(filter: Filter | undefined, operators = OPERATORS): Test {
  if (!filter) return () => true;
  if ("and" in filter) {
    const tests = filter.and.map((part) => compileFilter(part, operators));
    return (event, item) => tests.every((test) => test(event, item));
  }
  if ("or" in filter) {
    const tests = filter.or.map((part) => compileFilter(part, operators));
    return (event, item) => tests.some((test) => test(event, item));
  }
  if ("not" in filter) {
    const test = compileFilter(filter.not, operators);
    return (event, item) => !test(event, item);
  }
  const { path, op, value } = filter as Condition;
  const get = compilePath(path);
  const operator = Object.hasOwn(operators, op) ? operators[op] : undefined;
  return operator ? (event, item) => operator(get(event, item), value) === true : () => false;
}
