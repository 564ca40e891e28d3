import type { Issue } from "../wire/event.ts";

/** What is done about something wrong with an event. The documentation's list is generated from this table. */
export interface Repair {
  readonly severity: Issue["severity"];
  /** What was found; `{path}` stands for the field. */
  readonly message: string;
  readonly fix: string;
}

const error = (message: string, fix: string): Repair => ({ severity: "error", message, fix });
const repaired = (message: string, fix: string): Repair => ({ severity: "repaired", message, fix });
const warning = (message: string, fix: string): Repair => ({ severity: "warning", message, fix });

/**
 * Everything validation can say about an event, by code.
 *
 * - `error`: the event is rejected under both policies, because Snapchat would refuse it or count it wrongly;
 * - `repaired`: under `repair` the field is fixed or left out and the event goes; under `strict` the event is rejected;
 * - `warning`: the event goes as it is.
 */
export const REPAIRS = {
  event_not_an_object: error("The event is not an object.", "Pass one object per event."),
  event_unreadable: error("Reading the event failed: a property threw.", "Pass plain data."),
  event_not_prepared: error(
    "The event could not be prepared: it changes while it is read, or this package has a bug.",
    "Pass plain data; if it is plain, please report it.",
  ),
  event_too_large: error(
    "The event is nested too deeply, has too many values or too much text.",
    "Send at most 32 levels, 50,000 values and 1 MB.",
  ),
  event_name_missing: error("The event has no name.", "Set `event_name` to one of Snapchat's names."),
  event_name_unknown: error(
    "`event_name` is none of Snapchat's names.",
    "Map the event to one of the 31 names, CUSTOM_EVENT_1 to 5 included, or allow free names.",
  ),
  event_name_app_only: error(
    "APP_INSTALL and APP_OPEN come from apps only.",
    "Set `action_source` to MOBILE_APP, or map another name.",
  ),
  event_name_respelled: repaired("`event_name` was a common misnomer and was corrected.", "Use Snapchat's spelling."),
  event_time_missing: error(
    "The event has no time.",
    "Set `event_time`, or pass when you received the event (`receivedAt`).",
  ),
  event_time_invalid: error(
    "`event_time` is not a time.",
    "Use seconds, milliseconds, ISO 8601 with a zone, or a Date.",
  ),
  event_time_ambiguous: error(
    "`event_time` can be read in more than one way.",
    "Use seconds or milliseconds since 1970, or ISO 8601 with time and zone.",
  ),
  event_time_received: repaired("The event has no time; the time it was received was taken.", "Set `event_time`."),
  event_time_clamped: repaired(
    "`event_time` lies in the future; another time the event carries was taken.",
    "Correct the clock that stamps the event.",
  ),
  event_in_future: error("`event_time` lies in the future.", "Correct the clock that stamps the event."),
  event_too_old: error(
    "The event is older than Snapchat takes from this action source.",
    "Send events within 7 days (37 from offline).",
  ),
  action_source_missing: error("The event does not say where it happened.", "Set `action_source`."),
  action_source_unknown: error("`action_source` has no known meaning.", "Use WEB, MOBILE_APP or OFFLINE."),
  event_id_missing: warning(
    "The event has no id: a repeat or the pixel's copy is counted twice.",
    "Set `event_id`, the same as the pixel's.",
  ),
  event_source_url_missing: error(
    "An event from the web needs the address of its page.",
    "Set `event_source_url`, or a fallback address.",
  ),
  event_source_url_fallback: repaired(
    "The event has no usable address; the fallback address was taken.",
    "Set `event_source_url`.",
  ),
  url_unreadable: repaired("{path} is not a web address and was left out.", "Pass the full address with its scheme."),
  url_scheme_added: repaired("{path} had no scheme; https was assumed.", "Pass the full address with its scheme."),
  url_personal_data: repaired("{path} held something like an e-mail address; that part was removed.", "Keep it out."),
  field_unknown: repaired("{path} is not a field of Snapchat and was left out.", "Use `custom_data.custom_fields`."),
  field_renamed: repaired("{path} was written under another name and was moved here.", "Use this name."),
  field_wrong_type: repaired("{path} has a type that cannot be sent and was left out.", "See the field table."),
  field_too_long: repaired("{path} is too long and was left out.", "Shorten it."),
  field_personal_data: repaired(
    "{path} looks like an e-mail address or phone number, which may not travel in plain, and was left out.",
    "Pass it in `user_data`, where it is hashed.",
  ),
  number_unreadable: repaired("{path} is not a number and was left out.", "Pass a number."),
  number_ambiguous: repaired("{path} can be read in more than one way and was left out.", "Pass a number."),
  number_respelled: repaired("{path} was a formatted number and was read as one.", "Pass a number."),
  value_missing: error("A PURCHASE needs a total value.", "Set `custom_data.value`."),
  currency_missing: error("A PURCHASE needs a currency.", "Set `custom_data.currency`."),
  currency_unreadable: repaired("{path} is not a three-letter code and was left out.", "Use ISO 4217."),
  currency_unlisted: warning("{path} is a code Snapchat is not known to list; it is sent as it is.", "Check it."),
  date_unreadable: repaired("{path} is not a date and was left out.", "Use YYYYMMDD, YYYY-MM-DD or ISO 8601."),
  identifiers_missing: error(
    "The event has no identifier Snapchat can match: e-mail, phone, address with user agent, or an app's ad id.",
    "Map at least one of them.",
  ),
  ip_unreadable: repaired("{path} is not an IP address and was left out.", "Pass it in plain, not hashed."),
  device_id_off_app: repaired("{path} belongs to apps and was left out.", "Send it with MOBILE_APP only."),
  device_id_without_consent: repaired(
    "{path} was left out: the person did not allow tracking on this iOS device.",
    "Send it with `advertiser_tracking_enabled` 1 only.",
  ),
  tracking_assumed_denied: repaired(
    "{path} was not said; 0 was taken.",
    "Map the person's answer to App Tracking Transparency.",
  ),
  app_data_off_app: repaired("`app_data` belongs to apps and was left out.", "Send it with MOBILE_APP only."),
  app_data_missing: error("An event from an app needs `app_data`.", "Map `app_data.extinfo` and `app_data.app_id`."),
  app_id_missing: error("An event from an app needs the app's id.", "Set `app_data.app_id`."),
  extinfo_incomplete: error(
    "`app_data.extinfo` needs at least the platform (slot 0: a2 or i2) and the OS version (slot 4).",
    "Build it with `extinfo({ platform, osVersion })`.",
  ),
  extinfo_cut: repaired("{path} had more than 16 slots; the rest was left out.", "Build it with `extinfo()`."),
  options_respelled: repaired(
    "{path} was not written as Snapchat reads it; limited use was set.",
    "Ask for limited use by the setting.",
  ),
  deletion_refused: error(
    "DELETE in `data_processing_options` asks Snapchat to forget a person; it is not sent with an event.",
    "Use `people.forget`, and send no event of this person.",
  ),
} as const satisfies Record<string, Repair>;

/** A key of {@link REPAIRS}. */
export type RepairCode = keyof typeof REPAIRS;

/** The issue for a code at a path. Holds no value. */
export function issueOf(code: RepairCode, path: string): Issue {
  const { severity, message, fix } = REPAIRS[code];
  return { path, code, message: message.replace("{path}", () => `\`${path}\``), fix, severity };
}
