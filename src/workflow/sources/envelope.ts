import type { CanonicalEvent } from "../../rules/event.ts";
import { clickIdOf } from "./click-id.ts";
import { readConsent } from "./consent.ts";
import { asFlag, asObject, asText, type Bag, firstText, notice } from "./read.ts";
import { emptyEvent, readProduct, readProducts } from "./source.ts";
import { parseTime } from "./time.ts";
import { addTraits } from "./traits.ts";

/** What Segment and RudderStack share: the envelope of a call, read into a canonical event. */
export interface Envelope {
  event: CanonicalEvent;
  /** `type` of the call, lower case. */
  type: string;
  properties: Bag;
  context: Bag;
}

/** Reads the common part; audiences and consent differ by platform. */
export function readEnvelope(source: string, input: Bag): Envelope {
  const event = emptyEvent(source);
  const type = asText(input.type)?.toLowerCase() ?? (input.event === undefined ? "" : "track");
  const context = asObject(input.context);
  const properties = asObject(input.properties);
  event.kind = KINDS.get(type) ?? "other";
  event.name = event.kind === "track" ? (asText(input.event) ?? "") : type;
  event.properties = properties as Record<string, unknown>;
  readTimes(event, input);
  readIds(event, input, properties);
  const traits = asObject(input.traits);
  addTraits(event.traits, traits);
  addTraits(event.traits, asObject(context.traits));
  for (const key of PERSONAL) {
    if (event.traits[key] === undefined && asText(properties[key]) !== undefined) event.traits[key] = properties[key];
  }
  readContext(event, input, context, properties);
  readProductsOf(event, properties);
  if (event.kind === "track" && event.name === "") {
    event.issues.push(
      notice(
        "event",
        "event_name_missing",
        "A track call without an event name.",
        "Send `event` with every track call.",
      ),
    );
  }
  return { event, type, properties, context };
}

const KINDS = new Map<string, CanonicalEvent["kind"]>([
  ["track", "track"],
  ["page", "page"],
  ["screen", "screen"],
  ["identify", "identify"],
  ["group", "group"],
]);

/** Read from `properties` too, where platforms put them on track calls. */
const PERSONAL = ["email", "phone"] as const;

function readTimes(event: CanonicalEvent, input: Bag): void {
  const carried = parseTime(input.receivedAt) ?? parseTime(input.sentAt);
  const stamped = parseTime(input.timestamp);
  const time = stamped ?? parseTime(input.originalTimestamp) ?? carried;
  if (time !== undefined) event.timeMs = time;
  if (carried !== undefined) event.carriedTimeMs = carried;
  if (input.timestamp !== undefined && stamped === undefined) {
    event.issues.push(notice("timestamp", "time_unreadable", "The timestamp is not a time.", "Send ISO 8601 text."));
  }
}

function readIds(event: CanonicalEvent, input: Bag, properties: Bag): void {
  const { ids } = event;
  const [user, anonymous, id] = [asText(input.userId), asText(input.anonymousId), asText(input.messageId)];
  if (user !== undefined) ids.userId = user;
  if (anonymous !== undefined) ids.anonymousId = anonymous;
  if (id !== undefined) event.id = id;
  const minted = asText(properties.snap_event_id) ?? asText(asObject(input.context).snap_event_id);
  if (minted !== undefined) event.browserId = minted;
}

function readContext(event: CanonicalEvent, input: Bag, context: Bag, properties: Bag): void {
  const out = event.context;
  const page = asObject(context.page);
  const put = <K extends "ip" | "userAgent" | "url" | "referrer" | "title" | "locale" | "timezone" | "carrier">(
    key: K,
    value: unknown,
  ) => {
    const text = asText(value);
    if (text !== undefined) out[key] = text;
  };
  put("ip", context.ip ?? input.request_ip);
  put("userAgent", context.userAgent);
  put("url", page.url ?? properties.url);
  put("referrer", page.referrer);
  put("title", page.title);
  put("locale", context.locale);
  put("timezone", context.timezone);
  put("carrier", asObject(context.network).carrier);
  const snap = snapIntegration(input.integrations);
  const click =
    firstText(snap.click_id, properties.click_id) ??
    clickIdOf(out.url) ??
    clickIdOf(asText(page.search)) ??
    clickIdOf(out.referrer);
  if (click !== undefined) out.clickId = click;
  const cookie = firstText(snap.uuid_c1, properties.uuid_c1, properties.sc_cookie1);
  if (cookie !== undefined) out.cookie1 = cookie;
  readDevice(event, input, context);
}

