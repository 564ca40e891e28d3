import { fieldsOf, PIXEL_ONLY } from "./fields.ts";
import type { PixelParameterName } from "./pixel-parameters.ts";

/**
 * `custom_data` fields and the parameters of `track` that mean the same, in the order in which a later one wins: read off
 * the field table, and the parameters that have no twin on the server under their own names.
 */
export const PIXEL_PARAMETERS: readonly (readonly [field: string, parameter: PixelParameterName])[] = [
  ...fieldsOf("custom_data").flatMap(({ name, pixel }) =>
    pixel === undefined ? [] : [[name, pixel as PixelParameterName] as const],
  ),
  ...PIXEL_ONLY.map((name) => [name, name] as const),
];

/** `data_use` of an event whose use is limited: the spelling of the older API, which the pixel shares. Unconfirmed. */
export const LIMITED_DATA_USE = "['lmu']";

/** Path of the pixel script below its host. */
export const PIXEL_SCRIPT_PATH = "/scevent.min.js";

/** Where pages on `localhost` report to instead of `tr.snapchat.com`. */
export const PIXEL_STAGING_ORIGIN = "https://tr-shadow.snapchat.com";

/** A second host of Snapchat's in the script and in captures. */
export const PIXEL_SECOND_COLLECTOR = "https://tr6.snapchat.com";
