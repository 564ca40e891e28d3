/** An identifier in Snapchat's own words (Conversions-API/Parameters). */
export type IdentityField =
  | "em"
  | "ph"
  | "fn"
  | "ln"
  | "ge"
  | "ct"
  | "st"
  | "zp"
  | "country"
  | "external_id"
  | "madid"
  | "idfv";

/** Every {@link IdentityField}, in the order of Snapchat's table. */
export const IDENTITY_FIELDS: readonly IdentityField[] = [
  "em",
  "ph",
  "fn",
  "ln",
  "ge",
  "ct",
  "st",
  "zp",
  "country",
  "external_id",
  "madid",
  "idfv",
];

/** Countries whose states have a code of two or three letters that may replace their name. The United States always do. */
export type StateCodeCountry = "AU" | "BR" | "CA" | "IN" | "MX";

/** What the rules may know besides the value itself. */
export interface IdentityOptions {
  /**
   * ISO 3166-1 alpha-2 code of the country whose numbering plan a phone without a country code is read by. Without it
   * such phones are omitted. Also decides a postcode's country where the person's own is not known.
   */
  defaultCountry?: string | undefined;
  /** The person's own country, as code or name; read for `st` and `zp`. */
  country?: string | undefined;
  /** Countries besides the United States whose state names become codes. Default: none. */
  stateCodes?: readonly StateCodeCountry[] | undefined;
}
