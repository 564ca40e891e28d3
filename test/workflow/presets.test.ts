import { describe, expect, it } from "vitest";
import {
  createRouter,
  eeaConsent,
  migrateWorkflow,
  type PresetName,
  presets,
  setToggle,
  sources,
  type Workflow,
} from "../../src/workflow/index.ts";

const on = (workflow: Workflow, ...events: string[]) =>
  events.reduce((before, event) => setToggle(before, event, { server: true }), workflow);

/** What the server would send for one event of a platform. */
function sent(name: Exclude<PresetName, "ecommerce">, event: Record<string, unknown>, options = {}) {
  const preset = presets[name](options);
  const workflow = preset.rules.reduce((before, rule) => setToggle(before, rule.id, { server: true }), preset);
  const [decision] = createRouter(workflow).route(sources[name].read(event), {
    receivedAtMs: 1_795_000_000_000,
  }).decisions;
  return decision?.event;
}

const products = [
  { product_id: "p-1", sku: "s-1", name: "Rain jacket", price: 20, quantity: 2, brand: "Fjell", category: "Jackets" },
  { product_id: "p-2", sku: "s-2", name: "Tote", price: "24.50", quantity: 1, brand: "Fjell", category: "Bags" },
];

describe("presets", () => {
  it.each(Object.entries(presets))("%s: every toggle is born off", (_, preset) => {
    const { rules } = preset({ consent: eeaConsent() });
    expect(rules.length).toBeGreaterThan(12);
    expect(rules.filter((rule) => rule.server || rule.client)).toEqual([]);
  });

  it.each<[Exclude<PresetName, "ecommerce">, Record<string, string>]>([
    [
      "customerlabs",
      {
        pageview: "PAGE_VIEW",
        "Product viewed": "VIEW_CONTENT",
        "Category viewed": "LIST_VIEW",
        "Search made": "SEARCH",
        "Added to cart": "ADD_CART",
        "Added to wishlist": "ADD_TO_WISHLIST",
        "Checkout made": "START_CHECKOUT",
        AddContact: "ADD_BILLING",
        AddShippingInfo: "ADD_BILLING",
        AddPaymentInfo: "ADD_BILLING",
        Purchased: "PURCHASE",
        lead_created: "SIGN_UP",
      },
    ],
    [
      "segment",
      {
        "Product Viewed": "VIEW_CONTENT",
        "Product List Viewed": "LIST_VIEW",
        "Products Searched": "SEARCH",
        "Product Added": "ADD_CART",
        "Product Added to Wishlist": "ADD_TO_WISHLIST",
        "Checkout Started": "START_CHECKOUT",
        "Checkout Step Completed": "ADD_BILLING",
        "Payment Info Entered": "ADD_BILLING",
        "Order Completed": "PURCHASE",
        "Signed Up": "SIGN_UP",
        "Signed In": "LOGIN",
        "Promotion Viewed": "AD_VIEW",
        "Promotion Clicked": "AD_CLICK",
        "Product Shared": "SHARE",
        "Application Installed": "APP_INSTALL",
        "Application Opened": "APP_OPEN",
        "Subscription Created": "SUBSCRIBE",
      },
    ],
    [
      "rudderstack",
      { "Sign Up": "SIGN_UP", Login: "LOGIN", product_list_viewed: "LIST_VIEW", order_completed: "PURCHASE" },
    ],
  ])("%s: sends every event under Snapchat's name", (name, table) => {
    for (const [event, target] of Object.entries(table)) {
      expect([event, sent(name, { type: "track", event })?.event_name]).toEqual([event, target]);
    }
  });

  it("page and screen calls are page views, a screen from an app", () => {
    expect(sent("segment", { type: "page" })).toMatchObject({ event_name: "PAGE_VIEW", action_source: "WEB" });
    expect(sent("segment", { type: "screen" })).toMatchObject({ event_name: "PAGE_VIEW", action_source: "MOBILE_APP" });
  });

  it.each(["Order Updated", "Order Refunded", "Order Cancelled"])("%s never becomes a purchase", (event) => {
    expect(sent("segment", { type: "track", event, properties: { order_id: "1" } })).toBeUndefined();
  });

  it("purchase: value, currency, ids, contents, units, brands, category and order id of a product list", () => {
    const properties = { order_id: "SO-1", total: "64.50", currency: "gbp", products };
    expect(sent("segment", { type: "track", event: "Order Completed", properties })?.custom_data).toEqual({
      value: 64.5,
      currency: "GBP",
      content_ids: ["p-1", "p-2"],
      content_category: "Jackets",
      contents: [
        { id: "p-1", quantity: 2, item_price: 20, brand: "Fjell" },
        { id: "p-2", quantity: 1, item_price: 24.5, brand: "Fjell" },
      ],
      num_items: 3,
      brands: ["Fjell"],
      order_id: "SO-1",
    });
  });

  it("a flat product gives ids, name and a value of price times quantity", () => {
    const properties = { product_id: "p-1", name: "Tote", price: 12.5, quantity: 2, currency: "EUR" };
    expect(sent("segment", { type: "track", event: "Product Added", properties })?.custom_data).toMatchObject({
      value: 25,
      currency: "EUR",
      content_ids: ["p-1"],
      content_name: "Tote",
      num_items: 2,
    });
  });

  it.each([
    ["value", { value: 5, revenue: 6, total: 7 }, 5],
    ["revenue", { revenue: 6, total: 7 }, 6],
    ["total", { total: 7 }, 7],
    ["the basket", { products }, 64.5],
  ])("value comes from %s", (_, properties, value) => {
    expect(sent("segment", { type: "track", event: "Checkout Started", properties })?.custom_data?.value).toBe(value);
  });

  it("a list of products is no basket: it has ids and no value", () => {
    const data = sent("segment", {
      type: "track",
      event: "Product List Viewed",
      properties: { category: "Sale", products },
    });
    expect(data?.custom_data).toEqual({ content_ids: ["p-1", "p-2"], content_category: "Jackets" });
  });

  it.each([
    ["product_id", ["p-1", "p-2"]],
    ["sku", ["s-1", "s-2"]],
    ["variant_id", ["s-1", "s-2"]],
  ] as const)("content ids by %s", (contentId, ids) => {
    const event = { type: "track", event: "Order Completed", properties: { products } };
    expect(sent("segment", event, { contentId })?.custom_data?.content_ids).toEqual(ids);
  });

  it("currency falls back to the default", () => {
    const event = { event: "Purchased", customProperties: { value: 3 } };
    expect(sent("customerlabs", event, { defaultCurrency: "EUR" })?.custom_data).toMatchObject({
      value: 3,
      currency: "EUR",
    });
  });

  it.each([
    ["order_id", undefined, "a"],
    ["another order of paths", ["properties.transaction_number", "properties.order_id"], "c"],
  ])("order id from %s", (_, orderId, expected) => {
    const customProperties = { order_id: "a", transaction_id: "b", transaction_number: { t: "string", v: "c" } };
    const event = { event: "Purchased", customProperties };
    expect(sent("customerlabs", event, orderId ? { orderId } : {})?.custom_data?.order_id).toBe(expected);
  });

  it("ids of checkout and purchase of one order never collide", () => {
    const order = { order_id: "SO-1", value: 10, currency: "GBP" };
    const ids = ["Checkout Started", "Payment Info Entered", "Order Completed"].map(
      (event) =>
        sent("segment", { type: "track", event, userId: "u", timestamp: "2026-11-20T00:00:00Z", properties: order })
          ?.event_id,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it("an app's event goes to the app with sixteen slots and its device ids", () => {
    const event = sent("segment", {
      type: "track",
      event: "Application Opened",
      context: {
        app: { namespace: "net.example.shop", version: "4.2", build: "42" },
        device: { id: "V-1", advertisingId: "AD-1", adTrackingEnabled: false, model: "Pixel 9" },
        os: { name: "Android", version: "15" },
      },
    });
    expect(event).toMatchObject({
      event_name: "APP_OPEN",
      action_source: "MOBILE_APP",
      user_data: { madid: "AD-1", idfv: "V-1" },
      app_data: { app_id: "net.example.shop", advertiser_tracking_enabled: 0 },
    });
    expect(event?.app_data?.extinfo).toEqual([
      "a2",
      "net.example.shop",
      "42",
      "4.2",
      "15",
      "Pixel 9",
      ...Array(10).fill(""),
    ]);
  });

  it("searches and sign-ups carry their words", () => {
    expect(
      sent("segment", { type: "track", event: "Products Searched", properties: { query: "linen" } })?.custom_data,
    ).toEqual({ search_string: "linen" });
    expect(
      sent("segment", { type: "track", event: "Signed Up", properties: { method: "email" } })?.custom_data,
    ).toEqual({ sign_up_method: "email" });
  });

  it("the person's fields of every platform end in the same places", () => {
    const traits = {
      email: "a@example.org",
      phone: "1",
      firstName: "A",
      lastName: "B",
      gender: "f",
      address: { city: "C", state: "D", postalCode: "E", country: "GB" },
    };
    const context = { traits, ip: "203.0.113.7", userAgent: "UA", page: { url: "https://shop.example/?ScCid=AbC" } };
    expect(
      sent("rudderstack", {
        type: "track",
        event: "Order Completed",
        userId: "u",
        properties: { uuid_c1: "c1" },
        context,
      })?.user_data,
    ).toEqual({
      em: "a@example.org",
      ph: "1",
      fn: "A",
      ln: "B",
      ge: "f",
      ct: "C",
      st: "D",
      zp: "E",
      country: "GB",
      external_id: "u",
      client_ip_address: "203.0.113.7",
      client_user_agent: "UA",
      sc_click_id: "AbC",
      sc_cookie1: "c1",
    });
  });

  it("the host's own paths of click id, cookie and event id go before the source's", () => {
    const event = {
      event: "Purchased",
      event_id: "own",
      customProperties: { my: { cid: "c", scid: "s", eid: "e" }, page_url: "https://x.example/?ScCid=url" },
    };
    const options = { clickId: ["properties.my.cid"], cookie1: ["properties.my.scid"], eventId: ["properties.my.eid"] };
    expect(sent("customerlabs", event, options)).toMatchObject({
      event_id: "e",
      user_data: { sc_click_id: "c", sc_cookie1: "s" },
    });
  });

  it("a site's address stands in for events without a page", () => {
    expect(sent("customerlabs", { event: "Purchased" }, { siteUrl: "https://shop.example/" })?.event_source_url).toBe(
      "https://shop.example/",
    );
  });

  it.each([
    ["mobile", "MOBILE_APP"],
    ["pos", "OFFLINE"],
    ["web", "WEB"],
    [undefined, "OFFLINE"],
  ])("channel %s happens in %s, with a default the host chose", (channel, source) => {
    const event = { event: "Purchased", customProperties: { ...(channel ? { channel } : {}) } };
    expect(sent("customerlabs", event, { actionSource: "OFFLINE" })?.action_source).toBe(
      channel === "web" ? "OFFLINE" : source,
    );
  });

  it("a host's own source has the whole preset for free, with the names of any platform", () => {
    const workflow = on(presets.ecommerce(), "Order Completed", "Product Viewed");
    const router = createRouter(workflow);
    const event = {
      ...sources.segment.read({ type: "track", event: "x", messageId: "m", properties: { products } }),
      source: "acme",
    };
    for (const name of ["purchase", "Purchased", "Order Completed", "order_completed"]) {
      expect(router.route({ ...event, name }).decisions[0]).toMatchObject({ target: "PURCHASE", status: "send" });
    }
    expect(router.route({ ...event, name: "view_item" }).decisions[0]?.event?.custom_data).toMatchObject({
      value: 64.5,
    });
  });

  it("consent is asked of every row but removals", () => {
    const { rules } = presets.customerlabs({ consent: { names: ["ad_storage"], absent: "deny" } });
    expect(rules.filter((rule) => !rule.consent).map((rule) => rule.id)).toEqual(["removed_from_segment"]);
    expect(eeaConsent()).toEqual({ names: ["ad_storage", "ad_user_data", "ad_personalization"], absent: "deny" });
  });
});

describe("a preset's options", () => {
  it.each<[string, object, RegExp]>([
    ["an option that is none", { country: "GB" }, /no option `country`\. `defaultCountry` may be meant/],
    ["a key that is a person's", { "jane@example.com": 1 }, /^A preset has no option of that name\.$/],
    ["consent without a decision", { consent: { names: ["ads"] } }, /^The preset's option `consent` .*`absent`/],
    ["a path in place of paths", { eventId: "properties.id" }, /`eventId` is a list of paths/],
    ["a place that is none", { actionSource: "web" }, /`actionSource` is one of WEB, MOBILE_APP, OFFLINE\./],
    ["a country in lower case", { defaultCountry: "gb" }, /`defaultCountry` is a country's two letters/],
    ["a country's name", { defaultCountry: "GBR" }, /`defaultCountry` is a country's two letters/],
    ["consent that names nothing", { consent: { absent: "deny" } }, /`consent` is \{ names, absent \}/],
    ["a segment without a key", { segment: { name: ["a"] } }, /`segment` is \{ key, name \}/],
    ["a segment's name that is no path", { segment: { key: ["a"], name: "b" } }, /`segment` is \{ key, name \}/],
    ["aliases that are no names", { aliases: { Sale: 1 } }, /`aliases` is an object of names/],
    ["no text", { siteUrl: "" }, /`siteUrl` is an address/],
    ["no object", [] as object, /^The options of a preset are an object\.$/],
  ])("%s is refused once, by name", (_, options, words) => {
    const refused = thrownBy(() => presets.segment(options as never));
    expect(refused).toMatchObject({ code: "preset_options_invalid", kind: "fix_configuration" });
    expect((refused as Error).message).toMatch(words);
    expect((refused as { fix?: string }).fix).toMatch(/^Options are defaultCountry, /);
  });

  it("that is undefined is none", () => {
    expect(presets.segment({ defaultCountry: undefined } as never)).toEqual(presets.segment({} as never));
  });

  it("of an older version that are not known any more do not keep a workflow from moving on", () => {
    const born = presets.segment({ defaultCountry: "GB" });
    const stored = { ...born, preset: { ...born.preset, options: { ...born.preset?.options, country: "GB" } } };
    expect(migrateWorkflow(stored as Workflow).changes).toEqual([]);
  });
});

const thrownBy = (call: () => unknown): unknown => {
  try {
    return call();
  } catch (error) {
    return error;
  }
};

describe("setToggle", () => {
  const born = presets.customerlabs();

  it.each<[unknown, RegExp]>([
    [true, /are an object/],
    [undefined, /are an object/],
    [{ sever: true }, /no switch `sever`/],
    [{ server: "yes" }, /`server` is neither/],
  ])("refuses %j instead of switching nothing", (toggles, words) => {
    const refused = thrownBy(() => setToggle(born, "Purchased", toggles as never));
    expect(refused).toMatchObject({ code: "toggles_invalid", message: expect.stringMatching(words) });
  });
  const state = (workflow: Workflow, id: string) => {
    const rule = workflow.rules.find((one) => one.id === id);
    return [rule?.server, rule?.client];
  };

  it("switches by name or id, leaves the other toggle, and never changes what it was given", () => {
    const frozen = JSON.stringify(born);
    const once = setToggle(born, "purchased", { server: true });
    const twice = setToggle(once, "PURCHASED", { client: true });
    expect([state(once, "purchased"), state(twice, "purchased")]).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(state(setToggle(twice, "Purchased", { server: false }), "purchased")).toEqual([false, true]);
    expect(JSON.stringify(born)).toBe(frozen);
  });

  it.each(["added_to_segment", "removed_from_segment", "Added To Segment"])(
    "couples the segment rows (%s)",
    (event) => {
      const both = setToggle(born, event, { server: true });
      expect([state(both, "added_to_segment"), state(both, "removed_from_segment")]).toEqual([
        [true, false],
        [true, false],
      ]);
      expect(both.rules.filter(({ server }) => server).map(({ id }) => id)).toEqual([
        "added_to_segment",
        "removed_from_segment",
      ]);
      const none = setToggle(both, event, { server: false });
      expect([state(none, "added_to_segment"), state(none, "removed_from_segment")]).toEqual([
        [false, false],
        [false, false],
      ]);
    },
  );

  it("refuses the pixel where it cannot send: segments and apps", () => {
    for (const [workflow, event] of [
      [born, "added_to_segment"],
      [presets.segment(), "Application Opened"],
      [presets.segment(), "screen"],
    ] as const) {
      expect(() => setToggle(workflow, event, { client: true })).toThrowError(
        expect.objectContaining({ code: "client_not_available", kind: "fix_configuration" }),
      );
      expect(() => setToggle(workflow, event, { client: false, server: true })).not.toThrow();
    }
  });

  it("couples them where their event makes a Snap event, too, and moves that one with them", () => {
    const purchased = born.rules.find((rule) => rule.id === "purchased") as (typeof born.rules)[number];
    const workflow = { ...born, rules: [...born.rules, { ...purchased, id: "joined", on: "added_to_segment" }] };
    const on = setToggle(workflow, "Added To Segment", { server: true }).rules.filter(({ server }) => server);
    expect(on.map(({ id }) => id)).toEqual(["added_to_segment", "removed_from_segment", "joined"]);
  });

  it("says why and what to do, with the event's name and no more of it than that", () => {
    const long = `Wheel spun ${"x".repeat(200)}`;
    for (const event of ["Wheel spun", long]) {
      expect(() => setToggle(born, event, { server: true })).toThrowError(
        expect.objectContaining({
          code: "event_unknown",
          kind: "fix_configuration",
          message: expect.stringMatching(/no rule/),
          fix: expect.stringMatching(/Added to cart.*Purchased/),
          details: { event: event.slice(0, 100) },
        }),
      );
    }
    const refused = (preset: Workflow, event: string, rule: string, message: RegExp) =>
      expect(() => setToggle(preset, event, { client: true })).toThrowError(
        expect.objectContaining({
          message: expect.stringMatching(message),
          fix: expect.stringMatching(/off/),
          details: { event, rule },
        }),
      );
    refused(born, "added_to_segment", "added_to_segment", /Segments/);
    refused(presets.segment(), "Application Opened", "application_opened", /in an app/);
  });

  it("moves all rules of a name, or one by its id", () => {
    const second = {
      ...born.rules.find((rule) => rule.id === "purchased"),
      id: "loyal",
      to: "CUSTOM_EVENT_3",
    } as (typeof born.rules)[number];
    const workflow = { ...born, rules: [...born.rules, second] };
    const all = setToggle(workflow, "Purchased", { server: true });
    expect([state(all, "purchased"), state(all, "loyal")]).toEqual([
      [true, false],
      [true, false],
    ]);
    const one = setToggle(workflow, "loyal", { server: true });
    expect([state(one, "purchased"), state(one, "loyal")]).toEqual([
      [false, false],
      [true, false],
    ]);
  });
});
