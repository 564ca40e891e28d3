import { compilePath } from "./path.ts";
import { isAbsent } from "./values.ts";
import type { Condition, Filter } from "./workflow.ts";

/** Compares what a path found with what a condition says. Pure and bounded; never throws. */
export type Operator = (found: unknown, value: unknown) => boolean;

/** A compiled filter. */
export type Test = (event: unknown, item?: unknown) => boolean;

/** Characters of a found text that `contains` and `glob` look at. */
const LOOK = 2_000;

/** The first characters of a text; of anything else none that a comparison could find. */
const start = (found: unknown) => (typeof found === "string" ? found.slice(0, LOOK) : undefined);

const compare = (of: (found: number, value: number) => boolean): Operator => {
  return (found, value) => of(asNumber(found), asNumber(value));
};

/** Numbers as text compare as numbers (CustomerLabs sends both); anything else compares with nothing. */
function asNumber(value: unknown): number {
  return typeof value === "number" || (typeof value === "string" && value) ? +value : Number.NaN;
}

function equals(found: unknown, value: unknown): boolean {
  if (found === value) return !isAbsent(found);
  // Text against text compares exactly; a number meets its own text.
  return typeof found !== typeof value && asNumber(found) === asNumber(value);
}

/** The operators of {@link Filter} by name; plugins add to a copy of it. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  equals,
  in: (found, value) => Array.isArray(value) && value.some((one) => equals(found, one)),
  contains: (found, value) =>
    Array.isArray(found)
      ? found.slice(0, LOOK).some((one) => equals(one, value))
      : !!start(found)?.includes(`${value}`),
  starts: (found, value) => !!start(found)?.startsWith(`${value}`),
  ends: (found, value) => typeof found === "string" && found.endsWith(`${value}`),
  glob: (found, value) => matchGlob(start(found), `${value}`),
  exists: (found, value) => isAbsent(found) === (value === false),
  gt: compare((a, b) => a > b),
  gte: compare((a, b) => a >= b),
  lt: compare((a, b) => a < b),
  lte: compare((a, b) => a <= b),
};

/** `*` is any run of characters: each part between two stars is looked for after the one before, in linear time. */
function matchGlob(found: string | undefined, pattern: string): boolean {
  const parts = pattern.split("*");
  const last = parts.pop() as string;
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const next = found?.indexOf(part, at) ?? -1;
    if (next < 0 || (next && !index)) return false;
    at = next + part.length;
  }
  return parts[0] === undefined ? found === last : !!found?.slice(at).endsWith(last);
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
