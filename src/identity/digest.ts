import type { IdentityField } from "./field.ts";
import { isDigestOfNothing } from "./placeholder.ts";
import { type Omitted, omit } from "./reason.ts";

const SHA256_HEX = /^[0-9a-f]{64}$/i;
/** MD5, SHA-1, SHA-512 and the like: longer than any other identifier made of such characters only. */
const OTHER_HEX = /^[0-9a-f]{32,}$/i;
/** 32 bytes in Base64. */
const BASE64 = /^[a-z0-9+/_-]{43}=?$/i;

/** Whether the text is a SHA-256 digest in hexadecimal, in any case. */
export function isDigest(text: string): boolean {
  return text.length === 64 && SHA256_HEX.test(text);
}

/**
 * What a text that may already be hashed comes to: the digest in lower case, an omission for a digest that Snapchat cannot
 * match, or `undefined` where the text is none. A host's own ids may be 32 hexadecimal digits, so for `external_id` only
 * SHA-256 counts.
 */
export function takeDigest(text: string, field: IdentityField): string | Omitted | undefined {
  if (isDigest(text)) {
    const digest = text.toLowerCase();
    return isDigestOfNothing(digest) ? omit("digest_of_nothing") : digest;
  }
  if (field === "external_id") return undefined;
  const foreign = OTHER_HEX.test(text) || (BASE64.test(text) && /\d/.test(text));
  if (foreign && (field === "madid" || field === "idfv") && /^0+$/.test(text)) return omit("all_zero_id");
  return foreign ? omit("not_sha256") : undefined;
}
