/**
 * Identifiers of people as Snapchat matches them: one set of rules for events, audiences and the pixel.
 *
 * @module
 */
export { IDENTITY_FIELDS, type IdentityField, type IdentityOptions, type StateCodeCountry } from "./field.ts";
export { type Hashed, hash, hashWithReason, userDataValue } from "./hash.ts";
export { hashList, type IdentityList, normalizeList } from "./list.ts";
export { hashedMember, hashedMemberWithReason, MEMBER_FIELDS, type MemberKind } from "./member.ts";
export { type Normalized, normalize, normalizeWithReason } from "./normalize.ts";
export { identityReady, preloadIdentity, preloadPhones } from "./preload.ts";
export { IDENTITY_REASONS, type IdentityReason } from "./reason.ts";
export { sha256Hex } from "./sha256.ts";
