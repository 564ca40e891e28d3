/** The object of an event a field belongs to; `contents` is one item of `custom_data.contents`. */
export type FieldLevel = "root" | "user_data" | "custom_data" | "contents" | "app_data";

/**
 * What a field holds, and so how it is read, repaired and written:
 *
 * - `name`, `time`, `source`, `url`, `id`, `options`: the root fields with rules of their own;
 * - `digest`: normalised and hashed by `identity`; `device`: normalised, plain;
 * - `ip`, `text`, `texts` (always a list), `textOrTexts` (as it comes), `number`, `integer`, `flag` (true or false),
 *   `switch` (1 or 0), `currency`, `date`, `items`, `map` (free keys, plain values), `extinfo`.
 */
export type FieldKind =
  | "name"
  | "time"
  | "source"
  | "url"
  | "id"
  | "options"
  | "object"
  | "digest"
  | "device"
  | "ip"
  | "text"
  | "texts"
  | "textOrTexts"
  | "number"
  | "integer"
  | "flag"
  | "switch"
  | "currency"
  | "date"
  | "items"
  | "map"
  | "extinfo";

/** One field of the Conversions API v3: a row drives reading, repair, types, mapping targets and documentation. */
export interface Field {
  readonly level: FieldLevel;
  readonly name: string;
  readonly kind: FieldKind;
  /** The parameter of the pixel that means the same; absent where the pixel has none or fills it by itself. */
  readonly pixel?: string;
  /** Other names met for it: the v2 name, the pixel's, a peer's mistake. Read where the right name is absent. */
  readonly aliases?: readonly string[];
  /** Longest text, in characters. Snapchat documents none; these keep a slip from becoming a megabyte. */
  readonly max?: number;
  readonly about: string;
}

type Extra = Omit<Field, "level" | "name" | "kind" | "about">;

const at =
  <Level extends FieldLevel>(level: Level) =>
  <Name extends string>(name: Name, kind: FieldKind, about: string, extra: Extra = {}) => ({
    level,
    name,
    kind,
    about,
    ...extra,
  });
const root = at("root");
const user = at("user_data");
const custom = at("custom_data");
const item = at("contents");
const app = at("app_data");

/** Longest text of a field whose row names no other. */
export const DEFAULT_MAX = 1_000;

