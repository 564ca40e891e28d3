import { isDigest } from "./digest.ts";
import type { IdentityField, IdentityOptions } from "./field.ts";
import { keeping } from "./keeping.ts";
import { canonical } from "./normalize.ts";
import type { IdentityReason, Omitted } from "./reason.ts";
import { sha256Hex } from "./sha256.ts";

/** A digest, or the reason why there is none. */
export interface Hashed {
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  readonly value?: string;
  readonly reason?: IdentityReason;
}

const NONE: IdentityOptions = {};

/**
 * The digest Snapchat matches: SHA-256 of the canonical text, as 64 lower-case hexadecimal digits, or `undefined` where
 * the identifier has to be left out. What comes hashed is taken, never hashed again.
 *
 * `madid` and `idfv` are hashed here too, which only audience lists want; for events see {@link userDataValue}.
 *
 * @throws {SnapchatError} `identity_data_missing` only in bundles and on edges that have not awaited
 * {@link preloadIdentity}.
 * @example
 * ```ts
 * import { hash } from "snapchat-destination/identity";
 *
 * hash("em", "Person@Example.com"); // "542d2401…"
 * hash("em", "not an address"); // undefined
 * ```
 */
export function hash(field: IdentityField, value: unknown, options: IdentityOptions = NONE): string | undefined {
  const text = canonical(field, value, options);
  return typeof text === "string" ? digestOf(field, text) : undefined;
}

/** The digest or the omission, without an object for each digest: for lists of millions. */
export function digestOrOmission(field: IdentityField, value: unknown, options: IdentityOptions): string | Omitted {
  const text = canonical(field, value, options);
  return typeof text === "string" ? digestOf(field, text) : text;
}

/**
 * As {@link hash}, with the reason where the identifier is left out.
 *
 * @example
 * ```ts
 * import { hashWithReason } from "snapchat-destination/identity";
 *
 * hashWithReason("em", "Person@Example.com").value; // "542d2401…"
 * hashWithReason("em", "not an address"); // { reason: "not_an_email" }
 * ```
 */
export function hashWithReason(field: IdentityField, value: unknown, options: IdentityOptions = NONE): Hashed {
  const text = canonical(field, value, options);
  return typeof text === "string" ? { value: digestOf(field, text) } : text;
}

/**
 * What a Conversions API event carries for the identifier: the digest, but `madid` and `idfv` in plain, which a digest
 * cannot be turned back into.
 *
 * @example
 * ```ts
 * import { userDataValue } from "snapchat-destination/identity";
 *
 * userDataValue("em", "Person@Example.com").value; // "542d2401…"
 * userDataValue("madid", "38400000-8CF0-11BD-B23E-10B96E40000D").value; // "38400000-8cf0-11bd-b23e-10b96e40000d"
 * ```
 */
export function userDataValue(field: IdentityField, value: unknown, options: IdentityOptions = NONE): Hashed {
  const text = canonical(field, value, options);
  if (typeof text !== "string") return text;
  if (field !== "madid" && field !== "idfv") return { value: digestOf(field, text) };
  return isDigest(text) ? { reason: "not_a_device_id" } : { value: text };
}

/** Few values, many people. */
const OF_MANY: ReadonlySet<IdentityField> = new Set(["ge", "country", "st"]);
const digestOfMany = keeping(2_000, sha256Hex);

function digestOf(field: IdentityField, text: string): string {
  if (isDigest(text)) return text;
  return OF_MANY.has(field) ? digestOfMany(text) : sha256Hex(text);
}
