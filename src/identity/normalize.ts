import { countryCode, normalizeCountry } from "./country.ts";
import { normalizeDeviceId } from "./device-id.ts";
import { isDigest, takeDigest } from "./digest.ts";
import { fastEmail, slowEmail } from "./email.ts";
import { normalizeExternalId } from "./external-id.ts";
import type { IdentityField, IdentityOptions } from "./field.ts";
import { normalizeGender } from "./gender.ts";
import { normalizeName } from "./name.ts";
import { fastPhone, slowPhone } from "./phone.ts";
import { countryPlan } from "./phone-plan.ts";
import { isPlaceholder } from "./placeholder.ts";
import { normalizePostcode } from "./postcode.ts";
import { type IdentityReason, type Omitted, omit } from "./reason.ts";
import { normalizeState } from "./state.ts";
import { MAX_TEXT, toText, trimStray } from "./text.ts";

/** A canonical text, or the reason why there is none. */
export interface Normalized {
  readonly value?: string;
  readonly reason?: IdentityReason;
  /** The value came hashed: it is the SHA-256 digest itself, in lower case. */
  readonly hashed?: boolean;
}

const NONE: IdentityOptions = {};

/**
 * The canonical text of an identifier, the one that is hashed, or `undefined` where it has to be left out. Total: it
 * throws for no value. A value that is a SHA-256 digest already comes back as it is, in lower case.
 *
 * The rules are listed with their sources and examples in `docs/identifiers.md`.
 *
 * @throws {SnapchatError} `identity_data_missing` only in bundles and on edges that have not awaited
 * {@link preloadIdentity}.
 * @example
 * ```ts
 * import { normalize } from "snapchat-destination/identity";
 *
 * normalize("em", "  Person@Example.com "); // "person@example.com"
 * normalize("ph", "07911 123456", { defaultCountry: "GB" }); // "447911123456"
 * normalize("ph", "07911 123456"); // undefined: no country
 * ```
 */
export function normalize(field: IdentityField, value: unknown, options: IdentityOptions = NONE): string | undefined {
  const outcome = canonical(field, value, options);
  return typeof outcome === "string" ? outcome : undefined;
}

/**
 * As {@link normalize}, with the reason where the identifier is left out.
 *
 * @example
 * ```ts
 * import { normalizeWithReason } from "snapchat-destination/identity";
 *
 * normalizeWithReason("em", " Person@Example.com "); // { value: "person@example.com" }
 * normalizeWithReason("ph", "07911 123456"); // { reason: "phone_without_country" }
 * ```
 */
export function normalizeWithReason(field: IdentityField, value: unknown, options: IdentityOptions = NONE): Normalized {
  const outcome = canonical(field, value, options);
  if (typeof outcome !== "string") return outcome;
  return isDigest(outcome) ? { value: outcome, hashed: true } : { value: outcome };
}

/** The canonical text or the omission; for callers that hash what they get. */
export function canonical(field: IdentityField, value: unknown, options: IdentityOptions): string | Omitted {
  if (typeof value === "string") {
    const fast =
      field === "em"
        ? fastEmail(value)
        : field === "ph"
          ? fastPhone(value, countryPlan(options.defaultCountry))
          : undefined;
    if (fast !== undefined) return fast;
  }
  const raw = toText(value);
  if (raw === undefined) return omit(value === undefined || value === null ? "empty" : "not_text");
  if (raw.length > MAX_TEXT) return omit("too_long");
  const text = trimStray(raw);
  if (text === "") return omit("empty");
  if (text.length >= 32) {
    const digest = takeDigest(text, field);
    if (digest !== undefined) return digest;
  }
  return isPlaceholder(text) ? omit("placeholder") : byField(field, text, options);
}

function byField(field: IdentityField, text: string, options: IdentityOptions): string | Omitted {
  switch (field) {
    case "em":
      return slowEmail(text);
    case "ph":
      return slowPhone(text, countryPlan(options.defaultCountry));
    case "fn":
    case "ln":
    case "ct":
      return normalizeName(text);
    case "ge":
      return normalizeGender(text);
    case "st":
      return normalizeState(text, countryCode(options.country), options);
    case "zp":
      return normalizePostcode(text, countryCode(options.country ?? options.defaultCountry));
    case "country":
      return normalizeCountry(text);
    case "external_id":
      return normalizeExternalId(text);
    case "madid":
    case "idfv":
      return normalizeDeviceId(text);
    default:
      return omit("not_text");
  }
}