/** Snap's browser plugin leaves click id and cookie under the destination's own entry, whatever it is called. */
function snapIntegration(integrations: unknown): Bag {
  const all = asObject(integrations);
  for (const key of Object.keys(all)) if (/snap/i.test(key)) return asObject(all[key]);
  return {};
}

function readDevice(event: CanonicalEvent, input: Bag, context: Bag): void {
  const out = event.context;
  const [device, app, os, screen] = [
    asObject(context.device),
    asObject(context.app),
    asObject(context.os),
    asObject(context.screen),
  ];
  const channel = channelOf(event, input, context, device);
  if (channel !== undefined) out.channel = channel;
  if (Object.keys(device).length) {
    out.device = {
      ...text("id", device.id),
      ...text("advertisingId", device.advertisingId),
      ...text("type", device.type),
      ...text("model", device.model),
    };
    const tracking = asFlag(device.adTrackingEnabled) ?? attAnswer(device.attTrackingStatus);
    if (tracking !== undefined) out.device.trackingEnabled = tracking;
  }
  if (Object.keys(app).length) {
    out.app = {
      ...text("id", app.namespace ?? app.id),
      ...text("name", app.name),
      ...text("version", app.version),
      ...text("build", app.build),
    };
  }
  if (Object.keys(os).length) out.os = { ...text("name", os.name), ...text("version", os.version) };
  if (Object.keys(screen).length) {
    out.screen = { ...num("width", screen.width), ...num("height", screen.height), ...num("density", screen.density) };
  }
}

function text<K extends string>(key: K, value: unknown): { [P in K]?: string } {
  const found = asText(value);
  return found === undefined ? {} : ({ [key]: found } as { [P in K]?: string });
}

function num<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  return typeof value === "number" && Number.isFinite(value) ? ({ [key]: value } as { [P in K]?: number }) : {};
}

/** Apple's App Tracking Transparency: 3 authorised, 1 restricted, 2 denied, 0 not asked. */
function attAnswer(status: unknown): boolean | undefined {
  if (status === 3 || status === "authorized") return true;
  return status === 2 || status === 1 || status === "denied" || status === "restricted" ? false : undefined;
}

/** Where a call came from, by what it says or by the library that made it; a server's own calls stay `server`. */
function channelOf(event: CanonicalEvent, input: Bag, context: Bag, device: Bag): string | undefined {
  const said = asText(input.channel) ?? asText(context.channel);
  if (said !== undefined && said !== "sources") return said === "browser" ? "web" : said.toLowerCase();
  const library = asText(asObject(context.library).name) ?? "";
  if (/ios|android|swift|kotlin|flutter|react-native|xamarin|unity/i.test(library)) return "mobile";
  if (/\.js$|javascript/i.test(library)) return "web";
  if (event.kind === "screen" || /^(ios|android)$/i.test(asText(device.type) ?? "")) return "mobile";
  return event.kind === "page" || context.page !== undefined ? "web" : undefined;
}

function readProductsOf(event: CanonicalEvent, properties: Bag): void {
  const list = properties.products;
  if (Array.isArray(list)) event.products = readProducts(list, event);
  // Product Viewed, Added, Removed carry the one product flat.
  else if (properties.product_id !== undefined || properties.sku !== undefined)
    event.products = [readProduct(flat(properties))];
}

const FLAT = [
  "product_id",
  "sku",
  "variant_id",
  "variant",
  "name",
  "price",
  "quantity",
  "brand",
  "category",
  "coupon",
  "image_url",
];

function flat(properties: Bag): Bag {
  const product: Record<string, unknown> = {};
  for (const key of FLAT) if (properties[key] !== undefined) product[key] = properties[key];
  return product;
}

/** `context.consent.categoryPreferences` of Segment; a category it does not mention is refused there. */
export function segmentConsent(context: Bag): Record<string, boolean> | undefined {
  const preferences = asObject(context.consent).categoryPreferences;
  if (typeof preferences !== "object" || preferences === null) return undefined;
  return { ...readConsent(preferences as Bag), "*": false };
}
