import type { ConsentRule } from "../../rules/workflow.ts";

/** Which of a product's ids is the catalogue's; the others stand in where it is missing. */
export type ContentId = "product_id" | "sku" | "variant_id";

/** What a preset is made with. All of it is plain JSON and is kept in the workflow, so that a newer preset can be made with the same. */
export interface PresetOptions {
  /** ISO 3166 alpha-2: the country of phone numbers written without a country code. */
  defaultCountry?: string;
  /** ISO 4217: the currency of events that name none. */
  defaultCurrency?: string;
  /** Consents every conversion row and `added_to_segment` need. A removal needs none: it is how a refusal is carried out. */
  consent?: ConsentRule;
  /** Default `product_id`. Choose the one your Snapchat catalogue uses; pixel and server get the same. */
  contentId?: ContentId;
  /** Where events happen that do not say. Default `WEB`. */
  actionSource?: "WEB" | "MOBILE_APP" | "OFFLINE";
  /** Address of the shop, for web events that carry no page: Snapchat wants one. */
  siteUrl?: string;
  /** Paths of the event's id in the canonical event, before the source's own. */
  eventId?: readonly string[];
  /** Paths of the order id, in order: one list for pixel and server. */
  orderId?: readonly string[];
  /** Paths of Snapchat's click id, before the source's own. */
  clickId?: readonly string[];
  /** Paths of the `_scid` cookie, before the source's own. */
  cookie1?: readonly string[];
  /** Paths of the segment in membership events, where the source's own guesses do not find it. */
  segment?: { key: readonly string[]; name?: readonly string[] };
  /** Names the host uses for events: host's name → the preset's. */
  aliases?: Readonly<Record<string, string>>;
}

/**
 * Consent as the law of the European Economic Area asks for it: everything Google's consent mode names for ads must be
 * granted, and an event that says nothing counts as refused.
 *
 * @example
 * ```ts
 * import { eeaConsent, presets } from "snapchat-destination/workflow";
 *
 * presets.segment({ consent: eeaConsent() }); // an event that says nothing of consent is skipped
 * presets.segment({ consent: eeaConsent(["marketing"]) }); // under the name the platform's own banner uses
 * ```
 */
export function eeaConsent(
  names: readonly string[] = ["ad_storage", "ad_user_data", "ad_personalization"],
): ConsentRule {
  return { names, absent: "deny" };
}
