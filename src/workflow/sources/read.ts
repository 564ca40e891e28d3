import type { Issue } from "../../wire/event.ts";

/** A foreign object, after {@link asObject} looked at it. */
export type Bag = Readonly<Record<string, unknown>>;

const EMPTY: Bag = Object.freeze({});

/** The value as an object; an empty one where it is a list, a scalar or missing. */
export function asObject(value: unknown): Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Bag) : EMPTY;
}

/** Non-empty text of a text or a number, trimmed. */
export function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim() || undefined;
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

/** The first of several values that is a text. */
export function firstText(...values: unknown[]): string | undefined {
  for (const value of values) {
    const text = asText(value);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Yes or no in the ways platforms write it; `undefined` for what is neither. */
export function asFlag(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === 1 || value === 0) return value === 1;
  return typeof value === "string" ? FLAGS.get(value.trim().toLowerCase()) : undefined;
}

const FLAGS = new Map<string, boolean>([
  ["true", true],
  ["granted", true],
  ["allowed", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["denied", false],
  ["no", false],
  ["0", false],
]);

/** Something a source noticed: never with a value in it. */
export function notice(path: string, code: string, message: string, fix: string): Issue {
  return { path, code, message, fix, severity: "warning" };
}

/** Answers kept, and how long a text may be to have its answer kept: together a quarter of a megabyte at most. */
const KEPT = 1_000;
const LONGEST = 200;

/** A pure function of a text that remembers its answers: names and keys repeat, and are few unless someone attacks. */
export function remembered<T>(of: (text: string) => T): (text: string) => T {
  const answers = new Map<string, T>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined || answers.has(text)) return known as T;
    const answer = of(text);
    if (text.length > LONGEST) return answer;
    if (answers.size >= KEPT) answers.clear();
    answers.set(text, answer);
    return answer;
  };
}
