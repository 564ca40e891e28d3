/** Why an identifier is left out. */
export type IdentityReason =
  | "empty"
  | "not_text"
  | "too_long"
  | "placeholder"
  | "digest_of_nothing"
  | "not_sha256"
  | "not_an_email"
  | "not_a_phone"
  | "phone_without_country"
  | "no_letters"
  | "unknown_gender"
  | "not_a_postcode"
  | "unknown_country"
  | "not_a_device_id"
  | "all_zero_id";

/** What each reason means and what to do about it, in words a marketer understands. */
export const IDENTITY_REASONS: Readonly<Record<IdentityReason, { message: string; fix: string }>> = {
  empty: {
    message: "There is no value, or only white space.",
    fix: "Nothing, where it is not known; otherwise map the field that holds it.",
  },
  not_text: {
    message: "The value is neither text nor a whole number.",
    fix: "Map the text itself, not the object or list around it.",
  },
  too_long: {
    message: "The value is longer than any such identifier.",
    fix: "Map the identifier alone.",
  },
  placeholder: {
    message: "The value is a word like null or undefined where a program had nothing.",
    fix: "Leave the field out where nothing is known.",
  },
  digest_of_nothing: {
    message: "The value is the digest of an empty text or of a placeholder.",
    fix: "Leave the field out where nothing is known, instead of hashing nothing.",
  },
  not_sha256: {
    message: "The value is a digest, but not SHA-256 in hexadecimal.",
    fix: "Send the plain value, or its SHA-256 as 64 hexadecimal digits.",
  },
  not_an_email: {
    message: "The value cannot be an e-mail address.",
    fix: "Map the field that holds the address.",
  },
  not_a_phone: {
    message: "The value cannot be a phone number.",
    fix: "Map the field that holds the number; one number a value.",
  },
  phone_without_country: {
    message: "The phone number has no country code and no default country is set.",
    fix: "Set the default country, or collect phone numbers with their country code.",
  },
  no_letters: {
    message: "The value holds no letter.",
    fix: "Map the field that holds the name.",
  },
  unknown_gender: {
    message: "The value does not say female or male; Snapchat takes no other.",
    fix: "Nothing; the field is optional.",
  },
  not_a_postcode: {
    message: "The value cannot be a postcode.",
    fix: "Map the field that holds the postcode, as text.",
  },
  unknown_country: {
    message: "The value is no country's code or name.",
    fix: "Map the two-letter ISO code of the country.",
  },
  not_a_device_id: {
    message: "The value is not a mobile advertising or vendor id.",
    fix: "Map the id with its hyphens, as the device gives it.",
  },
  all_zero_id: {
    message: "The id is all zeros: the person has limited ad tracking.",
    fix: "Nothing; the person does not want to be known by it.",
  },
};

/** An identifier left out. One frozen object for each reason, so that leaving out costs nothing. */
export interface Omitted {
  readonly reason: IdentityReason;
}

const omissions = Object.fromEntries(
  Object.keys(IDENTITY_REASONS).map((reason) => [reason, Object.freeze({ reason })]),
) as Record<IdentityReason, Omitted>;

/** The {@link Omitted} of a reason. */
export function omit(reason: IdentityReason): Omitted {
  return omissions[reason];
}
