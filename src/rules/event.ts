import type { Issue, SnapEventInput, UserDataInput } from "../wire/event.ts";

/** What a source calls the event's kind. `audience` is a change of membership and nothing else. */
export type EventKind = "track" | "page" | "screen" | "identify" | "group" | "audience" | "other";

/** One product of an event, in one vocabulary for all sources. Keys a source adds beyond these stay as they are. */
export interface CanonicalProduct {
  id?: string;
  sku?: string;
  variant_id?: string;
  name?: string;
  /** Price of one unit. */
  price?: number;
  /** Units. Absent where the source says none; then it counts as 1. */
  quantity?: number;
  brand?: string;
  category?: string;
  [key: string]: unknown;
}

/** The device an app event came from. */
export interface CanonicalDevice {
  /** Vendor id (IDFV) on iOS, install id elsewhere. */
  id?: string;
  /** IDFA or AAID. */
  advertisingId?: string;
  /** iOS App Tracking Transparency: false where the person refused. */
  trackingEnabled?: boolean;
  type?: string;
  model?: string;
}

/** Where and how the event happened. Transport fields (`ip`, `userAgent`, …) are plain. */
export interface CanonicalContext {
  ip?: string;
  userAgent?: string;
  url?: string;
  referrer?: string;
  title?: string;
  locale?: string;
  timezone?: string;
  /** Snapchat's click id, `ScCid` of the landing page, case kept. */
  clickId?: string;
  /** The `_scid` cookie, untouched. */
  cookie1?: string;
  device?: CanonicalDevice;
  app?: { id?: string; name?: string; version?: string; build?: string };
  os?: { name?: string; version?: string };
  screen?: { width?: number; height?: number; density?: number };
  carrier?: string;
  /** `web`, `mobile`, `server`, `offline`, or the source's own word. */
  channel?: string;
}

/** One person entering or leaving one segment. */
export interface AudienceChange {
  /** The segment as the source names it for machines. */
  key: string;
  /** The segment as people read it. */
  name?: string;
  op: "add" | "remove";
  /** The member's own traits, where one event lists many members; absent, the event's person is meant. */
  traits?: Record<string, unknown>;
}

/**
 * An event of any customer data platform in one vocabulary: what every source makes and what rules, filters and
 * mappings read. Identifiers are raw here and end in `identity`.
 */
export interface CanonicalEvent {
  /** Name of the source that read it: `customerlabs`, `segment`, `rudderstack` or a host's own. */
  source: string;
  /** As the source spells it; rules match it folded. `page`, `screen`, `identify`, `group` for calls without a name. */
  name: string;
  kind: EventKind;
  /** The source's own id of the event. */
  id?: string;
  /** The id a browser minted for this event and handed on; it wins, because a pixel call carries it. */
  browserId?: string;
  /** Milliseconds since 1970, as the source says; absent where it says none. */
  timeMs?: number;
  /** Another time the event itself carries (`receivedAt`, `sentAt`): what a time in the future is clamped to. Milliseconds. */
  carriedTimeMs?: number;
  ids: { userId?: string; anonymousId?: string; external: Record<string, string> };
  /** Keys in snake_case: `email`, `phone`, `first_name`, `last_name`, `gender`, `city`, `state`, `zip`, `country`, … */
  traits: Record<string, unknown>;
  /** The event's own properties, plain values. */
  properties: Record<string, unknown>;
  products: CanonicalProduct[];
  context: CanonicalContext;
  /** Name of the purpose or category → granted. Absent where the event carries no consent at all. */
  consent?: Record<string, boolean>;
  audiences: AudienceChange[];
  /** What the source noticed while reading. Never holds a value. */
  issues: Issue[];
}

/** Reads one platform's envelope. Total: whatever comes in, an event comes out, with issues where it was not readable. */
export interface Source {
  name: string;
  /** Total: whatever it is given becomes an event, with issues where it could not be read. */
  read(event: unknown): CanonicalEvent;
}

/** Why a rule did not send, or an event was refused: stable `snake_case`; the words are in `REASONS`. */
export type Reason = string;

/** What is to happen with one event by one rule on one channel. */
export interface Decision {
  /** Id of the rule; empty where no rule was found. */
  rule: string;
  channel: "server" | "client" | "audience";
  /** Snap event name, or `segment:<key>`; empty where no rule was found. */
  target: string;
  status: "send" | "skipped" | "rejected";
  reason?: Reason;
  /** Facts behind the reason: the name of a consent, the path of a filter. Never a person's data. */
  detail?: Record<string, string | number | boolean>;
  /** Server and client: the event in Snapchat's words. Both channels of a rule share one object; do not change it. */
  event?: SnapEventInput;
  /** The host's own key of the person, where a plugin knows it. */
  personKey?: string;
  /** Audience: who enters or leaves what. */
  membership?: {
    key: string;
    name?: string;
    op: "add" | "remove";
    user: UserDataInput;
  };
}

/** The outcome of {@link Router.route}. */
export interface RouteResult {
  /** The id of the host event: `event_id` of the first rule, root of all others. */
  eventId: string;
  decisions: Decision[];
}

/** Facts beside the event that routing may use. */
export interface RouteOptions {
  /** When the host received the event, as the host recorded it once: used where the event carries no time. Milliseconds. */
  receivedAtMs?: number;
  /** Id computed earlier (before plugins changed the event); absent, it is computed here. */
  eventId?: string;
}

/** A compiled workflow: events in, decisions out. Pure and total. */
export interface Router {
  /** Digest of the workflow's content. */
  readonly version: string;
  /** Decides what is to happen with one event. Pure; does not throw. */
  route(event: CanonicalEvent, options?: RouteOptions): RouteResult;
}
