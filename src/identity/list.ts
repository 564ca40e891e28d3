import type { IdentityField, IdentityOptions } from "./field.ts";
import { digestOrOmission } from "./hash.ts";
import { canonical } from "./normalize.ts";
import type { IdentityReason, Omitted } from "./reason.ts";

/** One or many values of one field, each used once. */
export interface IdentityList {
  /** In the order of their first appearance, without repetition. */
  values: string[];
  /** Where a value was left out: its index and why. */
  omitted: { index: number; reason: IdentityReason }[];
}

/**
 * {@link normalize} over one value or a list, without repetition.
 *
 * @example
 * ```ts
 * import { normalizeList } from "snapchat-destination/identity";
 *
 * normalizeList("em", ["A@example.com", "a@example.com", "nobody"]);
 * // { values: ["a@example.com"], omitted: [{ index: 2, reason: "not_an_email" }] }
 * ```
 */
export function normalizeList(field: IdentityField, values: unknown, options: IdentityOptions = {}): IdentityList {
  return each(values, (value) => canonical(field, value, options));
}

/**
 * {@link hash} over one value or a list; two spellings of one identifier give one digest.
 *
 * @example
 * ```ts
 * import { hashList } from "snapchat-destination/identity";
 *
 * const { values } = hashList("em", ["jane@example.com", " Jane@Example.com "]); // one digest
 * ```
 */
export function hashList(field: IdentityField, values: unknown, options: IdentityOptions = {}): IdentityList {
  return each(values, (value) => digestOrOmission(field, value, options));
}

function each(values: unknown, rule: (value: unknown) => string | Omitted): IdentityList {
  const list: IdentityList = { values: [], omitted: [] };
  for (const [index, value] of (Array.isArray(values) ? values : [values]).entries()) {
    const outcome = rule(value);
    if (typeof outcome !== "string") list.omitted.push({ index, reason: outcome.reason });
    else if (!list.values.includes(outcome)) list.values.push(outcome);
  }
  return list;
}
