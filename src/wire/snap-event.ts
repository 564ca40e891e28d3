import type { UserDataInput } from "./event.ts";
import type { AppEventName, EventName } from "./event-names.ts";
import type { Extinfo, ExtinfoArray } from "./extinfo.ts";

type Plain = string | number | boolean;
type Texts = string | number | readonly (string | number)[];

/** One product of an event. */
export type Content = {
  id?: string | number;
  quantity?: number | string;
  /** Price of one unit. */
  item_price?: number | string;
  brand?: string;
  delivery_category?: string;
  item_category?: string;
};

/** What an event was about (Conversions-API/Parameters, `custom_data`), travel included. */
export type CustomData = {
  /** Total value, not a unit's. */
  value?: number | string;
  /** ISO 4217. */
  currency?: string;
  order_id?: string | number;
  content_ids?: Texts;
  contents?: readonly Content[];
  content_category?: Texts;
  content_name?: string;
  content_type?: "product" | "product_group" | (string & {});
  num_items?: number | string;
  brands?: Texts;
  search_string?: string;
  sign_up_method?: string;
  status?: string;
  event_tag?: string;
  delivery_category?: "in_store" | "curbside" | "home_delivery" | (string & {});
  predicted_ltv?: number | string;
  checkin_date?: string;
  travel_start?: string;
  travel_end?: string;
  departing_departure_date?: string;
  departing_arrival_date?: string;
  returning_departure_date?: string;
  returning_arrival_date?: string;
  origin_airport?: string;
  destination_airport?: string;
  destination_ids?: Texts;
  suggested_destinations?: Texts;
  suggested_hotels?: Texts;
  country?: string;
  region?: string;
  city?: string;
  neighborhood?: string;
  postal_code?: string | number;
  num_adults?: number | string;
  num_children?: number | string;
  num_infants?: number | string;
  hotel_score?: number | string;
  preferred_neighborhoods?: Texts;
  preferred_star_ratings?: Texts;
  custom_fields?: Readonly<Record<string, Plain>>;
};

/** Which app and device (Conversions-API/UsingTheAPI, `app_data`). */
export type AppData = {
  /** App Store id or Android package name. */
  app_id: string | number;
  /** The person's answer to App Tracking Transparency. */
  advertiser_tracking_enabled: 0 | 1 | boolean;
  /** Sixteen slots, or the device by name. */
  extinfo: ExtinfoArray | Extinfo;
  application_tracking_enabled?: 0 | 1 | boolean;
  campaign_ids?: Texts;
  install_referrer?: string;
  installer_package?: string;
  url_schemes?: readonly string[];
  windows_attribution_id?: string;
};

type Root = {
  /** Seconds, milliseconds, ISO 8601 text with a zone, or Date. */
  event_time: number | string | Date;
  carried_time?: number | string | Date;
  /** The same id as the pixel's `client_dedup_id`. */
  event_id?: string;
  data_processing_options?: readonly ("LMU" | "LDU")[];
  integration?: string;
  test_event_code?: string;
  opt_out?: boolean;
};

type Purchase = { event_name: "PURCHASE"; custom_data: CustomData & { value: number | string; currency: string } };
type NotPurchase<Name extends EventName> = { event_name: Exclude<Name, "PURCHASE">; custom_data?: CustomData };

/** From a website: an address, no app, no device ids. */
type FromWeb = {
  action_source: "WEB";
  event_source_url: string;
  user_data: Omit<UserDataInput, "madid" | "idfv"> & { madid?: never; idfv?: never };
  app_data?: never;
};
/** From an app: `app_data` with its 16 slots. */
type FromApp = {
  action_source: "MOBILE_APP";
  event_source_url?: string;
  user_data: UserDataInput;
  app_data: AppData;
};
/** From a shop, a call centre, anything that no page and no app saw. */
type FromOffline = {
  action_source: "OFFLINE";
  event_source_url?: string;
  user_data: Omit<UserDataInput, "madid" | "idfv"> & { madid?: never; idfv?: never };
  app_data?: never;
};

type OffApp = Exclude<EventName, AppEventName>;

/**
 * An event in Snapchat's own words whose type refuses what Snapchat would refuse: a PURCHASE without value and
 * currency, an app event without `app_data`, an advertising id on the web, an app's event name off the app.
 * Identifiers are raw (or already hashed); `capi` normalises and hashes them.
 *
 * @example
 * ```ts
 * import type { SnapEvent } from "snapchat-destination/capi";
 *
 * const purchase: SnapEvent = {
 *   event_name: "PURCHASE",
 *   event_time: new Date(),
 *   event_id: "order-10442",
 *   action_source: "WEB",
 *   event_source_url: "https://shop.example/thanks",
 *   user_data: { em: "jane@example.com" },
 *   custom_data: { value: 64.5, currency: "GBP" },
 * };
 * ```
 */
export type SnapEvent = Root &
  (
    | (FromWeb & (Purchase | NotPurchase<OffApp>))
    | (FromOffline & (Purchase | NotPurchase<OffApp>))
    | (FromApp & (Purchase | NotPurchase<EventName>))
  );
