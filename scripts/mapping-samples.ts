/** One made-up event for each row of each preset, as its platform would send it. */
import type { Rule } from "../src/rules/workflow.ts";

/** The moment everything in the gallery happens at. */
export const AT = "2026-11-20T10:15:00.000Z";

const PAGE =
  "https://shop.example/jackets/rain?utm_source=snapchat&ScCid=0a1b2c3d-1111-4222-8333-444455556666&session=9";
const AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15";
const IP = "203.0.113.24";
const PRODUCTS = [
  { product_id: "rain-jacket-m", name: "Rain jacket", price: 40, quantity: 1, brand: "Fjell", category: "Jackets" },
  { product_id: "wool-beanie", name: "Wool beanie", price: "12.25", quantity: 2, brand: "Acme", category: "Hats" },
];

type Json = Record<string, unknown>;

/** What an event of this target is about, in the specification all three platforms share. */
function propertiesOf(to: string): { properties: Json; products: readonly Json[] } {
  const [jacket] = PRODUCTS as readonly Json[] as readonly [Json];
  switch (to) {
    case "PURCHASE":
      return { properties: { order_id: "SO-10442", revenue: "64.50", currency: "gbp" }, products: PRODUCTS };
    case "START_CHECKOUT":
    case "ADD_BILLING":
      return { properties: { order_id: "SO-10442", value: 64.5, currency: "GBP" }, products: PRODUCTS };
    case "CUSTOM_EVENT_2":
      return { properties: { currency: "GBP" }, products: PRODUCTS };
    case "VIEW_CONTENT":
    case "ADD_CART":
    case "CUSTOM_EVENT_1":
    case "ADD_TO_WISHLIST":
      return { properties: { currency: "GBP" }, products: [jacket] };
    case "LIST_VIEW":
    case "SHARE":
      return { properties: { category: "Jackets" }, products: PRODUCTS };
    case "SEARCH":
      return { properties: { query: "rain jacket" }, products: [] };
    case "SIGN_UP":
      return { properties: { method: "email", value: 5, currency: "GBP" }, products: [] };
    case "SUBSCRIBE":
    case "START_TRIAL":
      return { properties: { value: 9.99, currency: "GBP" }, products: [] };
    case "AD_VIEW":
    case "AD_CLICK":
      return { properties: { promotion_id: "winter-sale", name: "Winter sale" }, products: [] };
    default:
      return { properties: {}, products: [] };
  }
}

/** Only a purchase shows all nine identifiers: seventy digests a page help nobody. */
function traitsOf(to: string): Json {
  const email = " Jane@Example.com ";
  if (to !== "PURCHASE") return { email };
  const address = { city: "London", state: "England", postalCode: "SW1A 1AA", country: "GB" };
  return { email, phone: "07700 900123", firstName: "Jane", lastName: "O’Brien", gender: "female", address };
}

const APP = {
  app: { namespace: "com.example.shop", version: "4.2.0", build: "420" },
  device: {
    id: "9f1c2d3e-5a6b-4c7d-8e9f-0a1b2c3d4e5f",
    advertisingId: "6d92078a-8246-4ba4-ae5b-76104861e7dc",
    adTrackingEnabled: true,
    model: "iPhone16,1",
    type: "ios",
  },
  os: { name: "iOS", version: "18.1" },
};

/** A call of Segment's or RudderStack's tracking API; one product stands among the properties, several in a list. */
export function envelopeSample(rule: Rule, platform: "segment" | "rudderstack"): Json {
  const { properties, products } = propertiesOf(rule.to);
  const [type, named] = ["page", "screen"].includes(rule.on) ? [rule.on, {}] : ["track", { event: rule.on }];
  const app = rule.map?.action_source !== undefined;
  const segment = rule.to.startsWith("segment:");
  const entered = rule.to === "segment:add";
  return {
    type,
    ...(segment ? { event: entered ? "Audience Entered" : "Audience Exited" } : named),
    messageId: `${platform}-${rule.id}`,
    timestamp: AT,
    userId: "user-7",
    context: {
      ip: IP,
      userAgent: AGENT,
      traits: traitsOf(rule.to),
      ...(app ? APP : { page: { url: PAGE } }),
    },
    properties: segment
      ? { audience_key: "vip_customers", ...(platform === "segment" ? { vip_customers: entered } : {}) }
      : { ...properties, ...(products.length > 1 ? { products } : products[0]) },
  };
}

/** An event as CustomerLabs hands it on: some leaves wrapped in `{ t, v }`, some bare. */
export function customerlabsSample(rule: Rule): Json {
  const { properties, products } = propertiesOf(rule.to);
  const { address = {}, ...traits } = traitsOf(rule.to);
  const wrapped = Object.entries(properties).map(([key, v]) => [key, typeof v === "string" ? { t: "string", v } : v]);
  return {
    event: rule.on,
    event_id: `customerlabs-${rule.id}`,
    timestamp: AT,
    ip: IP,
    user_agent: AGENT,
    customProperties: {
      ...Object.fromEntries(wrapped),
      ...(rule.to.startsWith("segment:") ? { segment_name: "vip_customers" } : {}),
      page_url: { t: "string", v: PAGE },
      external_ids: { t: "Object", v: { customerlabs_user_id: { t: "string", v: "cl-7f3a" } } },
      user_traits: { t: "Object", v: { ...traits, ...(address as Json) } },
    },
    ...(products.length
      ? {
          productProperties: products.map(({ price, name, ...rest }) => ({
            ...rest,
            product_price: { t: "number", v: price },
            product_name: { t: "string", v: name },
          })),
        }
      : {}),
  };
}