const TABLE = [
  root("event_name", "name", "What happened: one of the 31 names.", { aliases: ["event_type"] }),
  root("event_time", "time", "When it happened, in whole seconds since 1970.", { aliases: ["timestamp"] }),
  root("event_id", "id", "The one id of this event for pixel and server.", {
    pixel: "client_dedup_id",
    aliases: ["client_dedup_id"],
    max: 500,
  }),
  root("action_source", "source", "Where it happened: WEB, MOBILE_APP or OFFLINE.", {
    aliases: ["event_conversion_type"],
  }),
  root("event_source_url", "url", "Address of the page. Required on the web.", { aliases: ["page_url"], max: 4_000 }),
  root("user_data", "object", "Who did it."),
  root("custom_data", "object", "What it was about."),
  root("app_data", "object", "Which app and device. Required from an app."),
  root("data_processing_options", "options", "Limited use of the data.", { pixel: "data_use", aliases: ["data_use"] }),
  root("integration", "text", "Name of the platform that sends.", { pixel: "integration", max: 100 }),
  root("test_event_code", "text", "Marks a test: logged, not counted.", { max: 100 }),
  root("opt_out", "flag", "In Snapchat's schema; no page explains it."),

  user("em", "digest", "E-mail address.", {
    pixel: "user_hashed_email",
    aliases: ["email", "hashed_email"],
  }),
  user("ph", "digest", "Phone number.", {
    pixel: "user_hashed_phone_number",
    aliases: ["phone", "pn", "hashed_phone_number"],
  }),
  user("fn", "digest", "First name.", { pixel: "firstname", aliases: ["first_name", "hashed_first_name_sha"] }),
  user("ln", "digest", "Last name.", { pixel: "lastname", aliases: ["last_name", "hashed_last_name_sha"] }),
  user("ge", "digest", "Gender: f or m.", { pixel: "gender", aliases: ["gender"] }),
  user("ct", "digest", "City.", { pixel: "geo_city", aliases: ["city", "hashed_city_sha"] }),
  user("st", "digest", "State or region.", { pixel: "geo_region", aliases: ["state", "hashed_state_sha"] }),
  user("zp", "digest", "Postcode.", { pixel: "geo_postal_code", aliases: ["zip", "postal_code", "hashed_zip"] }),
  user("country", "digest", "Country, ISO 3166-1 alpha-2.", { pixel: "geo_country" }),
  user("external_id", "digest", "The host's own id of the person."),
  user("client_ip_address", "ip", "Address of the device, plain.", { pixel: "ip_address", aliases: ["ip"], max: 500 }),
  user("client_user_agent", "text", "User agent of the device, plain.", {
    pixel: "user_agent",
    aliases: ["user_agent"],
    max: 2_000,
  }),
  user("sc_click_id", "text", "Value of `ScCid`, case kept.", { aliases: ["click_id"], max: 500 }),
  user("sc_cookie1", "text", "Value of the `_scid` cookie, untouched.", { aliases: ["uuid_c1"], max: 500 }),
  user("madid", "device", "IDFA or AAID, lower case, plain. From apps only.", {
    pixel: "user_mobile_ad_id",
    aliases: ["mobile_ad_id"],
  }),
  user("idfv", "device", "Apple's vendor id, plain. From apps only."),
  user("anon_id", "textOrTexts", "Id of the app's installation.", { max: 200 }),
  user("download_id", "text", "Id of the app's download.", { max: 200 }),
  user("subscription_id", "text", "Id of a subscription.", { max: 200 }),
  user("lead_id", "text", "Id of a Snap lead-ad submission.", { max: 200 }),
  user("partner_id", "text", "Envelope of an identity partner.", { pixel: "partner_id", max: 2_000 }),

  custom("value", "number", "Total value. Required for PURCHASE.", { pixel: "price", aliases: ["price"] }),
  custom("currency", "currency", "ISO 4217. Required for PURCHASE.", { pixel: "currency" }),
  custom("order_id", "text", "Order number.", { pixel: "transaction_id", aliases: ["transaction_id"], max: 300 }),
  custom("content_ids", "texts", "Product ids as in the catalogue.", { pixel: "item_ids", aliases: ["item_ids"] }),
  custom("contents", "items", "The products: id, quantity, price of one, brand."),
  custom("content_category", "textOrTexts", "Category of the products.", {
    pixel: "item_category",
    aliases: ["item_category"],
  }),
  custom("content_name", "text", "Name of the product or page.", { pixel: "description" }),
  custom("content_type", "text", "`product` or `product_group`.", { max: 50 }),
  custom("num_items", "integer", "Units bought.", { pixel: "number_items", aliases: ["number_items"] }),
  custom("brands", "texts", "Brands of the products.", { pixel: "brands", aliases: ["brand"] }),
  custom("search_string", "text", "What was searched for.", { pixel: "search_string" }),
  custom("sign_up_method", "text", "How the person signed up.", { pixel: "sign_up_method", max: 100 }),
  custom("status", "text", "Status of a registration.", { max: 100 }),
  custom("event_tag", "text", "Tag for reports.", { pixel: "event_tag", max: 200 }),
  custom("delivery_category", "text", "`in_store`, `curbside` or `home_delivery`.", {
    pixel: "delivery_method",
    aliases: ["delivery_method"],
    max: 50,
  }),
  custom("predicted_ltv", "number", "Predicted lifetime value."),
  custom("checkin_date", "date", "Travel: check-in."),
  custom("travel_start", "date", "Travel: first day."),
  custom("travel_end", "date", "Travel: last day."),
  custom("departing_departure_date", "date", "Travel: departure of the way out."),
  custom("departing_arrival_date", "date", "Travel: arrival of the way out."),
  custom("returning_departure_date", "date", "Travel: departure of the way back."),
  custom("returning_arrival_date", "date", "Travel: arrival of the way back."),
  custom("origin_airport", "text", "Travel: IATA code.", { max: 50 }),
  custom("destination_airport", "text", "Travel: IATA code.", { max: 50 }),
  custom("destination_ids", "texts", "Travel: destinations as in the catalogue."),
  custom("suggested_destinations", "textOrTexts", "Travel: destinations shown."),
  custom("suggested_hotels", "textOrTexts", "Travel: hotels shown."),
  custom("country", "text", "Travel: country of the destination.", { max: 100 }),
  custom("region", "text", "Travel: region of the destination.", { max: 200 }),
  custom("city", "text", "Travel: city of the destination.", { max: 200 }),
  custom("neighborhood", "text", "Travel: neighbourhood of the destination.", { max: 200 }),
  custom("postal_code", "text", "Travel: postcode of the destination.", { max: 50 }),
  custom("num_adults", "integer", "Travel: adults."),
  custom("num_children", "integer", "Travel: children."),
  custom("num_infants", "integer", "Travel: infants."),
  custom("hotel_score", "number", "Travel: score of the hotel."),
  custom("preferred_neighborhoods", "textOrTexts", "Travel: neighbourhoods wished for."),
  custom("preferred_star_ratings", "textOrTexts", "Travel: star ratings wished for."),
  custom("custom_fields", "map", "Values of the host's own, by name."),

  item("id", "text", "Product id as in the catalogue.", { aliases: ["product_id"], max: 200 }),
  item("quantity", "integer", "Units."),
  item("item_price", "number", "Price of one unit.", { aliases: ["price"] }),
  item("brand", "text", "Brand.", { max: 200 }),
  item("delivery_category", "text", "`in_store`, `curbside` or `home_delivery`.", { max: 50 }),
  item("item_category", "text", "Category.", { aliases: ["category"], max: 200 }),

  app("app_id", "text", "App Store id or Android package name.", { max: 200 }),
  app("advertiser_tracking_enabled", "switch", "The person's answer to App Tracking Transparency: 1 or 0."),
  app("extinfo", "extinfo", "Sixteen facts about app and device, in order."),
  app("application_tracking_enabled", "switch", "The app's own switch: 1 or 0."),
  app("campaign_ids", "textOrTexts", "Campaigns behind the install."),
  app("install_referrer", "text", "Referrer of the install.", { max: 2_000 }),
  app("installer_package", "text", "What installed the app.", { max: 200 }),
  app("url_schemes", "texts", "Schemes the app answers to."),
  app("windows_attribution_id", "text", "Windows attribution id.", { max: 200 }),
] as const;

