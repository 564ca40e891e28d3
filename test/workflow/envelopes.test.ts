import { describe, expect, it } from "vitest";
import { defineSource, sources } from "../../src/workflow/index.ts";

const segment = (event: object) => sources.segment.read(event);
const rudder = (event: object) => sources.rudderstack.read(event);

describe("the Segment source", () => {
  const track = {
    type: "track",
    event: "Order Completed",
    messageId: "m-1",
    userId: "u-1",
    anonymousId: "a-1",
    timestamp: "2026-11-20T00:00:00.000Z",
    receivedAt: "2026-11-20T00:00:02.000Z",
    properties: {
      order_id: "SO-1",
      products: [{ product_id: "p-1", sku: "s-1", price: "12.50", quantity: 2, brand: "Fjell" }],
    },
    context: {
      ip: "203.0.113.7",
      userAgent: "ExampleBrowser/9.1",
      page: { url: "https://shop.example/thanks", search: "?ScCid=AbC", referrer: "https://search.example/" },
      traits: {
        email: "a@example.org",
        firstName: "Isla",
        address: { city: "London", postalCode: "N1 9GU", country: "GB" },
      },
      library: { name: "analytics.js" },
    },
    integrations: { All: true, "Snap Conversions Api": { uuid_c1: "scid-1", click_id: "click-1" } },
  };

  it("reads ids, times, camel case and nested traits, products and context", () => {
    expect(segment(track)).toMatchObject({
      source: "segment",
      name: "Order Completed",
      kind: "track",
      id: "m-1",
      timeMs: 1_795_132_800_000,
      carriedTimeMs: 1_795_132_802_000,
      ids: { userId: "u-1", anonymousId: "a-1" },
      traits: { email: "a@example.org", first_name: "Isla", city: "London", zip: "N1 9GU", country: "GB" },
      products: [{ id: "p-1", sku: "s-1", price: 12.5, quantity: 2, brand: "Fjell" }],
      context: { ip: "203.0.113.7", clickId: "click-1", cookie1: "scid-1", channel: "web" },
      audiences: [],
      issues: [],
    });
  });

  it("finds the click id in the page's query where no plugin left one", () => {
    expect(segment({ ...track, integrations: {} }).context.clickId).toBe("AbC");
  });

  it("reads a flat product as a list of one", () => {
    const event = segment({
      type: "track",
      event: "Product Added",
      properties: { product_id: 7, price: 3, cart_id: "c" },
    });
    expect(event.products).toEqual([{ id: "7", price: 3 }]);
  });

  it("finds mail and phone in properties where traits have none", () => {
    expect(segment({ type: "track", event: "x", properties: { email: "p@example.org" } }).traits.email).toBe(
      "p@example.org",
    );
  });

  it.each([
    ["page", "page", "web"],
    ["screen", "screen", "mobile"],
    ["identify", "identify", undefined],
    ["group", "group", undefined],
    ["alias", "other", undefined],
  ])("a %s call is of kind %s", (type, kind, channel) => {
    expect(segment({ type, name: "Home" })).toMatchObject({ name: type, kind });
    expect(segment({ type, name: "Home" }).context.channel).toBe(channel);
  });

  it("reads an app's device, system and tracking answer", () => {
    const { context } = segment({
      type: "track",
      event: "Application Opened",
      context: {
        library: { name: "analytics-ios" },
        app: { namespace: "net.example.shop", version: "4.2", build: 42 },
        device: { id: "V-1", advertisingId: "AD-1", adTrackingEnabled: false, model: "iPhone16,1" },
        os: { name: "iOS", version: "18.1" },
        screen: { width: 390, height: 844 },
        network: { carrier: "ExampleTel" },
        locale: "en-GB",
        timezone: "Europe/London",
      },
    });
    expect(context).toEqual({
      channel: "mobile",
      app: { id: "net.example.shop", version: "4.2", build: "42" },
      device: { id: "V-1", advertisingId: "AD-1", trackingEnabled: false, model: "iPhone16,1" },
      os: { name: "iOS", version: "18.1" },
      screen: { width: 390, height: 844 },
      carrier: "ExampleTel",
      locale: "en-GB",
      timezone: "Europe/London",
    });
  });

  it.each([
    [3, true],
    ["authorized", true],
    [2, false],
    [1, false],
    ["denied", false],
    ["restricted", false],
    [0, undefined],
    ["not_determined", undefined],
  ])("takes Apple's answer to tracking, %j", (attTrackingStatus, trackingEnabled) => {
    const { context } = segment({ type: "track", event: "x", context: { device: { attTrackingStatus } } });
    expect(context.device?.trackingEnabled).toBe(trackingEnabled);
  });

  it.each<[object, string | undefined]>([
    [{ channel: "browser" }, "web"],
    [{ channel: "SERVER" }, "server"],
    [{ channel: "sources" }, undefined],
    [{ context: { channel: "mobile" } }, "mobile"],
    [{ context: { library: { name: "analytics.js" } } }, "web"],
    [{ context: { library: { name: "analytics-react-native" } } }, "mobile"],
    [{ context: { library: { name: "analytics-node" } } }, undefined],
    [{ context: { device: { type: "iOS" } } }, "mobile"],
    [{ context: { device: { type: "kiosk" } } }, undefined],
    [{ context: { page: { url: "https://shop.example/" } } }, "web"],
  ])("knows where %j came from", (call, channel) => {
    expect(segment({ type: "track", event: "x", ...call }).context.channel).toBe(channel);
  });

  it("refuses a category the consent object does not name, and enforces nothing without the object", () => {
    const consent = (categoryPreferences: unknown) =>
      segment({ type: "track", event: "x", context: { consent: { categoryPreferences } } }).consent;
    expect(consent({ Advertising: true, Analytics: false })).toEqual({
      Advertising: true,
      Analytics: false,
      "*": false,
    });
    expect(consent({})).toEqual({ "*": false });
    expect(consent(undefined)).toBeUndefined();
  });

  it("says that a timestamp is unreadable, and takes the time of sending", () => {
    const event = segment({ type: "track", event: "x", timestamp: "soon", sentAt: "2026-11-20T00:00:00Z" });
    expect(event.timeMs).toBe(1_795_132_800_000);
    expect(event.issues.map(({ code }) => code)).toEqual(["time_unreadable"]);
  });
});

