/** One thing wrong with an event: a word to count by, and what the answer says. */
export interface Problem {
  readonly why: string;
  readonly message: string;
}

const problem = (why: string, message: string): Problem => Object.freeze({ why, message });

/**
 * Why an event is refused. "Insufficient PII", "Unhashed PII" and the sentence about `event_time` are Snapchat's; the
 * other sentences are ours, in its manner.
 */
export const ERRORS = {
  notAnObject: problem("event_not_an_object", "Param data must hold objects."),
  nameMissing: problem("event_name_missing", "Param data['event_name'] is required."),
  nameUnknown: problem("event_name_unknown", "Unrecognized event type."),
  nameAppOnly: problem("event_name_app_only", "Param data['event_name'] is for app events only."),
  timeMissing: problem("event_time_missing", "Param data['event_time'] is required."),
  timeInvalid: problem("event_time_invalid", "Param data['event_time'] is an invalid Unix timestamp."),
  timeTooOld: problem("event_too_old", "Param data['event_time'] is out of range: too far in the past."),
  timeInFuture: problem("event_in_future", "Param data['event_time'] is out of range: in the future."),
  sourceMissing: problem("action_source_missing", "Param data['action_source'] is required."),
  sourceUnknown: problem("action_source_unknown", "Param data['action_source'] is invalid."),
  sourceOfOtherAsset: problem("action_source_of_other_asset", "Param data['action_source'] does not fit the asset."),
  urlMissing: problem("event_source_url_missing", "Param data['event_source_url'] is required."),
  urlInvalid: problem("event_source_url_invalid", "Param data['event_source_url'] must be a URL with a scheme."),
  idInvalid: problem("event_id_invalid", "Param data['event_id'] must be a string."),
  userMissing: problem("user_data_missing", "Param data['user_data'] is required."),
  identityMissing: problem(
    "insufficient_pii",
    "Insufficient PII: send em, ph, or client_ip_address with client_user_agent.",
  ),
  unhashed: problem("unhashed_pii", "Unhashed PII: send the SHA-256 digest."),
  ipInvalid: problem("client_ip_address_invalid", "Param user_data['client_ip_address'] is not an IP address."),
  userFieldInvalid: problem("user_data_field_invalid", "A param of user_data has the wrong type."),
  customInvalid: problem("custom_data_invalid", "Param data['custom_data'] must be an object."),
  valueMissing: problem("purchase_without_value", "PURCHASE needs a price."),
  valueInvalid: problem("value_invalid", "Param custom_data['value'] must be a number."),
  currencyMissing: problem("purchase_without_currency", "PURCHASE needs a currency."),
  currencyInvalid: problem("currency_invalid", "Param custom_data['currency'] must be an ISO 4217 code."),
  contentsInvalid: problem("contents_invalid", "Param custom_data['contents'] must be a list of objects."),
  appMissing: problem("app_data_missing", "Param data['app_data'] is required for app events."),
  appIdMissing: problem("app_id_missing", "Param app_data['app_id'] is required for app events."),
  trackingMissing: problem(
    "advertiser_tracking_missing",
    "Param app_data['advertiser_tracking_enabled'] is required for app events.",
  ),
  extinfoInvalid: problem("extinfo_invalid", "Param app_data['extinfo'] must be a list of 16 values."),
  extinfoVersion: problem("extinfo_version_invalid", "Param app_data['extinfo'][0] must be a2 or i2."),
  extinfoOs: problem("extinfo_os_version_missing", "Param app_data['extinfo'][4] is required."),
  processingInvalid: problem("data_processing_options_invalid", "Param data['data_processing_options'] is invalid."),
  unknownKey: problem("unknown_key", "Unknown param."),
  pixelUnknown: problem("pixel_unknown", "There is no such pixel."),
} as const;

/** What is accepted but will not do what the sender hopes. */
export const WARNINGS = {
  nameCase: problem("event_name_case", "event_name is not written in upper case."),
  nameFree: problem("event_name_free", "event_name is not among the standard names."),
  timeText: problem("event_time_text", "event_time should be a number."),
  timeMilliseconds: problem("event_time_milliseconds", "event_time should be in seconds."),
  timeFraction: problem("event_time_fraction", "event_time should be whole seconds."),
  idMissing: problem("event_id_missing", "Without event_id the event cannot be deduplicated."),
  idNumber: problem("event_id_number", "event_id should be a string."),
  digestUpperCase: problem("digest_upper_case", "A digest in upper case will not match."),
  digestOfNothing: problem("digest_of_nothing", "The digest of an empty or null value matches nobody."),
  externalIdRaw: problem("external_id_raw", "external_id should be hashed."),
  madidNotPlain: problem("madid_not_plain", "madid should be a plain lower-case id."),
  madidOffApp: problem("madid_off_app", "madid is for app events."),
  zeroId: problem("zero_advertising_id", "A zeroed advertising id counts as absent."),
  personalDataInUrl: problem("personal_data_in_url", "event_source_url seems to hold a mail address."),
  valueText: problem("value_text", "value should be a number."),
  currencyUnknown: problem("currency_unknown", "The currency is not on the known list."),
  currencyCase: problem("currency_case", "The currency is not written in upper case."),
  processingText: problem("data_processing_options_text", "data_processing_options should be a list."),
  deletion: problem("data_processing_delete", "DELETE asks for the person's data to be deleted."),
  integrationMissing: problem("integration_missing", "Partners should send integration."),
  unknownKey: problem("unknown_key", "An unknown param was ignored."),
  idInCustomData: problem("event_id_in_custom_data", "event_id inside custom_data does not deduplicate."),
} as const;
