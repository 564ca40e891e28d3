import type { MemberKind } from "./interfaces.ts";

/** One prepared Snap event on its way into the outbox. */
export interface EventItem {
  type: "event";
  tenantId: string;
  destinationId: string;
  /** The pixel or app that receives it. Its group is `events/<assetId>`. */
  assetId: string;
  /** The event's JSON text, made once: what is sent is this text, however often. */
  json: string;
  eventId: string;
  orderId?: string | undefined;
  eventName: string;
  /** Id of the workflow's rule that made it. */
  rule?: string | undefined;
  /** Whole seconds since 1970. */
  eventTime: number;
  /** Keyed digests of the people it is about: for tombstones and consent. */
  subjects: readonly string[];
  acceptedAtMs: number;
  /** Snapchat takes no event older than this. Milliseconds; default 37 days (offline); web and app events: 7 days. */
  maxAgeMs?: number | undefined;
  /** Judged by Snapchat's validation, not counted. */
  validateOnly?: boolean | undefined;
  /** Shown in Events Manager's test view under this code. */
  testEventCode?: string | undefined;
}

/** One change of membership: a person enters or leaves a segment. */
export interface MemberItem {
  type: "member";
  tenantId: string;
  destinationId: string;
  /** The segment link. Its group is `members/<link>`. */
  link: string;
  op: "add" | "remove";
  /** SHA-256 of each identifier: 32 bytes, or 64 hexadecimal characters. */
  identifiers: readonly { kind: MemberKind; hash: Uint8Array | string }[];
  /** Keyed digest of the person, 16 bytes. Without it an add belongs to nobody in particular, a remove to everybody. */
  person?: Uint8Array | undefined;
  /** Of a remove: other keys that the same person may have been added under. */
  alsoPersons?: readonly Uint8Array[] | undefined;
  subjects: readonly string[];
  acceptedAtMs: number;
  /** The host event's id: makes a repeated call a duplicate. Without it, only a call of the same `acceptedAtMs` is one. */
  eventId?: string | undefined;
  /** Bulk work (a mirror, a backfill) goes behind live changes. */
  bulk?: boolean | undefined;
}

export type DeliveryItem = EventItem | MemberItem;

/** The group of one asset's events. */
export const eventsGroup = (assetId: string): string => `events/${assetId}`;
/** The group of one segment's members. */
export const membersGroup = (link: string): string => `members/${link}`;

/** The group an item goes into. */
export function groupOf(item: DeliveryItem): string {
  return item.type === "event" ? eventsGroup(item.assetId) : membersGroup(item.link);
}

/** What a group holds, and of which asset or link. */
export function parseGroup(name: string): { type: "event" | "member"; of: string } | undefined {
  if (name.startsWith("events/")) return { type: "event", of: name.slice(7) };
  if (name.startsWith("members/")) return { type: "member", of: name.slice(8) };
  return undefined;
}
