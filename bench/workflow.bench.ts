import { deepStrictEqual } from "node:assert";
import { createRouter } from "../src/rules/create-router.ts";
import type { CanonicalEvent, RouteResult } from "../src/rules/event.ts";
import { foldName } from "../src/rules/fold.ts";
import { toNumber } from "../src/rules/values.ts";
import type { Rule, Workflow } from "../src/rules/workflow.ts";
import { presets } from "../src/workflow/presets/index.ts";
import { sources } from "../src/workflow/sources/index.ts";
import { atLeast, type Bench, perSecond } from "./row.ts";

const EVENTS = 1_200;
const RULES = 60;

/**
 * A workflow of 60 rules, each with a filter, a consent and the commerce fields of the preset, against a switch written
 * by hand that returns the same decisions. Both are given canonical events; reading the envelope is a row of its own.
 */
export const rows: Bench = async ({ smoke }) => {
  const ms = smoke ? 50 : 1_500;
  const router = createRouter(workflow());
  const raw = Array.from({ length: EVENTS }, (_, index) => customerLabsEvent(index));
  const events = raw.map((event) => sources.customerlabs.read(event));
  for (const event of events) deepStrictEqual(plain(router.route(event)), plain(byHand(event)));

  const each = <T>(list: readonly T[], task: (one: T) => unknown) => {
    let kept: unknown;
    for (const one of list) kept = task(one);
    return kept;
  };
  // In turns, so that a neighbour on the machine slows all of them.
  const rounds = smoke ? 1 : 5;
  const best = { hand: 0, ours: 0, read: 0 };
  for (let round = 0; round < rounds; round++) {
    const time = async (name: keyof typeof best, task: () => unknown) => {
      best[name] = Math.max(best[name], await perSecond(EVENTS, ms / rounds, task));
    };
    await time("hand", () => each(events, byHand));
    await time("ours", () => each(events, (event) => router.route(event)));
    await time("read", () => each(raw, (event) => sources.customerlabs.read(event)));
  }
  const { hand, ours, read } = best;
  const both = 1 / (1 / ours + 1 / read);
  return [
    {
      name: "workflow of 60 rules, CustomerLabs events",
      value: ours,
      unit: "events/s",
      limit: hand,
      goals: [atLeast(0.5, "limit", "a hand-written switch")],
    },
    {
      name: "CustomerLabs envelope to canonical event, then routed",
      value: both,
      unit: "events/s",
      goals: [atLeast(125_000)],
    },
  ];
};

const NAMES = Array.from({ length: RULES }, (_, index) => `Bench event ${index}`);
const TARGETS = ["VIEW_CONTENT", "ADD_CART", "START_CHECKOUT", "PURCHASE", "ADD_TO_WISHLIST", "ADD_BILLING"];

function workflow(): Workflow {
  const preset = presets.customerlabs({ consent: { names: ["ad_storage"], absent: "deny" } });
  const model = preset.rules.find((rule) => rule.to === "PURCHASE") as Rule;
  const rules = NAMES.map(
    (on, index): Rule => ({
      ...model,
      id: `rule_${index}`,
      on,
      to: TARGETS[index % TARGETS.length] as string,
      when: {
        and: [
          { path: "properties.value", op: "gt", value: 5 },
          { not: { path: "context.url", op: "contains", value: "/internal/" } },
        ],
      },
      server: true,
    }),
  );
  return { ...preset, rules };
}

function customerLabsEvent(index: number): Record<string, unknown> {
  const wrap = (value: unknown) => (index % 3 ? { t: typeof value, v: value } : value);
  return {
    event: NAMES[index % RULES],
    event_id: `event-${index}`,
    timestamp: new Date(1_795_000_000_000 + index * 1_000).toISOString(),
    ip: "203.0.113.7",
    user_agent: "ExampleBrowser/9.1 (made up)",
    consent: { ad_storage: index % 11 ? "granted" : "denied" },
    customProperties: {
      user_traits: {
        email: `shopper.${index}@example.org`,
        phone: "+44 7700 900123",
        first_name: "Isla",
        last_name: "Taylor",
        city: "London",
        country_code: "GB",
      },
      external_ids: { customerlabs_user_id: `cl-${index}` },
      page_url: wrap("https://shop.example/checkout?utm_source=snapchat"),
      value: wrap(index % 7 ? 20 + index / 4 : 2),
      currency: wrap("gbp"),
      transaction_id: wrap(`SO-${index}`),
    },
    productProperties: Array.from({ length: 1 + (index % 3) }, (_, n) => ({
      product_id: wrap(`sku-${index + n}`),
      product_name: wrap("Rain jacket"),
      product_price: wrap(12.5),
      product_quantity: wrap(1 + n),
      product_brand: wrap("Fjell"),
      product_category: wrap("Jackets"),
    })),
  };
}

