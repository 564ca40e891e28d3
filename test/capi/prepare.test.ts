import { describe, expect, it } from "vitest";
import { prepareEvent, validate } from "../../src/capi/index.ts";
import { sha256Hex } from "../../src/identity/index.ts";
import { accepted, appOpen, findings, NOW_MS, NOW_S, OPTIONS, purchase, refusal, sent } from "./events.ts";

describe("prepareEvent", () => {
  it("writes one final JSON text, in the order of the field table, with the identifiers hashed", () => {
    const event = purchase({
      event_source_url: "https://shop.example/thanks?ScCid=Ab1",
      user_data: {
        ph: "07700 900123",
        em: "Jane@Example.com",
        client_ip_address: "203.0.113.9",
        client_user_agent: "UA/1",
      },
    });
    expect(accepted(event)).toEqual({
      ok: true,
      json:
        `{"event_name":"PURCHASE","event_time":${NOW_S - 60},"event_id":"order-10442","action_source":"WEB",` +
        `"event_source_url":"https://shop.example/thanks?ScCid=Ab1","user_data":{"em":["${sha256Hex("jane@example.com")}"],` +
        `"ph":["${sha256Hex("447700900123")}"],"client_ip_address":"203.0.113.9","client_user_agent":"UA/1",` +
        `"sc_click_id":"Ab1"},"custom_data":{"value":64.5,"currency":"GBP","order_id":"SO-10442"},` +
        `"integration":"example-cdp"}`,
      eventId: "order-10442",
      eventName: "PURCHASE",
      eventTime: NOW_S - 60,
      orderId: "SO-10442",
      identifiers: ["em", "ph", "client_ip_address", "client_user_agent", "sc_click_id"],
      issues: [],
    });
  });

  it("writes the same text for the same event at any later moment", () => {
    const event = purchase({ event_time: "2026-11-20T11:59:00Z" });
    expect(accepted(event, { nowMs: NOW_MS + 3_600_000 }).json).toBe(accepted(event).json);
  });

  it("does not change the event it is given", () => {
    const event = Object.freeze(purchase({ user_data: Object.freeze({ email: "jane@example.com" }) }));
    const before = structuredClone(event);
    prepareEvent(event, OPTIONS);
    expect(event).toEqual(before);
  });

  describe("names and sources", () => {
    it("spells names and sources as Snapchat does", () => {
      expect(sent(purchase({ event_name: " purchase " })).event_name).toBe("PURCHASE");
      expect(sent(purchase({ event_name: "View Content" })).event_name).toBe("VIEW_CONTENT");
      expect(sent(purchase({ action_source: "website" })).action_source).toBe("WEB");
      expect(sent(purchase({ action_source: "physical_store" })).action_source).toBe("OFFLINE");
    });

    it("corrects known misnomers and says so", () => {
      const event = purchase({ event_name: "AddToCart" });
      expect(sent(event).event_name).toBe("ADD_CART");
      expect(findings(event)).toEqual(["event_name event_name_respelled"]);
    });

    it("refuses unknown names unless free names are allowed", () => {
      const event = purchase({ event_name: "Cart Abandoned" });
      expect(refusal(event)).toBe("event_name_unknown");
      expect(sent(event, { freeEventNames: true }).event_name).toBe("Cart Abandoned");
      expect(refusal(purchase({ event_name: "" }))).toBe("event_name_missing");
      expect(refusal(purchase({ event_name: "constructor" }))).toBe("event_name_unknown");
      expect(refusal(purchase({ event_name: "x\u0000y" }), { freeEventNames: true })).toBe("event_name_unknown");
    });

    it("never guesses where an event happened", () => {
      expect(refusal(purchase({ action_source: undefined }))).toBe("action_source_missing");
      expect(refusal(purchase({ action_source: "server" }))).toBe("action_source_unknown");
    });

    it("takes names of apps from apps only", () => {
      expect(refusal(purchase({ event_name: "APP_INSTALL" }))).toBe("event_name_app_only");
    });
  });

  describe("purchases", () => {
    it("need a value and a currency", () => {
      expect(refusal(purchase({ custom_data: { currency: "GBP" } }))).toBe("value_missing");
      expect(refusal(purchase({ custom_data: { value: 1 } }))).toBe("currency_missing");
      expect(refusal(purchase({ custom_data: undefined }))).toBe("value_missing");
    });

    it("may be worth nothing", () => {
      expect(sent(purchase({ custom_data: { value: 0, currency: "GBP" } })).custom_data.value).toBe(0);
    });

    it.each([
      ["64.50", 64.5],
      ["1,234.50", 1234.5],
      ["1.234,50", 1234.5],
      ["1 234,50", 1234.5],
      ["12,5", 12.5],
      ["£64.50", 64.5],
      ["64.50 EUR", 64.5],
      ["1e3", 1000],
      ["-5", -5],
      [".5", 0.5],
    ])("reads the value %s", (text, value) => {
      expect(sent(purchase({ custom_data: { value: text, currency: "GBP" } })).custom_data.value).toBe(value);
    });

    it.each(["1,234", "12,345", "-1,234"])("refuses to guess whether %s is thousands or a fraction", (text) => {
      const event = purchase({ custom_data: { value: text, currency: "GBP" } });
      expect(findings(event)[0]).toBe("custom_data.value number_ambiguous");
      expect(refusal(event)).toBe("number_ambiguous");
    });

    it.each(["abc", "NaN", "Infinity", Number.NaN, Number.POSITIVE_INFINITY, {}, [], true])(
      "takes no %s for a value",
      (value) => {
        expect(refusal(purchase({ custom_data: { value, currency: "GBP" } }))).toBe("number_unreadable");
      },
    );

    it("name what is wrong with what was given, once, as what rejects the event", () => {
      const prepared = prepareEvent(purchase({ custom_data: { value: "cheap", currency: "pounds" } }), OPTIONS);
      expect(prepared).toMatchObject({ ok: false, reason: "number_unreadable" });
      const told = prepared.issues.filter(({ severity }) => severity === "error");
      expect(told.map(({ path, code }) => `${path} ${code}`)).toEqual([
        "custom_data.value number_unreadable",
        "custom_data.currency currency_unreadable",
      ]);
      expect(told[1]?.message).toBe(
        "`custom_data.currency` is not a three-letter code and was left out. A PURCHASE needs a currency.",
      );
    });

    it("sends an unlisted currency with a warning, and spells it in upper case", () => {
      const event = purchase({ custom_data: { value: 1, currency: " ars " } });
      expect(sent(event).custom_data.currency).toBe("ARS");
      expect(findings(event)).toEqual(["custom_data.currency currency_unlisted"]);
    });

    it("leaves out what is no currency code; another event still goes", () => {
      expect(refusal(purchase({ custom_data: { value: 1, currency: "pounds" } }))).toBe("currency_unreadable");
      const view = purchase({ event_name: "VIEW_CONTENT", custom_data: { value: 1, currency: "pounds" } });
      expect(sent(view).custom_data).toEqual({ value: 1 });
    });
  });

  it("says where a number had to be read", () => {
    const value = (text: unknown) => findings(purchase({ custom_data: { value: text, currency: "GBP" } }));
    for (const text of ["12,5", "£64.50", "1.234,50", "1,234.50", "1 234"]) {
      expect(value(text)).toEqual(["custom_data.value number_respelled"]);
    }
    for (const text of ["64.50", 64.5, 64n]) expect(value(text)).toEqual([]);
  });

  it("takes yes and no in the forms platforms write them", () => {
    const app = (answer: unknown) => {
      const app_data = {
        app_id: "1",
        extinfo: { platform: "android", osVersion: 15 },
        advertiser_tracking_enabled: answer,
      };
      return sent(appOpen({ app_data })).app_data.advertiser_tracking_enabled;
    };
    for (const yes of [1, "1", true, "true"]) expect(app(yes)).toBe(1);
    for (const no of [0, "0", false, "false"]) expect(app(no)).toBe(0);
    expect(sent(purchase({ opt_out: true }))).toHaveProperty("opt_out", true);
    expect(sent(purchase({ opt_out: "yes" }))).not.toHaveProperty("opt_out");
    expect(findings(purchase({ opt_out: "yes" }))).toEqual(["opt_out field_wrong_type"]);
  });

  describe("custom_data", () => {
    it("keeps lists as lists, repeats once, and texts where a list is wanted", () => {
      const { custom_data } = sent(
        purchase({
          custom_data: {
            value: 1,
            currency: "GBP",
            content_ids: ["a", 7, "a", null],
            brands: "Acme",
            content_category: "Hats",
          },
        }),
      );
      expect(custom_data).toMatchObject({ content_ids: ["a", "7"], brands: ["Acme"], content_category: "Hats" });
    });

    it("repeats no text of a long list", () => {
      const content_ids = Array.from({ length: 200 }, (_, n) => (n % 30 === 20 ? null : `sku-${n % 50}`));
      const { custom_data } = sent(purchase({ custom_data: { value: 1, currency: "GBP", content_ids } }));
      expect(custom_data.content_ids).toEqual([...new Set(content_ids.filter((id) => id !== null))]);
    });

    it("reads contents item by item and drops what is no item", () => {
      const contents = [
        { id: 9, quantity: "2", item_price: "20,50", brand: "Acme", colour: "red" },
        "x",
        null,
        { product_id: "sku-12", price: 3 },
        {},
      ];
      const event = purchase({ custom_data: { value: 1, currency: "GBP", contents } });
      expect(sent(event).custom_data.contents).toEqual([
        { id: "9", quantity: 2, item_price: 20.5, brand: "Acme" },
        { id: "sku-12", item_price: 3 },
      ]);
      expect(findings(event)).toContain("custom_data.contents[].colour field_unknown");
    });

    it("sends travel fields", () => {
      const travel = {
        checkin_date: "2026-12-01",
        num_adults: "2",
        destination_airport: "LHR",
        suggested_hotels: ["h1"],
      };
      expect(sent(purchase({ event_name: "SEARCH", custom_data: travel })).custom_data).toEqual({
        ...travel,
        num_adults: 2,
      });
      const event = purchase({ event_name: "SEARCH", custom_data: { checkin_date: "1 December" } });
      expect(findings(event)).toEqual(["custom_data.checkin_date date_unreadable"]);
    });

    it("reads v2 and pixel names where the right one is absent", () => {
      const event = purchase({ custom_data: { price: 5, currency: "GBP", transaction_id: "T-1", item_ids: ["a"] } });
      expect(sent(event).custom_data).toEqual({ value: 5, currency: "GBP", order_id: "T-1", content_ids: ["a"] });
      expect(findings(event)).toContain("custom_data.value field_renamed");
      const both = purchase({ custom_data: { value: 1, price: 5, currency: "GBP" } });
      expect(sent(both).custom_data.value).toBe(1);
    });

    it.each([true, {}, [], Number.NaN])("takes %j for no text", (content_name) => {
      const event = purchase({ custom_data: { value: 1, currency: "GBP", content_name } });
      expect(sent(event).custom_data).toEqual({ value: 1, currency: "GBP" });
      expect(findings(event)).toEqual(["custom_data.content_name field_wrong_type"]);
    });

    it("leaves out unknown fields and names them, without showing a name that is an address", () => {
      const event = purchase({ custom_data: { value: 1, currency: "GBP", colour: "red", "jane@example.com": 1 } });
      expect(sent(event).custom_data).toEqual({ value: 1, currency: "GBP" });
      expect(findings(event)).toEqual(["custom_data.colour field_unknown", "custom_data.(other) field_unknown"]);
    });

    it("sends plain values of custom_fields only", () => {
      const custom_fields = { plan: "gold", seats: 3, trial: false, deep: { a: 1 }, mail: "jane@example.com" };
      const event = purchase({ custom_data: { value: 1, currency: "GBP", custom_fields } });
      expect(sent(event).custom_data.custom_fields).toEqual({ plan: "gold", seats: 3, trial: false });
    });
  });

  describe("personal data in plain fields", () => {
    it.each(["jane@example.com", "mail JANE%40example.com now", "jané@exämple.de", "+44 7700 900123"])(
      "leaves out a search for %s",
      (search_string) => {
        const event = purchase({ event_name: "SEARCH", custom_data: { search_string } });
        expect(sent(event).custom_data).toBeUndefined();
        expect(findings(event)).toEqual(["custom_data.search_string field_personal_data"]);
      },
    );

    it.each(["@home decor", "2 @ 5", "order 7700900123"])("keeps a search for %s", (search_string) => {
      expect(sent(purchase({ event_name: "SEARCH", custom_data: { search_string } })).custom_data).toEqual({
        search_string,
      });
    });

    it("never shows a value in an issue", () => {
      const event = purchase({
        user_data: { em: "no-address", ph: "12", madid: "x", client_ip_address: "nowhere", fn: "" },
        custom_data: { value: "x9x9", currency: "q9q9", content_name: "jane@example.com" },
      });
      const text = JSON.stringify(prepareEvent(event, OPTIONS).issues);
      for (const value of ["no-address", "nowhere", "x9x9", "q9q9", "jane@"]) expect(text).not.toContain(value);
    });
  });

  describe("identifiers", () => {
    it.each([
      [{ em: "jane@example.com" }],
      [{ ph: "+447700900123" }],
      [{ client_ip_address: "2001:db8::1", client_user_agent: "UA/1" }],
    ])("%j are enough", (user_data) => {
      expect(refusal(purchase({ user_data }))).toBeUndefined();
    });

    it.each([
      [{}],
      [{ fn: "Jane", ln: "Doe", external_id: "u1", sc_click_id: "x", sc_cookie1: "y" }],
      [{ client_ip_address: "203.0.113.9" }],
      [{ em: "null" }],
      [{ em: "" }],
      [null],
    ])("%j are not", (user_data) => {
      expect(refusal(purchase({ user_data }))).toBe("identifiers_missing");
    });

    it("says why an identifier was left out, and keeps the event", () => {
      const event = purchase({ user_data: { em: ["jane@example.com", "JANE@example.com "], ph: "07700 900123" } });
      expect(sent(event, { defaultCountry: undefined }).user_data).toEqual({ em: [sha256Hex("jane@example.com")] });
      expect(findings(event, { defaultCountry: undefined })).toEqual(["user_data.ph phone_without_country"]);
    });

    it("takes the click id of the address where the event has none", () => {
      const url = "https://shop.example/?ScCid=AbC-1";
      expect(sent(purchase({ event_source_url: url })).user_data.sc_click_id).toBe("AbC-1");
      const own = purchase({ event_source_url: url, user_data: { em: "jane@example.com", sc_click_id: "Own" } });
      expect(sent(own).user_data.sc_click_id).toBe("Own");
    });

    it.each([
      ["203.0.113.24, 10.0.0.1", "203.0.113.24"],
      ["unknown, 203.0.113.24", "203.0.113.24"],
      ["203.0.113.24:443", "203.0.113.24"],
      ["[2001:db8::1]:443", "2001:db8::1"],
      ["::ffff:203.0.113.24", "203.0.113.24"],
      ["2001:DB8::1", "2001:db8::1"],
      ["fe80::1%eth0", "fe80::1"],
    ])("reads the address %s", (given, address) => {
      const event = purchase({ user_data: { em: "jane@example.com", client_ip_address: given } });
      expect(sent(event).user_data.client_ip_address).toBe(address);
    });

    it.each([
      "300.1.1.1",
      "1.2.3",
      ":::",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "1..2.3",
      "01.2.3.4",
      "unknown",
      " , ",
      ".1.2.3.4",
      "2001:db8::g",
      "19e36255972107d42b8cecb77ef5622e842e8a50778a6ed8dd1ce94732daca9e",
    ])("takes %s for no address", (client_ip_address) => {
      const event = purchase({ user_data: { em: "jane@example.com", client_ip_address } });
      expect(findings(event)).toEqual(["user_data.client_ip_address ip_unreadable"]);
    });

    it("keeps device ids to apps", () => {
      const user_data = { em: "jane@example.com", madid: "38400000-8cf0-11bd-b23e-10b96e40000d", idfv: "x" };
      const event = purchase({ user_data });
      expect(Object.keys(sent(event).user_data)).toEqual(["em"]);
      expect(findings(event)).toEqual(["user_data.madid device_id_off_app", "user_data.idfv device_id_off_app"]);
    });
  });

  describe("events from apps", () => {
    it("carry sixteen slots and a plain ad id", () => {
      const event = sent(appOpen());
      expect(event.user_data).toEqual({ madid: "38400000-8cf0-11bd-b23e-10b96e40000d" });
      expect(event.app_data).toEqual({
        app_id: "net.example.game",
        advertiser_tracking_enabled: 1,
        extinfo: ["a2", "", "", "", "15", ...Array(11).fill("")],
      });
    });

    it("fill short lists, cut long ones and read numbers", () => {
      const app_data = { app_id: 1, advertiser_tracking_enabled: true, extinfo: ["i2", "net.example", 1, "1.2", 17.2] };
      expect(sent(appOpen({ app_data })).app_data.extinfo).toEqual([
        "i2",
        "net.example",
        "1",
        "1.2",
        "17.2",
        ...Array(11).fill(""),
      ]);
      const long = { ...app_data, extinfo: [...app_data.extinfo, ...Array(20).fill("x")] };
      expect(sent(appOpen({ app_data: long })).app_data.extinfo).toHaveLength(16);
      expect(findings(appOpen({ app_data: long }))).toEqual(["app_data.extinfo extinfo_cut"]);
    });

    it("are refused without what Snapchat requires", () => {
      const { app_data } = appOpen() as { app_data: Record<string, unknown> };
      expect(refusal(appOpen({ app_data: undefined }))).toBe("app_data_missing");
      expect(refusal(appOpen({ app_data: { ...app_data, app_id: "" } }))).toBe("app_id_missing");
      expect(refusal(appOpen({ app_data: { ...app_data, extinfo: undefined } }))).toBe("extinfo_incomplete");
      expect(refusal(appOpen({ app_data: { ...app_data, extinfo: { platform: "android" } } }))).toBe(
        "extinfo_incomplete",
      );
    });

    it("take an Android app's package name for its id", () => {
      const app_data = {
        advertiser_tracking_enabled: 1,
        extinfo: { platform: "android", osVersion: "15", packageName: "net.example" },
      };
      expect(sent(appOpen({ app_data })).app_data.app_id).toBe("net.example");
      expect(refusal(appOpen({ app_data: { ...app_data, extinfo: { ...app_data.extinfo, platform: "ios" } } }))).toBe(
        "app_id_missing",
      );
    });

    it("claim no consent to tracking that nobody gave", () => {
      const app_data = { app_id: "1", extinfo: { platform: "ios", osVersion: "18" } };
      const event = appOpen({
        app_data,
        user_data: {
          em: "jane@example.com",
          madid: "38400000-8cf0-11bd-b23e-10b96e40000d",
          idfv: "38400000-8cf0-11bd-b23e-10b96e40000e",
        },
      });
      expect(sent(event).app_data.advertiser_tracking_enabled).toBe(0);
      expect(Object.keys(sent(event).user_data)).toEqual(["em", "idfv"]);
      expect(findings(event)).toEqual([
        "app_data.advertiser_tracking_enabled tracking_assumed_denied",
        "user_data.madid device_id_without_consent",
      ]);
      expect(sent(event, { attStatus: "authorized" }).user_data.madid).toBeDefined();
      expect(sent(event, { attStatus: "denied" }).app_data.advertiser_tracking_enabled).toBe(0);
    });

    it("have app_data, others do not", () => {
      const event = purchase({ app_data: { app_id: "1" } });
      expect(sent(event).app_data).toBeUndefined();
      expect(findings(event)).toEqual(["app_data app_data_off_app"]);
    });
  });

  describe("limited use", () => {
    it("is said only where it is asked for", () => {
      expect(sent(purchase()).data_processing_options).toBeUndefined();
      expect(sent(purchase(), { limitedUse: true }).data_processing_options).toEqual(["LMU"]);
      expect(sent(purchase(), { limitedUse: true, limitedUseSpelling: "LDU" }).data_processing_options).toEqual([
        "LDU",
      ]);
      for (const nothing of [[], "", "[]", false, [null, false, ""]]) {
        expect(sent(purchase({ data_processing_options: nothing })).data_processing_options).toBeUndefined();
      }
    });

    it.each([[["LMU"]], ["['lmu']"], [["LDU"]], ["LMU"], [[7]]])("is read from %j", (data_processing_options) => {
      expect(sent(purchase({ data_processing_options })).data_processing_options).toEqual(["LMU"]);
    });

    it("does not send a request to delete", () => {
      expect(refusal(purchase({ data_processing_options: ["DELETE"] }))).toBe("deletion_refused");
    });
  });

  describe("settings", () => {
    it("let only listed fields leave, and what Snapchat requires", () => {
      const event = purchase({
        user_data: { em: "jane@example.com", fn: "Jane" },
        event_source_url: "https://shop.example/?ScCid=a",
      });
      const { user_data, custom_data } = sent(event, { allowFields: ["user_data.em"] });
      expect(Object.keys(user_data)).toEqual(["em"]);
      expect(custom_data).toEqual({ value: 64.5, currency: "GBP" });
      expect(Object.keys(sent(event, { allowFields: ["user_data", "custom_data"] }).user_data)).toEqual([
        "em",
        "fn",
        "sc_click_id",
      ]);
    });

    it("let what an app event needs leave, and nothing else of its app", () => {
      const app_data = { ...(appOpen().app_data ?? {}), install_referrer: "utm", campaign_ids: ["c"] };
      expect(Object.keys(sent(appOpen({ app_data })).app_data)).toEqual([
        "app_id",
        "advertiser_tracking_enabled",
        "extinfo",
        "campaign_ids",
        "install_referrer",
      ]);
      expect(Object.keys(sent(appOpen({ app_data }), { allowFields: ["user_data"] }).app_data)).toEqual([
        "app_id",
        "advertiser_tracking_enabled",
        "extinfo",
      ]);
      const some = sent(appOpen({ app_data }), { allowFields: ["user_data", "app_data.campaign_ids"] }).app_data;
      expect(Object.keys(some)).toHaveLength(4);
    });

    it("name the platform and mark tests", () => {
      expect(sent(purchase({ integration: "other" })).integration).toBe("example-cdp");
      expect(sent(purchase(), { testEventCode: "t1" }).test_event_code).toBe("t1");
    });

    it("strict rejects what repair would fix, and lets warnings pass", () => {
      expect(refusal(purchase({ event_name: "AddToCart" }), { policy: "strict" })).toBe("event_name_respelled");
      expect(refusal(purchase({ user_data: { em: "jane@example.com", ph: "x" } }), { policy: "strict" })).toBe(
        "not_a_phone",
      );
      expect(refusal(purchase({ event_id: undefined }), { policy: "strict" })).toBeUndefined();
    });
  });

  describe("bad input", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    it.each([
      [undefined, "event_not_an_object"],
      [null, "event_not_an_object"],
      ["PURCHASE", "event_not_an_object"],
      [[purchase()], "event_not_an_object"],
      [purchase({ custom_data: { value: 1, currency: "GBP", custom_fields: cycle } }), "event_too_large"],
      [
        purchase({ custom_data: { value: 1, currency: "GBP", content_name: "x".repeat(1_100_000) } }),
        "event_too_large",
      ],
      [purchase({ custom_data: { value: 1, currency: "GBP", content_ids: Array(60_000).fill(1) } }), "event_too_large"],
      [
        Object.defineProperty(purchase(), "event_name", {
          enumerable: true,
          get: () => {
            throw new Error("no");
          },
        }),
        "event_unreadable",
      ],
    ])("%# is refused, not thrown", (event, reason) => {
      expect(refusal(event)).toBe(reason);
    });

    it("reads nothing from a prototype and writes to none", () => {
      const event = purchase({
        custom_data: JSON.parse(
          '{"value":1,"currency":"GBP","__proto__":{"polluted":1},"custom_fields":{"__proto__":"x","constructor":"y"}}',
        ),
      });
      expect(sent(event).custom_data.custom_fields).toEqual(JSON.parse('{"__proto__":"x","constructor":"y"}'));
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });

    it("mends half a surrogate pair", () => {
      const text = sent(
        purchase({ custom_data: { value: 1, currency: "GBP", content_name: "hat \ud83d" } }),
      ).custom_data;
      expect(text.content_name).toBe("hat \ufffd");
      expect(sent(purchase({ event_id: 'a\\ud83d"\n' })).event_id).toBe('a\\ud83d"\n');
    });
  });
});

describe("validate", () => {
  it("answers the event to send and the issues", () => {
    const result = validate(purchase({ event_name: "AddToCart" }), { nowMs: NOW_MS });
    expect(result).toMatchObject({
      ok: true,
      event: { event_name: "ADD_CART" },
      issues: [{ path: "event_name", code: "event_name_respelled", severity: "repaired" }],
    });
    expect(result.issues[0]?.fix).toBeTruthy();
  });

  it("lists everything that is wrong, not only the first", () => {
    const result = validate(purchase({ event_name: "Nope", event_time: "soon", custom_data: {}, user_data: {} }), {
      nowMs: NOW_MS,
    });
    expect(result.ok).toBe(false);
    expect(result.issues.map(({ code }) => code)).toEqual([
      "event_name_unknown",
      "event_time_invalid",
      "identifiers_missing",
    ]);
  });
});
