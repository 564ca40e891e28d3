// The simulator's own copy of Snapchat's lists. It must not share the package's: an oracle that does would agree with
// every mistake.

/** The 31 names that CAPI and Pixel share. */
export const EVENT_NAMES: ReadonlySet<string> = new Set([
  "PAGE_VIEW",
  "VIEW_CONTENT",
  "LIST_VIEW",
  "SEARCH",
  "ADD_CART",
  "ADD_TO_WISHLIST",
  "START_CHECKOUT",
  "ADD_BILLING",
  "PURCHASE",
  "SIGN_UP",
  "LOGIN",
  "SUBSCRIBE",
  "START_TRIAL",
  "SAVE",
  "SHARE",
  "RESERVE",
  "RATE",
  "INVITE",
  "AD_CLICK",
  "AD_VIEW",
  "COMPLETE_TUTORIAL",
  "LEVEL_COMPLETE",
  "ACHIEVEMENT_UNLOCKED",
  "SPENT_CREDITS",
  "APP_INSTALL",
  "APP_OPEN",
  "CUSTOM_EVENT_1",
  "CUSTOM_EVENT_2",
  "CUSTOM_EVENT_3",
  "CUSTOM_EVENT_4",
  "CUSTOM_EVENT_5",
]);

/** Where an event happened, folded from Snapchat's words and the aliases it also takes. */
export type SourceKind = "web" | "app" | "offline";

export const ACTION_SOURCES: ReadonlyMap<string, SourceKind> = new Map([
  ["web", "web"],
  ["website", "web"],
  ["mobile_app", "app"],
  ["app", "app"],
  ["offline", "offline"],
  ["physical_store", "offline"],
  ["phone_call", "offline"],
  ["phone", "offline"],
  ["email", "offline"],
  ["chat", "offline"],
  ["system_generated", "offline"],
  ["other", "offline"],
]);

const words = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/));

export const ROOT_FIELDS = words(`event_name event_time action_source event_source_url event_id user_data custom_data
  app_data data_processing_options data_processing_options_country data_processing_options_state integration
  test_event_code opt_out asset_id request_id raw_request`);

export const USER_FIELDS = words(`em ph fn ln ge ct st zp country db external_id client_ip_address client_user_agent
  sc_click_id sc_cookie1 madid mobile_ad_id idfv anon_id download_id subscription_id lead_id partner_id`);

/** Fields that take a SHA-256 digest or a list of them. */
export const HASHED_FIELDS = ["em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country", "db"] as const;

export const CUSTOM_FIELDS = words(`value currency contents content_ids content_category content_name content_type
  num_items order_id search_string sign_up_method status event_tag brands delivery_category predicted_ltv custom_fields
  checkin_date travel_start travel_end suggested_destinations destination_airport origin_airport country region city
  neighborhood departing_departure_date departing_arrival_date returning_departure_date returning_arrival_date
  num_adults num_children num_infants hotel_score postal_code preferred_neighborhoods preferred_star_ratings
  suggested_hotels destination_ids`);

export const APP_FIELDS = words(`extinfo advertiser_tracking_enabled app_id application_tracking_enabled campaign_ids
  install_referrer installer_package url_schemes windows_attribution_id`);

/** The list two independent peers carry; whether Snapchat refuses others is unknown. */
export const CURRENCIES = words(`AED ALL AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS GIP HKD HRK
  HUF IDR ILS INR IQD ISK JOD JPY KES KRW KWD KZT LBP MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RUB SAR SEK
  SGD THB TRY TWD TZS UAH USD VND XOF ZAR`);

export const DATA_PROCESSING_OPTIONS = words("LMU LDU DELETE");