/** What someone would write who needs only this: the same fields, the same tolerance, the same decisions. */
function byHand(event: CanonicalEvent): RouteResult {
  const found = pick(event.name);
  if (!found) {
    return { eventId: event.id ?? "", decisions: [] };
  }
  const [index, target] = found;
  const rule = `rule_${index}`;
  const eventId = event.id as string;
  const skipped = (reason: string, detail?: Record<string, string>): RouteResult => ({
    eventId,
    decisions: [{ rule, channel: "server", target, status: "skipped", reason, ...(detail ? { detail } : {}) }],
  });
  const { properties, context, traits, ids, products } = event;
  const value = toNumber(properties.value ?? properties.revenue ?? properties.total ?? properties.transaction_total);
  if (value === undefined || value <= 5 || context.url?.includes("/internal/")) return skipped("filter_not_met");
  const consent = event.consent?.ad_storage;
  if (consent === false) return skipped("consent_denied", { consent: "ad_storage" });
  if (consent === undefined) return skipped("consent_absent", { consent: "ad_storage" });

  const contentIds: string[] = [];
  const contents: Record<string, unknown>[] = [];
  const brands: string[] = [];
  let category: string | undefined;
  let count = 0;
  for (const product of products) {
    const id = product.id ?? product.sku ?? product.variant_id;
    if (id && !contentIds.includes(id)) contentIds.push(id);
    const item: Record<string, unknown> = {};
    if (id) item.id = id;
    if (product.quantity !== undefined) item.quantity = product.quantity;
    if (product.price !== undefined) item.item_price = product.price;
    if (product.brand) item.brand = product.brand;
    contents.push(item);
    if (product.brand && !brands.includes(product.brand)) brands.push(product.brand);
    category ??= product.category;
    count += product.quantity ?? 1;
  }
  const custom: Record<string, unknown> = { value };
  const currency = text(properties.currency);
  if (currency) custom.currency = currency.toUpperCase();
  if (contentIds.length) custom.content_ids = contentIds;
  category ??= text(properties.category_name) ?? text(properties.category);
  if (category) custom.content_category = category;
  if (contents.length) custom.contents = contents;
  if (products.length === 1 && products[0]?.name) custom.content_name = products[0].name;
  if (count > 0) custom.num_items = count;
  if (brands.length) custom.brands = brands;
  const order = text(properties.order_id) ?? text(properties.transaction_id) ?? text(properties.transaction_number);
  if (order) custom.order_id = order;
  const tag = text(properties.event_tag);
  if (tag) custom.event_tag = tag;

  const user: Record<string, string> = {};
  const put = (field: string, found: unknown) => {
    const trimmed = text(found);
    if (trimmed) user[field] = trimmed;
  };
  put("em", traits.email);
  put("ph", traits.phone);
  put("fn", traits.first_name);
  put("ln", traits.last_name);
  put("ge", traits.gender);
  put("ct", traits.city);
  put("st", traits.state);
  put("zp", traits.zip);
  put("country", traits.country);
  put("external_id", ids.userId ?? ids.anonymousId);
  put("client_ip_address", context.ip);
  put("client_user_agent", context.userAgent);
  put("sc_click_id", context.clickId);
  put("sc_cookie1", context.cookie1);
  return {
    eventId,
    decisions: [
      {
        rule,
        channel: "server",
        target,
        status: "send",
        event: {
          event_name: target,
          event_time: Math.floor((event.timeMs as number) / 1_000),
          event_id: eventId,
          action_source: sourceOf(context.channel),
          ...(context.url ? { event_source_url: context.url } : {}),
          custom_data: custom,
          user_data: user,
        },
      },
    ],
  };
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim() || undefined;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function sourceOf(channel: string | undefined): string {
  switch (channel) {
    case "mobile":
    case "app":
    case "mobile_app":
    case "ios":
    case "android":
      return "MOBILE_APP";
    case "offline":
    case "store":
    case "physical_store":
    case "phone_call":
    case "pos":
      return "OFFLINE";
    default:
      return "WEB";
  }
}

/** The names are matched without regard to case and separators, as the router does. */
function pick(name: string): readonly [number, string] | undefined {
  const known = FOLDED.get(name) ?? remember(name);
  switch (known) {
    case "benchevent0":
      return [0, "VIEW_CONTENT"];
    case "benchevent1":
      return [1, "ADD_CART"];
    case "benchevent2":
      return [2, "START_CHECKOUT"];
    case "benchevent3":
      return [3, "PURCHASE"];
    case "benchevent4":
      return [4, "ADD_TO_WISHLIST"];
    case "benchevent5":
      return [5, "ADD_BILLING"];
    case "benchevent6":
      return [6, "VIEW_CONTENT"];
    case "benchevent7":
      return [7, "ADD_CART"];
    case "benchevent8":
      return [8, "START_CHECKOUT"];
    case "benchevent9":
      return [9, "PURCHASE"];
    case "benchevent10":
      return [10, "ADD_TO_WISHLIST"];
    case "benchevent11":
      return [11, "ADD_BILLING"];
    case "benchevent12":
      return [12, "VIEW_CONTENT"];
    case "benchevent13":
      return [13, "ADD_CART"];
    case "benchevent14":
      return [14, "START_CHECKOUT"];
    case "benchevent15":
      return [15, "PURCHASE"];
    case "benchevent16":
      return [16, "ADD_TO_WISHLIST"];
    case "benchevent17":
      return [17, "ADD_BILLING"];
    case "benchevent18":
      return [18, "VIEW_CONTENT"];
    case "benchevent19":
      return [19, "ADD_CART"];
    case "benchevent20":
      return [20, "START_CHECKOUT"];
    case "benchevent21":
      return [21, "PURCHASE"];
    case "benchevent22":
      return [22, "ADD_TO_WISHLIST"];
    case "benchevent23":
      return [23, "ADD_BILLING"];
    case "benchevent24":
      return [24, "VIEW_CONTENT"];
    case "benchevent25":
      return [25, "ADD_CART"];
    case "benchevent26":
      return [26, "START_CHECKOUT"];
    case "benchevent27":
      return [27, "PURCHASE"];
    case "benchevent28":
      return [28, "ADD_TO_WISHLIST"];
    case "benchevent29":
      return [29, "ADD_BILLING"];
    case "benchevent30":
      return [30, "VIEW_CONTENT"];
    case "benchevent31":
      return [31, "ADD_CART"];
    case "benchevent32":
      return [32, "START_CHECKOUT"];
    case "benchevent33":
      return [33, "PURCHASE"];
    case "benchevent34":
      return [34, "ADD_TO_WISHLIST"];
    case "benchevent35":
      return [35, "ADD_BILLING"];
    case "benchevent36":
      return [36, "VIEW_CONTENT"];
    case "benchevent37":
      return [37, "ADD_CART"];
    case "benchevent38":
      return [38, "START_CHECKOUT"];
    case "benchevent39":
      return [39, "PURCHASE"];
    case "benchevent40":
      return [40, "ADD_TO_WISHLIST"];
    case "benchevent41":
      return [41, "ADD_BILLING"];
    case "benchevent42":
      return [42, "VIEW_CONTENT"];
    case "benchevent43":
      return [43, "ADD_CART"];
    case "benchevent44":
      return [44, "START_CHECKOUT"];
    case "benchevent45":
      return [45, "PURCHASE"];
    case "benchevent46":
      return [46, "ADD_TO_WISHLIST"];
    case "benchevent47":
      return [47, "ADD_BILLING"];
    case "benchevent48":
      return [48, "VIEW_CONTENT"];
    case "benchevent49":
      return [49, "ADD_CART"];
    case "benchevent50":
      return [50, "START_CHECKOUT"];
    case "benchevent51":
      return [51, "PURCHASE"];
    case "benchevent52":
      return [52, "ADD_TO_WISHLIST"];
    case "benchevent53":
      return [53, "ADD_BILLING"];
    case "benchevent54":
      return [54, "VIEW_CONTENT"];
    case "benchevent55":
      return [55, "ADD_CART"];
    case "benchevent56":
      return [56, "START_CHECKOUT"];
    case "benchevent57":
      return [57, "PURCHASE"];
    case "benchevent58":
      return [58, "ADD_TO_WISHLIST"];
    case "benchevent59":
      return [59, "ADD_BILLING"];
    default:
      return undefined;
  }
}

const FOLDED = new Map<string, string>();

function remember(name: string): string {
  const folded = foldName(name);
  FOLDED.set(name, folded);
  return folded;
}

/** `undefined` fields are no fields: both sides leave out what is missing. */
function plain(result: RouteResult): unknown {
  return JSON.parse(JSON.stringify(result));
}
