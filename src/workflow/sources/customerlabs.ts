import type { CanonicalEvent } from "../../rules/event.ts";
import { foldName } from "../../rules/fold.ts";
import { clickIdOf } from "./click-id.ts";
import { readConsent } from "./consent.ts";
import { asObject, asText, type Bag, firstText, notice, remembered } from "./read.ts";
import { canonicalProductKey, emptyEvent, readProducts, totalSource } from "./source.ts";
import { parseTime } from "./time.ts";
import { addTraits } from "./traits.ts";

/**
 * CustomerLabs: `event`, `customProperties`, `productProperties`, each leaf as `{ t, v }` or bare, the maps
 * `user_traits`, `group_traits` and `external_ids` wrapped or not, as its own helper scripts write them.
 */
export const customerlabs = totalSource("customerlabs", read);

function read(input: Bag): CanonicalEvent {
  const event = emptyEvent("customerlabs");
  const raw = asObject(unwrap(input.customProperties ?? input.custom_properties ?? input.properties));
  const properties = event.properties;
  for (const key of Object.keys(raw)) {
    if (NESTED.has(key)) continue;
    const value = unwrap(raw[key]);
    if (value !== undefined && value !== null) properties[key] = value;
  }
  event.name = asText(input.event) ?? asText(input.event_name) ?? (input.method === "pageview" ? "pageview" : "");
  event.kind = kindOf(event.name);
  readIds(event, input, raw);
  readTraits(event, input, raw);
  readContext(event, input);
  event.products = readProducts(unwrap(input.productProperties ?? input.product_properties), event, PRODUCTS);
  const consent = unwrap(input.consent ?? raw.consent ?? input.consent_params);
  if (typeof consent === "object" && consent !== null) event.consent = readConsent(consent as Bag, unwrap);
  if (event.kind === "audience") readSegments(event);
  return event;
}

/** Read by hand below, not properties of the event. */
const NESTED = new Set(["user_traits", "group_traits", "external_ids", "consent", "__proto__"]);

/** Reserved names, folded; every other event is `track`: the calling method says nothing. */
const KINDS = new Map<string, CanonicalEvent["kind"]>([
  ["pageview", "page"],
  ["pageviewed", "page"],
  ["pageload", "page"],
  ["addedtosegment", "audience"],
  ["removedfromsegment", "audience"],
  ["createuser", "identify"],
  ["updateuser", "identify"],
  ["createorupdateuser", "identify"],
  ["createorupdategroup", "group"],
  ["assignusertogroup", "group"],
  ["errorlog", "other"],
]);

const kindOf = remembered((name) => KINDS.get(foldName(name)) ?? "track");

/** Takes `{ t, v }` off a value: `v` wherever the object has nothing but wrapper keys. */
function unwrap(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("v" in value)) return value;
  for (const key in value) if (key !== "v" && key !== "t" && key !== "ib") return value;
  return value.v;
}

/** `product_price` is `price`; `product_id` keeps its name, which every source knows. */
const productKey = remembered((key) =>
  canonicalProductKey(key.startsWith("product_") && key !== "product_id" ? key.slice(8) : key),
);

const PRODUCTS = { unwrap, key: productKey };

function readIds(event: CanonicalEvent, input: Bag, raw: Bag): void {
  const external = asObject(unwrap(raw.external_ids));
  for (const key of Object.keys(external)) {
    const id = asText(unwrap(external[key]));
    if (id !== undefined && key !== "__proto__") event.ids.external[key] = id;
  }
  const ids = event.ids.external;
  const anonymous = firstText(
    ids.customerlabs_user_id,
    event.properties.customerlabs_user_id,
    input.customerlabs_user_id,
  );
  if (anonymous !== undefined) event.ids.anonymousId = anonymous;
  const user = firstText(ids.user_id, ids.customer_id, input.user_id);
  if (user !== undefined) event.ids.userId = user;
  const id = firstText(input.event_id, input.message_id, input.messageId, event.properties.event_id);
  if (id !== undefined) event.id = id;
  const minted = firstText(event.properties.snap_event_id, input.snap_event_id);
  if (minted !== undefined) event.browserId = minted;
  const time = parseTime(input.timestamp ?? input.event_time ?? event.properties.timestamp);
  const carried = parseTime(input.received_at ?? input.sent_at ?? input.created_at);
  if (time !== undefined || carried !== undefined) event.timeMs = (time ?? carried) as number;
  if (carried !== undefined) event.carriedTimeMs = carried;
}

