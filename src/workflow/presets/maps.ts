import { ORDER_ID_PATHS } from "../../rules/event-id.ts";
import { USER_MAP } from "../../rules/user-data.ts";
import type { Mapping } from "../../rules/workflow.ts";
import type { ContentId, PresetOptions } from "./options.ts";

type Fields = Readonly<Record<string, Mapping>>;

const path = (at: string): Mapping => ({ path: at });
const first = (...paths: string[]): Mapping => ({ first: paths.map(path) });

const CONTENT_ID: Readonly<Record<ContentId, Mapping>> = {
  product_id: first("item.id", "item.sku", "item.variant_id"),
  sku: first("item.sku", "item.id", "item.variant_id"),
  variant_id: first("item.variant_id", "item.sku", "item.id"),
};

const AMOUNT = ["properties.value", "properties.revenue", "properties.total", "properties.transaction_total"];

/** Fields of every event: where it happened. */
export function sharedFields(options: PresetOptions): Fields {
  const url = path("context.url");
  return {
    action_source: {
      if: { path: "context.channel", op: "in", value: ["mobile", "app", "mobile_app", "ios", "android"] },
      use: { value: "MOBILE_APP" },
      else: {
        if: { path: "context.channel", op: "in", value: ["offline", "store", "physical_store", "phone_call", "pos"] },
        use: { value: "OFFLINE" },
        else: { value: options.actionSource ?? "WEB" },
      },
    },
    event_source_url: options.siteUrl ? { first: [url, { value: options.siteUrl }] } : url,
    "custom_data.event_tag": path("properties.event_tag"),
    ...APP_FIELDS,
  };
}

/** Written for app events only. */
const APP_FIELDS: Fields = {
  "app_data.app_id": path("context.app.id"),
  "app_data.advertiser_tracking_enabled": {
    if: { path: "context.device.trackingEnabled", op: "exists" },
    use: {
      number: {
        if: { path: "context.device.trackingEnabled", op: "equals", value: true },
        use: { value: 1 },
        else: { value: 0 },
      },
    },
  },
  "app_data.extinfo": { call: "extinfo", with: [path("context")] },
};

/** What was bought or looked at: product lists and flat products alike, since sources make one list of both. */
export function productFields(options: PresetOptions): Fields {
  const id = CONTENT_ID[options.contentId ?? "product_id"];
  const currency = path("properties.currency");
  return {
    "custom_data.value": {
      number: { first: [...AMOUNT.map(path), { call: "basket_total", with: [path("products")] }] },
    },
    "custom_data.currency": {
      upper: options.defaultCurrency ? { first: [currency, { value: options.defaultCurrency }] } : currency,
    },
    ...listFields(options),
    "custom_data.contents": {
      each: "products",
      to: {
        object: {
          id: { text: id },
          quantity: path("item.quantity"),
          item_price: path("item.price"),
          brand: path("item.brand"),
        },
      },
    },
    "custom_data.content_name": {
      if: { path: "products.1", op: "exists", value: false },
      use: path("products.0.name"),
    },
    "custom_data.num_items": { call: "item_count", with: [path("products")] },
    "custom_data.brands": { call: "unique", with: [{ each: "products", to: path("item.brand") }] },
  };
}

/** Ids and category of a list of products. */
export function listFields(options: PresetOptions): Fields {
  const id = CONTENT_ID[options.contentId ?? "product_id"];
  return {
    "custom_data.content_ids": { call: "unique", with: [{ each: "products", to: { text: id } }] },
    "custom_data.content_category": {
      first: [
        { call: "head", with: [{ each: "products", to: path("item.category") }] },
        path("properties.category_name"),
        path("properties.category"),
      ],
    },
  };
}

/** The order number: what deduplicates a purchase for 30 days. */
export function orderFields(options: PresetOptions): Fields {
  return { "custom_data.order_id": { text: first(...(options.orderId ?? ORDER_ID_PATHS)) } };
}

export const SEARCH_FIELDS: Fields = {
  "custom_data.search_string": {
    text: first("properties.search_string", "properties.query", "properties.search_term"),
  },
};

export const SIGN_UP_FIELDS: Fields = {
  "custom_data.sign_up_method": first("properties.sign_up_method", "properties.method", "properties.type"),
  "custom_data.value": { number: path("properties.value") },
  "custom_data.currency": { upper: path("properties.currency") },
};

/** Money without products: subscriptions, trials. */
export const AMOUNT_FIELDS: Fields = {
  "custom_data.value": { number: { first: AMOUNT.map(path) } },
  "custom_data.currency": { upper: path("properties.currency") },
};

/** A promotion seen or clicked. */
export const PROMOTION_FIELDS: Fields = {
  "custom_data.content_ids": first("properties.promotion_id", "properties.creative"),
  "custom_data.content_name": first("properties.name", "properties.promotion_name"),
};

/** Where a person's identifiers are, with the host's own paths before the source's. */
export function userFields(options: PresetOptions): Fields {
  const before = (paths: readonly string[] | undefined, field: string): Fields =>
    paths?.length ? { [field]: { first: [...paths.map(path), USER_MAP[field] as Mapping] } } : {};
  return { ...USER_MAP, ...before(options.clickId, "sc_click_id"), ...before(options.cookie1, "sc_cookie1") };
}
