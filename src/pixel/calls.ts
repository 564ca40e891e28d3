import type { SnapEventInput } from "../wire/event.ts";
import { PIXEL_PARAMETERS } from "../wire/pixel.ts";

/** Parameters of a `track` call, in the pixel's own names. */
export type PixelParameters = Record<string, string | number | readonly string[]>;

/** One call of `window.snaptr`, as its arguments. */
export type PixelCall =
  | readonly ["init", pixelId: string, identity: PixelIdentity]
  | readonly ["track", pixelId: string, event: string, parameters: PixelParameters];

/** The identity the pixel takes at `init`: digests made on the server, so that both sides carry the same ones. */
export interface PixelIdentity {
  /** SHA-256 of the normalised mail address, lower-case hex. */
  user_hashed_email?: string;
  /** SHA-256 of the normalised phone number, lower-case hex. */
  user_hashed_phone_number?: string;
}

export interface PixelCallOptions {
  pixelId: string;
  /** Sent as `integration`: the host's name, so that Snapchat knows the partner. */
  integration?: string | undefined;
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
  const parameters: PixelParameters = {};
  if (event.event_id !== undefined) parameters.client_dedup_id = event.event_id;
  for (const [field, name] of Object.entries(PIXEL_PARAMETERS)) {
    const value = parameterValue(event.custom_data?.[field], LISTS.has(name));
    if (value !== undefined) parameters[name] = value;
  }
  if (parameters.item_ids === undefined) {
    const ids = contentIds(event.custom_data?.contents);
    if (ids.length > 0) parameters.item_ids = ids;
  }
  if (options.integration) parameters.integration = options.integration;
  return ["track", options.pixelId, event.event_name, parameters];
}

/** Parameters the pixel takes several values in; of all others it gets the first. */
const LISTS: ReadonlySet<string> = new Set(["item_ids", "brands"]);

function parameterValue(value: unknown, list: boolean): string | number | readonly string[] | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  // The pixel joins lists with commas, so an item with a comma would become two.
  const items = value.filter((item): item is string => typeof item === "string" && item !== "" && !item.includes(","));
  if (items.length === 0) return undefined;
  return list ? items : items[0];
}

function contentIds(contents: unknown): string[] {
  if (!Array.isArray(contents)) return [];
  return contents
    .map((item: unknown) => (typeof item === "object" && item !== null ? (item as { id?: unknown }).id : undefined))
    .filter((id): id is string => typeof id === "string" && id !== "" && !id.includes(","));
}
