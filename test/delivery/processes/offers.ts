import { prepareEvent } from "../../../src/capi/index.ts";
import type { EventItem, MemberItem } from "../../../src/delivery/index.ts";
import type { SnapEventInput } from "../../../src/wire/event.ts";

export interface Place {
  tenantId: string;
  destinationId: string;
}

/** An event that Snapchat takes, or one that it refuses. */
export function purchase(
  { tenantId, destinationId }: Place,
  assetId: string,
  eventId: string,
  bad: boolean,
): EventItem {
  const nowMs = Date.now();
  const input: SnapEventInput = {
    event_name: "PURCHASE",
    event_time: Math.floor(nowMs / 1_000),
    event_id: eventId,
    action_source: "WEB",
    event_source_url: "https://shop.example/thanks",
    user_data: { em: `${eventId}@shop.example` },
    custom_data: { value: 12.5, currency: "EUR" },
  };
  const prepared = prepareEvent(input, { nowMs });
  if (!prepared.ok) throw new Error(prepared.reason);
  return {
    type: "event",
    tenantId,
    destinationId,
    assetId,
    json: bad ? prepared.json.replace('"PURCHASE"', '"NO_SUCH_EVENT"') : prepared.json,
    eventId,
    eventName: "PURCHASE",
    eventTime: prepared.eventTime,
    subjects: [],
    acceptedAtMs: nowMs,
  };
}

/** Person `n` enters or leaves. */
export function change(place: Place, link: string, n: number, op: "add" | "remove", eventId: string): MemberItem {
  const hash = n.toString(16).padStart(64, "0");
  return {
    type: "member",
    tenantId: place.tenantId,
    destinationId: place.destinationId,
    link,
    op,
    identifiers: [{ kind: 0, hash }],
    person: Buffer.from(hash.slice(32), "hex"),
    subjects: [],
    acceptedAtMs: Date.now(),
    eventId,
  };
}
