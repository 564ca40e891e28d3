import type { SnapEventInput } from "../wire/event.ts";
import { isAbsent } from "../rules/values.ts";
import { LIMITED_DATA_USE, PIXEL_PARAMETERS } from "../wire/pixel.ts";
import type { PixelIdentity } from "./options.ts";
import { type PixelParameters, pixelParameters } from "./parameters.ts";

/** One call of `window.snaptr`, as its arguments. */
export type PixelCall =
  | readonly ["init", pixelId: string, identity: PixelIdentity]
  | readonly ["track", pixelId: string, event: string, parameters: PixelParameters];

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
 * // ["track", "11111111-…", "PURCHASE", { client_dedup_id: "order-7", price: 20, currency: "GBP" }]
 * ```
 */
export function pixelTrackCall(event: SnapEventInput, options: PixelCallOptions): PixelCall {
  const { custom_data = {} } = event;
  const { allowFields } = options;
  const given: Record<string, unknown> = { client_dedup_id: event.event_id };
  for (const [field, name] of Object.entries(PIXEL_PARAMETERS)) {
    if (mayLeave(field, allowFields)) given[name] = custom_data[field];
  }
  if (isAbsent(given.item_ids) && mayLeave("contents", allowFields)) given.item_ids = contentIds(custom_data.contents);
  given.integration = options.integration;
  given.data_use = options.limitedUse ? LIMITED_DATA_USE : undefined;
  return ["track", options.pixelId, event.event_name, pixelParameters(given, () => {})];
}

/** Whether a destination's allow-list lets a field of `custom_data` leave. */
export function mayLeave(field: string, allowFields: readonly string[] | undefined): boolean {
  return !allowFields || allowFields.includes("custom_data") || allowFields.includes(`custom_data.${field}`);
}

function contentIds(contents: unknown): unknown {
  return Array.isArray(contents) ? contents.map((item: unknown) => (item as { id?: unknown } | null)?.id) : undefined;
}
