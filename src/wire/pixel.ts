import { fieldsOf } from "./fields.ts";

/**
 * `custom_data` fields of the Conversions API and what the pixel calls them, read off the field table. `event_id` is
 * `client_dedup_id` there.
 */
export const PIXEL_PARAMETERS: Readonly<Record<string, string>> = Object.fromEntries(
  fieldsOf("custom_data").flatMap(({ name, pixel }) => (pixel === undefined ? [] : [[name, pixel]])),
);

/** `data_use` of an event whose use is limited: the spelling of the older API, which the pixel shares. Unconfirmed. */
export const LIMITED_DATA_USE = "['lmu']";

/** Path of the pixel script below its host. */
export const PIXEL_SCRIPT_PATH = "/scevent.min.js";

/** Where pages on `localhost` report to instead of `tr.snapchat.com`. */
export const PIXEL_STAGING_ORIGIN = "https://tr-shadow.snapchat.com";

/** A second host of Snapchat's in the script and in captures. */
export const PIXEL_SECOND_COLLECTOR = "https://tr6.snapchat.com";
