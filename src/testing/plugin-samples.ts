import type { Hooks } from "../plugins/index.ts";

type Canonical = Parameters<NonNullable<Hooks["enrich"]>>[0][number];
type Snap = Parameters<NonNullable<Hooks["beforeSend"]>>[0];

/** What a host may hand on by mistake. */
export const ODD_EVENTS: readonly unknown[] = [
  undefined,
  null,
  "",
  0,
  [],
  {},
  { event: null, properties: "text", traits: [], context: 1, timestamp: "yesterday" },
  { type: "track", event: "x".repeat(10_000) },
  JSON.parse('{"__proto__":{"a":1},"properties":{"__proto__":null}}'),
];

/** What a path of an event may hold. */
export const ODD_VALUES: readonly unknown[] = [
  undefined,
  null,
  "",
  "text",
  0,
  -1,
  Number.NaN,
  true,
  [],
  [1, "a"],
  {},
  { a: { b: 1 } },
];

export const sampleEvent = (n: number): Canonical => ({
  source: "test",
  name: "Order Completed",
  kind: "track",
  id: `event-${n}`,
  timeMs: Date.UTC(2026, 0, 1) + n,
  ids: { userId: `user-${n}`, anonymousId: `visitor-${n}`, external: {} },
  traits: { email: `person${n}@example.com`, phone: "+12065550143" },
  properties: { order_id: `order-${n}`, value: 12.5, currency: "USD" },
  products: [{ id: "sku-1", price: 12.5, quantity: 1 }],
  context: { ip: "203.0.113.24", userAgent: "Browser/1", url: "https://shop.example/thanks" },
  audiences: [],
  issues: [],
});

export const sampleSnapEvent: Snap = {
  event_name: "PURCHASE",
  event_id: "event-1",
  event_time: Date.UTC(2026, 0, 1),
  action_source: "WEB",
  user_data: { em: "person1@example.com", external_id: "user-1" },
  custom_data: { value: 12.5, currency: "USD", order_id: "order-1", contents: [{ id: "sku-1", quantity: 1 }] },
};

export const bareSnapEvent: Snap = { event_name: "PAGE_VIEW" };
