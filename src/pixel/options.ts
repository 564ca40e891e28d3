import type { BrowserWorkflow } from "../rules/browser.ts";
import type { EventName } from "../wire/event-names.ts";
import type { Click } from "./click.ts";

/** The identity the pixel takes at `init`: digests made on the server, so that both sides carry the same ones. */
export interface PixelIdentity {
  /** SHA-256 of the normalised mail address, lower-case hex. */
  user_hashed_email?: string;
  /** SHA-256 of the normalised phone number, lower-case hex. */
  user_hashed_phone_number?: string;
}

/** Why a destination's pixel stands still. */
export type PixelOff = "tenant_not_active" | "destination_disabled" | "pixel_missing" | "no_client_rules" | "test_mode";

/** What a page needs to know of a destination: made by `tenant.pixel.config()` on the server, plain JSON, no secret. */
export interface PixelConfig {
  /** A UUID, as Events Manager shows it. */
  pixelId: string;
  /** Set where nothing may be sent; the page goes on as if the pixel were there. */
  off?: PixelOff;
  /** The events that may be sent: those with a client toggle. All others are refused as `event_off`. */
  events: readonly EventName[];
  /** The only parameters that may leave, from the destination's `allowFields`. Absent: all. */
  allow?: readonly (keyof TrackParameters)[];
  /** Sent with every event: the host's name as `integration`, the limit on use as `data_use`. */
  always?: { readonly integration?: string; readonly data_use?: string };
  /** Address of the pixel script, where it does not come from Snapchat: a gateway of your own, a simulator. */
  script?: string;
  /** Client rules for `snapchat-destination/pixel/router`. */
  workflow?: BrowserWorkflow;
}

/** What the browser learnt of the visitor, for the host's own server events. */
export interface BrowserIdentifiers extends Click {
  /** The `_scid` cookie, untouched: `sc_cookie1` of a server event. */
  cookie1?: string | undefined;
}

export interface PixelOptions extends PixelConfig {
  /** Granted, denied, or not decided yet (absent): then events wait, the newest 100 of them. */
  consent?: boolean | undefined;
  /** Of the person, where the page knows one. */
  identity?: PixelIdentity | undefined;
  /** Send PAGE_VIEW now and after every route change of a single-page application, if it is among `events`. Default: no. */
  pageViews?: boolean | undefined;
  /** Nonce of the pixel's script tag. Absent: that of any script of the page. */
  nonce?: string | undefined;
  /** Hears warnings: `console.warn`, or a function of your own. Without it nothing is said. */
  debug?: ((code: PixelWarning, name?: string) => void) | undefined;
  /** Called with each event's id before anything is sent: hand it to your own SDK, so that the server's copy carries it. */
  onEvent?: ((eventId: string, event: EventName) => void) | undefined;
  /** Called after consent with what is known for the server's events, and again once the pixel has set its cookie. */
  onIdentifiers?: ((identifiers: BrowserIdentifiers) => void) | undefined;
}

/**
 * What may be wrong, told in debug mode and nowhere else. `name` is the event, parameter or key that is meant.
 *
 * - `pixel_id_invalid`, and the reasons of {@link PixelOff}: nothing is sent.
 * - `event_off`: not among `events`: its client toggle is off, or Snapchat has no event of that name. Not sent.
 * - `consent_denied`: not sent; `queue_full`, `page_left`: it waited for consent and was dropped.
 * - `parameter_unknown`, `parameter_invalid`, `parameter_off`, `identity_raw`: left out.
 * - `identity_changed`, `script_blocked`: nothing more is sent until the page is loaded anew; the server's copies count.
 * - `already_created`: the page has this pixel, and gets the first one.
 * - `no_random_uuid`, `storage_blocked`, `failed`: went on without. `failed` is an exception of the page's own functions,
 *   or something on the page that is not what it should be, such as an address that cannot be decoded.
 */
export type PixelWarning =
  | PixelOff
  | "already_created"
  | "consent_denied"
  | "event_off"
  | "failed"
  | "identity_changed"
  | "identity_raw"
  | "no_random_uuid"
  | "page_left"
  | "parameter_invalid"
  | "parameter_off"
  | "parameter_unknown"
  | "pixel_id_invalid"
  | "queue_full"
  | "script_blocked"
  | "storage_blocked";

/** Parameters of an event, in the pixel's own names. A list is joined with commas there, so its items hold none. */
export interface TrackParameters {
  /** Total of the event, not the price of one unit. */
  price?: number | undefined;
  /** ISO 4217. */
  currency?: string | undefined;
  /** Product ids as in the catalogue. */
  item_ids?: string | readonly (string | number)[] | undefined;
  item_category?: string | undefined;
  /** Units. */
  number_items?: number | undefined;
  /** Order number: a purchase is also told apart by it. */
  transaction_id?: string | number | undefined;
  description?: string | undefined;
  search_string?: string | undefined;
  sign_up_method?: string | undefined;
  payment_info_available?: 0 | 1 | undefined;
  success?: 0 | 1 | undefined;
  level?: string | number | undefined;
  brands?: string | readonly string[] | undefined;
  /** `new`, `returning` or `reactivated`. */
  customer_status?: string | undefined;
  /** `in_store`, `curbside` or `delivery`. */
  delivery_method?: string | undefined;
  /** Tag for reports. */
  event_tag?: string | undefined;
  brand_id?: string | number | undefined;
  /** The id both copies of the event share. Absent: a new one, which `track` returns. */
  client_dedup_id?: string | undefined;
  /** Limited use of the data; the configuration sets it where it applies. */
  data_use?: string | undefined;
  /** Name of the platform that sends; the configuration sets it. */
  integration?: string | undefined;
}

/** A purchase without its total and currency is worth nothing to Snapchat. */
export type PurchaseParameters = TrackParameters & { price: number; currency: string };

/** One pixel on a page. No method throws. */
export interface Pixel {
  /**
   * Sends an event once consent is given, and returns the id it carries (`client_dedup_id`, or a new one) so that the
   * server's copy can carry it too; `undefined` where the event is not to be sent from browsers.
   */
  track(event: "PURCHASE", parameters: PurchaseParameters): string | undefined;
  /** The same for every other event. */
  track(event: Exclude<EventName, "PURCHASE">, parameters?: TrackParameters): string | undefined;
  /** True: loads the pixel and sends what waits. False: drops what waits, forgets the click id and goes silent. */
  consent(granted: boolean): void;
  /**
   * Adds what is known of the person; `null` when they log out. The pixel itself forgets nobody before the page is loaded
   * anew, so where something of the person before would stay, it goes silent until then and the server's copies count.
   */
  identify(identity: PixelIdentity | null): void;
  /** What is known for the server's events right now; empty without consent. */
  identifiers(): BrowserIdentifiers;
  /** A new event id. */
  newId(): string;
}
