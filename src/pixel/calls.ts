import { isAbsent, toNumber } from "../rules/values.ts";
import type { SnapEventInput } from "../wire/event.ts";
import { LIMITED_DATA_USE, PIXEL_PARAMETERS } from "../wire/pixel.ts";
import { PIXEL_KIND, PIXEL_TRACK_PARAMETERS, type PixelParameterName } from "../wire/pixel-parameters.ts";
import { allowedParameters } from "./allowed.ts";
import { type PixelParameters, pixelParameters } from "./parameters.ts";

/** One call of `window.snaptr`, as its arguments. */
export type PixelCall = readonly ["track", pixelId: string, event: string, parameters: PixelParameters];

/** Which pixel calls are for, and what they may carry. */
export interface PixelCallOptions {
  pixelId: string;
  /** Sent as `integration`: the host's name, so that Snapchat knows the partner. */
  integration?: string | undefined;
  /** Adds `data_use`. */
  limitedUse?: boolean | undefined;
  /** The destination's allow-list, as in its settings: paths such as `custom_data.value`. Absent: everything. */
  allowFields?: readonly string[] | undefined;
}

/**
 * The `track` call a browser makes for an event: event data only, in the pixel's names, with the id the server's copy
 * carries. What the pixel does not know is left out, because it would drop it silently.
 *
 * Source: the official web tag template for the names; the pixel script for their types.
 *
 * @example
 * ```ts
 * import { pixelTrackCall } from "snapchat-destination/pixel";
 *
 * const call = pixelTrackCall(
 *   { event_name: "PURCHASE", event_id: "order-7", custom_data: { value: 20, currency: "GBP" } },
 *   { pixelId: "11111111-2222-4333-8444-555555555555" },
 * );
 * // ["track", "11111111-…", "PURCHASE", { price: 20, currency: "GBP", client_dedup_id: "order-7" }]
 * ```
 */
export function pixelTrackCall(event: SnapEventInput, options: PixelCallOptions): PixelCall {
  const { custom_data = {} } = event;
  const given: Partial<Record<PixelParameterName, unknown>> = {};
  for (const [field, name] of PIXEL_PARAMETERS) {
    const value = custom_data[field];
    if (isAbsent(value)) continue;
    given[name] = PIXEL_TRACK_PARAMETERS[name] === PIXEL_KIND.number ? toNumber(value) : value;
  }
  given.item_ids ??= contentIds(custom_data.contents);
  given.client_dedup_id = event.event_id;
  given.integration = options.integration;
  given.data_use = options.limitedUse || !isAbsent(event.data_processing_options) ? LIMITED_DATA_USE : undefined;
  const allow = allowedParameters(options.allowFields);
  return ["track", options.pixelId, event.event_name, pixelParameters(given, () => {}, allow)];
}

/** As many as a mapping walks over. */
const CONTENTS = 1_000;

function contentIds(contents: unknown): unknown {
  return Array.isArray(contents)
    ? contents.slice(0, CONTENTS).map((item: unknown) => (item as { id?: unknown } | null)?.id)
    : undefined;
}