describe("Segment audiences", () => {
  const personas = { computation_class: "audience", computation_key: "vip", computation_id: "aud_1", space_id: "s" };

  it.each<[string, object, object[]]>([
    [
      "entered, by name",
      { type: "track", event: "Audience Entered", properties: { audience_key: "vip", vip: true } },
      [{ key: "vip", op: "add" }],
    ],
    [
      "exited, by name",
      { type: "track", event: "Audience Exited", properties: { audience_key: "vip", vip: false } },
      [{ key: "vip", op: "remove" }],
    ],
    [
      "renamed: what stands under the key decides",
      { type: "track", event: "Left the club", properties: { audience_key: "vip", vip: false } },
      [{ key: "vip", op: "remove" }],
    ],
    [
      "the text false is no entry",
      { type: "track", event: "Audience Entered", properties: { audience_key: "vip", vip: "false" } },
      [{ key: "vip", op: "remove" }],
    ],
    [
      "only the name says it",
      { type: "track", event: "Audience Exited", properties: { audience_key: "vip" } },
      [{ key: "vip", op: "remove" }],
    ],
    [
      "identify with a trait",
      { type: "identify", traits: { email: "a@example.org", vip: true }, context: { personas } },
      [{ key: "vip", op: "add" }],
    ],
    [
      "identify, trait false",
      { type: "identify", traits: { vip: false }, context: { personas } },
      [{ key: "vip", op: "remove" }],
    ],
    [
      "a journey's step",
      { type: "track", event: "Journey", properties: { j_o_step_2: "true" } },
      [{ key: "j_o_step_2", op: "add" }],
    ],
    ["a journey's trait", { type: "identify", traits: { j_o_step_2: true } }, [{ key: "j_o_step_2", op: "add" }]],
    ["an ordinary trait that is true", { type: "identify", traits: { newsletter: true } }, []],
    [
      "a computed trait that is no audience",
      {
        type: "identify",
        traits: { score: true },
        context: { personas: { computation_class: "trait", computation_key: "score" } },
      },
      [],
    ],
    ["no key at all", { type: "track", event: "Audience Entered", properties: {} }, [{ key: "", op: "add" }]],
  ])("%s", (_, event, audiences) => expect(segment(event).audiences).toEqual(audiences));

  it("reads the person wherever the form puts them", () => {
    const event = segment({
      type: "track",
      event: "Audience Entered",
      properties: { audience_key: "vip", vip: true },
      context: { traits: { email: "a@example.org" } },
    });
    expect(event).toMatchObject({ kind: "audience", traits: { email: "a@example.org" } });
  });
});