/** All fields, in the order in which they are written. */
export const FIELDS: readonly Field[] = TABLE;

/** Names of the fields of one level. */
export type FieldName<Level extends FieldLevel> = Extract<(typeof TABLE)[number], { level: Level }>["name"];

/** The rows of one level, in order. */
export function fieldsOf(level: FieldLevel): readonly Field[] {
  return FIELDS.filter((field) => field.level === level);
}

/** The dotted path of a field, as mappings and issues name it: `custom_data.value`, `custom_data.contents[].id`. */
export function pathOf(field: Field): string {
  if (field.level === "root") return field.name;
  return field.level === "contents" ? `custom_data.contents[].${field.name}` : `${field.level}.${field.name}`;
}

/**
 * The pixel's parameter for the field at a dotted path, or `undefined` where the pixel has none.
 * User parameters are given to `init`, the others to `track`.
 *
 * @example
 * ```ts
 * import { pixelName } from "snapchat-destination/capi";
 *
 * pixelName("custom_data.value"); // "price"
 * pixelName("action_source"); // undefined: the pixel has no such parameter
 * ```
 */
export function pixelName(path: string): string | undefined {
  return PIXEL_NAMES.get(path);
}

const PIXEL_NAMES: ReadonlyMap<string, string> = new Map(
  FIELDS.flatMap((field) => (field.pixel === undefined ? [] : [[pathOf(field), field.pixel] as const])),
);

/** Parameters of the pixel that have no twin on the server: they are said to the browser and never sent from here. */
export const PIXEL_ONLY = [
  "description",
  "level",
  "success",
  "payment_info_available",
  "customer_status",
  "brand_id",
] as const;
