/**
 * `custom_data` fields of the Conversions API and what the pixel calls them. `event_id` is `client_dedup_id` there.
 * Source: Snapchat's web and server tag templates; the pixel drops any other name silently.
 */
export const PIXEL_PARAMETERS: Readonly<Record<string, { name: string; list: boolean }>> = {
  value: { name: "price", list: false },
  currency: { name: "currency", list: false },
  order_id: { name: "transaction_id", list: false },
  content_ids: { name: "item_ids", list: true },
  content_category: { name: "item_category", list: false },
  content_name: { name: "description", list: false },
  num_items: { name: "number_items", list: false },
  brands: { name: "brands", list: true },
  search_string: { name: "search_string", list: false },
  sign_up_method: { name: "sign_up_method", list: false },
  event_tag: { name: "event_tag", list: false },
};

/** Hosts a page's Content-Security-Policy has to allow for the pixel (pixel script, certainty A). */
export const PIXEL_CSP: Readonly<Record<string, readonly string[]>> = {
  "script-src": ["https://sc-static.net", "https://tr.snapchat.com"],
  "connect-src": ["https://tr.snapchat.com", "https://tr6.snapchat.com"],
  "frame-src": ["https://tr.snapchat.com"],
  "img-src": ["https://tr.snapchat.com"],
};