function readTraits(event: CanonicalEvent, input: Bag, raw: Bag): void {
  addTraits(event.traits, asObject(unwrap(raw.user_traits ?? input.user_traits)), unwrap);
  const { properties, ids, traits } = event;
  // `identify_by_…` says which identifier finds the user; it may stand beside the traits or among the external ids.
  for (const [trait, key] of IDENTIFY_BY) {
    if (traits[trait] !== undefined) continue;
    const value = asText(properties[key]) ?? ids.external[key];
    if (value !== undefined) traits[trait] = value;
  }
  if (ids.userId === undefined) {
    const id = asText(traits.customer_id);
    if (id !== undefined) ids.userId = id;
  }
}

const IDENTIFY_BY = [
  ["email", "identify_by_email"],
  ["phone", "identify_by_phone"],
] as const;

function readContext(event: CanonicalEvent, input: Bag): void {
  const { context, properties, ids } = event;
  const outer = asObject(input.context);
  const ip = firstText(input.ip, input.ip_address, properties.ip_address, properties.ip, outer.ip);
  if (ip !== undefined) context.ip = ip;
  const agent = firstText(input.user_agent, input.userAgent, properties.user_agent, outer.userAgent);
  if (agent !== undefined) context.userAgent = agent;
  const url = firstText(properties.page_url, properties.url, input.page_url);
  if (url !== undefined) context.url = url;
  const referrer = firstText(properties.referrer, properties.page_referrer, input.referrer);
  if (referrer !== undefined) context.referrer = referrer;
  const click = firstText(
    ids.external.snapchat__ScCid,
    ids.external.snapchat_click_id,
    ids.external.ScCid,
    properties.ScCid,
    properties.sc_click_id,
    clickIdOf(url),
    clickIdOf(referrer),
  );
  if (click !== undefined) context.clickId = click;
  const cookie = firstText(ids.external.snapchat__scid, ids.external._scid, properties._scid, properties.sc_cookie1);
  if (cookie !== undefined) context.cookie1 = cookie;
  const channel = firstText(properties.channel, input.channel);
  if (channel !== undefined) context.channel = channel.toLowerCase();
}

/** Where the segment of a membership event may stand: CustomerLabs documents none, so all that people would look for. */
const SEGMENT_KEYS = [
  "segment_name",
  "segment",
  "audience_name",
  "audience",
  "list_name",
  "segment_id",
  "audience_id",
  "list_id",
];

function readSegments(event: CanonicalEvent): void {
  const op = foldName(event.name) === "addedtosegment" ? "add" : "remove";
  const { properties } = event;
  const several = properties.segments ?? properties.segment_names;
  const entries = Array.isArray(several)
    ? several
    : SEGMENT_KEYS.map((key) => properties[key])
        .filter(Boolean)
        .slice(0, 1);
  for (const entry of entries.slice(0, 100)) {
    const value = unwrap(entry);
    const { id, key, name } = asObject(value);
    const found = asText(value) ?? firstText(id, key, name);
    const label = asText(name);
    if (found !== undefined) event.audiences.push({ key: found, op, ...(label === undefined ? {} : { name: label }) });
  }
  if (event.audiences.length) return;
  event.audiences.push({ key: "", op });
  event.issues.push(
    notice(
      "properties",
      "segment_missing",
      "The event names no segment.",
      "Name the path of the segment in the workflow: `audience.key`.",
    ),
  );
}
