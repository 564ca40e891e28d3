import type { CanonicalEvent } from "../../src/rules/event.ts";
import type { SnapEventInput } from "../../src/wire/event.ts";

export const SCOPE = { tenantId: "acme", destinationId: "shop" };

export function canonicalEvent(change: Partial<CanonicalEvent> = {}): CanonicalEvent {
  return {
    source: "customerlabs",
    name: "Purchased",
    kind: "track",
    id: "order-1",
    timeMs: Date.UTC(2026, 0, 1),
    ids: { userId: "u-1", external: {} },
    traits: { email: "person@example.com" },
    properties: { value: 12.5, currency: "GBP" },
    products: [{ id: "sku-1", price: 12.5, quantity: 1 }],
    context: { ip: "203.0.113.24", userAgent: "Browser/1" },
    audiences: [],
    issues: [],
    ...change,
  };
}

export function snapEvent(change: Partial<SnapEventInput> = {}): SnapEventInput {
  return {
    event_name: "PURCHASE",
    event_id: "order-1",
    event_time: new Date(Date.UTC(2026, 0, 1)),
    action_source: "WEB",
    user_data: { em: "person@example.com", client_ip_address: "203.0.113.24" },
    custom_data: { value: 12.5, currency: "GBP", contents: [{ id: "sku-1", quantity: 1 }] },
    ...change,
  };
}

/** A copy to hold against what is left of the original after a plugin had it. */
export const frozenCopy = <T>(value: T): T => structuredClone(value);
