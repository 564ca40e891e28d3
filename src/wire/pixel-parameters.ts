/** What a parameter of `track` holds, in the fewest bytes: browsers carry this table. */
export const PIXEL_KIND = {
  /** Text or a number. */
  text: 0,
  /** A finite number, also as text; of `success` and `payment_info_available` 1 or 0. */
  number: 1,
  /** A list, which the pixel joins with commas. */
  texts: 2,
  /** Three letters. */
  currency: 3,
} as const;

export type PixelKind = (typeof PIXEL_KIND)[keyof typeof PIXEL_KIND];

/**
 * Everything `track` may be given, in the pixel's own names, and what it expects (pixel script; the official web tag
 * template), as the numbers of {@link PIXEL_KIND}. Any other name the pixel drops silently. Stands apart from the field
 * table because browsers carry it.
 */
export const PIXEL_TRACK_PARAMETERS = {
  price: 1,
  currency: 3,
  item_ids: 2,
  item_category: 0,
  number_items: 1,
  transaction_id: 0,
  description: 0,
  search_string: 0,
  sign_up_method: 0,
  payment_info_available: 1,
  success: 1,
  level: 0,
  brands: 2,
  customer_status: 0,
  delivery_method: 0,
  event_tag: 0,
  brand_id: 0,
  client_dedup_id: 0,
  data_use: 0,
  integration: 0,
} as const satisfies Readonly<Record<string, PixelKind>>;

/** A parameter of `track`. */
export type PixelParameterName = keyof typeof PIXEL_TRACK_PARAMETERS;
