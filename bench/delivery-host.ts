/** The delivery room on its own, and purchases for it. */
import { randomBytes } from "node:crypto";
import { createSealer } from "../src/auth/index.ts";
import { ConversionsClient, prepareEvent } from "../src/capi/index.ts";
import { createDelivery, type Delivery, type EventItem } from "../src/delivery/index.ts";
import { Secret } from "../src/errors.ts";
import type { Storage } from "../src/storage/ports.ts";

/** `key`: of payloads that another process opens. */
export function deliveryOn(storage: Storage, o: { conversions: string; token: string; key?: string }): Delivery {
  const { conversions, token, key = randomBytes(32).toString("base64") } = o;
  return createDelivery({
    storage,
    sealer: createSealer({ keys: [key] }),
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "conversions_token",
        token: new Secret(token),
        version: 1,
        limits: { events: [{ key: id, perWindow: 1_000, windowMs: 1_000 }], segments: [] },
      }),
      refused: async () => "pause",
    },
    events: new ConversionsClient({ endpoints: { conversions } }),
  });
}

export function events(assetId: string, run: string, count: number): EventItem[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, n): EventItem => {
    const prepared = prepareEvent(
      {
        event_name: "PURCHASE",
        event_time: Math.floor(nowMs / 1_000),
        event_id: `${run}-${n}`,
        action_source: "WEB",
        event_source_url: `https://shop.example/orders/${n}`,
        user_data: {
          em: `person${n}@shop.example`,
          client_ip_address: "203.0.113.7",
          client_user_agent: "Mozilla/5.0",
        },
        custom_data: { value: 12.5, currency: "EUR", transaction_id: `order-${run}-${n}` },
      } as never,
      { nowMs },
    );
    if (!prepared.ok) throw new Error(prepared.reason);
    return {
      type: "event",
      tenantId: "acme",
      destinationId: "d",
      assetId,
      json: prepared.json,
      eventId: `${run}-${n}`,
      orderId: prepared.orderId,
      eventName: "PURCHASE",
      eventTime: prepared.eventTime,
      subjects: [n.toString(16).padStart(32, "0")],
      acceptedAtMs: nowMs,
    };
  });
}
