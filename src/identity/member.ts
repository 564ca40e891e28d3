import type { IdentityField, IdentityOptions } from "./field.ts";
import { digestOrOmission, type Hashed, hash, hashWithReason } from "./hash.ts";
import type { Omitted } from "./reason.ts";

/** What an audience list holds people by (Ads-API/customer-lists). */
export type MemberKind = "email" | "phone" | "mobile_ad_id";

/** The field whose rule a kind of member follows, so that lists and events give one digest. */
export const MEMBER_FIELDS: Readonly<Record<MemberKind, IdentityField>> = {
  email: "em",
  phone: "ph",
  mobile_ad_id: "madid",
};

/**
 * The digest of one member of an audience list, or `undefined` where the value has to be left out.
 *
 * @example
 * ```ts
 * import { hashedMember } from "snapchat-destination/identity";
 *
 * hashedMember("phone", "+1 (206) 555-0143"); // "982b30bb…"
 * ```
 */
export function hashedMember(kind: MemberKind, value: unknown, options?: IdentityOptions): string | undefined {
  return hash(MEMBER_FIELDS[kind], value, options);
}

/**
 * As {@link hashedMember}, with the reason where the value is left out.
 *
 * @example
 * ```ts
 * import { hashedMemberWithReason } from "snapchat-destination/identity";
 *
 * hashedMemberWithReason("phone", "+1 (206) 555-0143").value; // "982b30bb…"
 * hashedMemberWithReason("email", "not an address"); // { reason: "not_an_email" }
 * ```
 */
export function hashedMemberWithReason(kind: MemberKind, value: unknown, options?: IdentityOptions): Hashed {
  return hashWithReason(MEMBER_FIELDS[kind], value, options);
}

/** As {@link hashedMemberWithReason}, without an object for each digest: for lists of millions. */
export function memberDigest(kind: MemberKind, value: unknown, options: IdentityOptions): string | Omitted {
  return digestOrOmission(MEMBER_FIELDS[kind], value, options);
}