describe("the RudderStack source", () => {
  it("reads what differs from Segment: request_ip, channel, external ids, spellings", () => {
    const event = rudder({
      type: "track",
      event: "Order Completed",
      channel: "web",
      request_ip: "203.0.113.9",
      properties: { uuid_c1: "scid-1", click_id: "click-1" },
      context: {
        app: { name: "RudderLabs JavaScript SDK", namespace: "com.rudderlabs.javascript", version: "3" },
        externalId: [{ type: "crmId", id: 42 }],
        traits: { firstname: "Isla", lastName: "Taylor", zipcode: "N1 9GU", state: "England" },
      },
    });
    expect(event).toMatchObject({
      ids: { external: { crmId: "42" } },
      traits: { first_name: "Isla", last_name: "Taylor", zip: "N1 9GU", state: "England" },
      context: { ip: "203.0.113.9", channel: "web", clickId: "click-1", cookie1: "scid-1" },
    });
  });

  it("reads allowed and denied consent ids, and leaves the others open", () => {
    const consentManagement = {
      allowedConsentIds: ["C01", { id: "C02" }],
      deniedConsentIds: ["C03"],
      provider: "oneTrust",
    };
    expect(rudder({ type: "track", event: "x", context: { consentManagement } }).consent).toEqual({
      C01: true,
      C02: true,
      C03: false,
    });
    expect(rudder({ type: "track", event: "x", consentManagement }).consent).toEqual({
      C01: true,
      C02: true,
      C03: false,
    });
  });

  it("reads an audience list of many people", () => {
    const event = rudder({
      type: "audiencelist",
      properties: {
        listData: { add: [{ email: "a@example.org", firstName: "A" }], remove: [{ phone: "+447700900000" }] },
      },
      context: { sources: { job_id: "job-7" } },
    });
    expect(event).toMatchObject({
      kind: "audience",
      name: "audiencelist",
      properties: {},
      audiences: [
        { key: "job-7", op: "add", traits: { email: "a@example.org", first_name: "A" } },
        { key: "job-7", op: "remove", traits: { phone: "+447700900000" } },
      ],
    });
  });

  it.each([
    ["insert", [{ key: "job-7", op: "add" }]],
    ["update", [{ key: "job-7", op: "add" }]],
    ["delete", [{ key: "job-7", op: "remove" }]],
    ["upsert", []],
  ])("reads a record of action %s", (action, audiences) => {
    const event = rudder({
      type: "record",
      action,
      recordId: 9,
      fields: { first_name: "A" },
      identifiers: { email: "a@example.org" },
      context: { sources: { job_id: "job-7" } },
    });
    expect(event).toMatchObject({ kind: "audience", audiences, traits: { email: "a@example.org", first_name: "A" } });
    expect(event.issues.map(({ code }) => code)).toEqual(audiences.length ? [] : ["action_unknown"]);
  });
});

describe("defineSource", () => {
  const acme = defineSource({
    name: "acme",
    read: (event: { what: string; basket?: unknown; at?: unknown }) => ({
      name: event.what,
      timeMs: event.at as number,
      properties: { value: 3 },
      products: event.basket as never,
      audiences: [
        { key: "vip", op: "add" },
        { key: "new", op: "remove" },
        { key: "old", op: "leave" },
        { key: 7 },
        null,
      ] as never,
    }),
  });

  it("fills in what the host's reader leaves out and drops what is no part of an event", () => {
    expect(acme.read({ what: "sold", basket: [{ product_id: 1, price: "2,50" }], at: "late" })).toEqual({
      source: "acme",
      name: "sold",
      kind: "track",
      ids: { external: {} },
      traits: {},
      properties: { value: 3 },
      products: [{ id: "1", price: 2.5 }],
      context: {},
      audiences: [
        { key: "vip", op: "add" },
        { key: "new", op: "remove" },
      ],
      issues: [],
    });
  });

  it("makes a reader that throws or returns nothing an event that is rejected", () => {
    for (const read of [
      () => {
        throw new Error("x");
      },
      () => undefined,
    ]) {
      expect(defineSource({ name: "bad", read: read as never }).read({}).name).toBe("");
    }
  });
});
