import { describe, expect, it } from "vitest";
import { channelAvailability, defineSource, parseTime, presets, sources } from "../../src/workflow/index.ts";
import { readPaths } from "../../src/workflow/origin.ts";
import { remembered } from "../../src/workflow/sources/read.ts";

const { segment, rudderstack, customerlabs } = sources;

describe("what a reader takes and what it leaves", () => {
  it("is the whole of what a host's own reader knows, and no key of what it does not", () => {
    const known = { id: "e-1", browserId: "b-1", timeMs: 1_000, carriedTimeMs: 2_000 };
    const acme = defineSource({ name: "acme", read: (event: object) => ({ name: "sold", ...event }) });
    expect(acme.read(known)).toMatchObject(known);
    const person = {
      traits: { email: "a@example.org" },
      context: { url: "https://shop.example/" },
      consent: { ads: true },
    };
    expect(acme.read(person)).toMatchObject(person);
    for (const given of [{}, { id: "", browserId: {}, timeMs: Number.NaN, carriedTimeMs: "soon", products: null }]) {
      expect(acme.read(given)).toStrictEqual({
        ...{ source: "acme", name: "sold", kind: "track", ids: { external: {} }, traits: {}, properties: {} },
        ...{ products: [], context: {}, audiences: [], issues: [] },
      });
    }
  });

  it("says what is wrong with an envelope, and how to mend it", () => {
    const { issues, ids, context } = segment.read({ type: "track", timestamp: "soon" });
    expect(issues.map(({ code }) => code).toSorted()).toEqual(["event_name_missing", "time_unreadable"]);
    for (const { message, fix } of issues) expect([message, fix]).not.toContain("");
    expect(ids).toStrictEqual({ external: {} });
    expect(context).toStrictEqual({});
  });

  it("is the ids and times of an envelope, each only where it is there", () => {
    const bare = segment.read({ type: "track", event: "x" });
    for (const key of ["id", "browserId", "timeMs", "carriedTimeMs"]) expect(bare).not.toHaveProperty(key);
    const full = segment.read({
      ...{ type: "track", event: "x", messageId: "m-1", properties: { snap_event_id: "b-1" } },
      ...{ timestamp: "2026-11-20T00:00:00Z", sentAt: "2026-11-20T00:00:01Z" },
    });
    expect(full).toMatchObject({ id: "m-1", browserId: "b-1", timeMs: 1_795_132_800_000 });
    expect(full.carriedTimeMs).toBe(1_795_132_801_000);
  });

  it("is the first of several spellings, and nothing that is empty", () => {
    const { traits } = segment.read({
      type: "identify",
      traits: {
        email: "",
        mail: "a@example.org",
        Email: "b@example.org",
        phone: null,
        zip: "1",
        postcode: "2",
        vip: true,
      },
    });
    expect(traits).toStrictEqual({ email: "a@example.org", zip: "1", vip: true });
  });

  it("is a product's own keys, flat or in a list", () => {
    const flat = segment.read({
      type: "track",
      event: "Product Viewed",
      properties: { sku: "s", price: "2.5", size: 9 },
    });
    expect(flat.products).toStrictEqual([{ sku: "s", price: 2.5 }]);
    const list = JSON.parse('[{"product_id": 1, "id": 2, "name": null, "__proto__": 3, "quantity": "many"}, null, 4]');
    expect(segment.read({ type: "track", event: "x", properties: { products: list } }).products).toStrictEqual([
      { id: "1" },
    ]);
  });

  it("is what is known of an app", () => {
    const app = { namespace: "net.example", name: "Shop", version: "1", build: 2 };
    expect(segment.read({ type: "track", event: "x", context: { app } }).context.app).toStrictEqual({
      ...{ id: "net.example", name: "Shop", version: "1", build: "2" },
    });
  });

  it("is where a CustomerLabs event came from, and consent that is one", () => {
    const { context, consent } = customerlabs.read({
      event: "Pageview",
      customProperties: {
        page_url: "https://shop.example/",
        referrer: "https://search.example/",
        consent: JSON.parse('{"ads": "granted", "mail": "denied", "cookies": "perhaps", "__proto__": true}'),
      },
    });
    expect(context).toMatchObject({ url: "https://shop.example/", referrer: "https://search.example/" });
    expect(consent).toStrictEqual({ ads: true, mail: false });
  });
});

describe("RudderStack", () => {
  const consentOf = (consentManagement: object) =>
    rudderstack.read({ type: "track", event: "x", context: { consentManagement } }).consent;

  it("says yes and no by lists of ids, in several forms", () => {
    expect(consentOf({ allowedConsentIds: ["ads"] })).toEqual({ ads: true });
    expect(consentOf({ deniedConsentIds: ["ads"] })).toEqual({ ads: false });
    expect(consentOf({ allowedConsentIds: ["ads", "mail"], deniedConsentIds: ["mail"] })).toEqual({
      ...{ ads: true, mail: false },
    });
    expect(
      consentOf({ allowedConsentIds: { marketing: ["ads", { id: "mail" }, {}, null, "__proto__"] } }),
    ).toStrictEqual({
      ...{ ads: true, mail: true },
    });
    expect(consentOf({})).toBeUndefined();
  });

  it("keeps the members of a list out of the event's properties, and nothing else", () => {
    const properties = {
      audience_key: "vip",
      listData: { add: [{ email: "a@example.org" }], remove: [{ email: "b" }] },
    };
    const event = rudderstack.read({ type: "audiencelist", properties });
    expect(event).toMatchObject({ name: "audiencelist", kind: "audience", properties: { audience_key: "vip" } });
    expect(event.properties).not.toHaveProperty("listData");
    expect(event.audiences).toEqual([
      { key: "vip", op: "add", traits: { email: "a@example.org" } },
      { key: "vip", op: "remove", traits: { email: "b" } },
    ]);
  });

  it("knows a person by the ids that have a name and a value", () => {
    const externalId = [{ type: "crm", id: 7 }, { type: "shop" }, { id: 8 }, { type: "__proto__", id: 9 }, null];
    const { ids } = rudderstack.read({ type: "track", event: "x", context: { externalId } });
    expect(ids.external).toStrictEqual({ crm: "7" });
  });

  it("knows a record by its id", () => {
    const { ids } = rudderstack.read({ type: "record", action: "insert", recordId: 7, fields: {} });
    expect(ids.external).toEqual({ record_id: "7" });
  });

  it.each<[unknown, "add" | "remove"]>([
    [undefined, "remove"],
    [true, "add"],
    ["false", "remove"],
  ])("believes what stands under the key before the event's name: %j", (vip, op) => {
    const properties = { audience_key: "vip", ...(vip === undefined ? {} : { vip }) };
    const event = rudderstack.read({ type: "track", event: "Audience Exited", properties });
    expect(event).toMatchObject({ kind: "audience", audiences: [{ key: "vip", op }] });
  });
});

describe("times", () => {
  it.each<[unknown, number | undefined]>([
    ["2026-11-20T00:00:00.500Z", 1_795_132_800_500],
    ["2026-11-20T00:00:00,500Z", 1_795_132_800_500],
    ["20 Nov 2026 00:00:00Z", undefined],
    ["Fri Nov 20 2026 00:00:00", undefined],
    [8.64e15, 8.64e15],
    [8.64e15 + 2, undefined],
    [-1, -1_000],
    ["1795132800.25", 1_795_132_800_250],
  ])("%j", (given, ms) => expect(parseTime(given)).toBe(ms));
});

describe("a preset", () => {
  it("carries its options into the workflow", () => {
    const consent = { names: ["ads", "mail"], absent: "allow" } as const;
    const { defaultCountry, rules } = presets.segment({ defaultCountry: "GB", consent });
    expect(defaultCountry).toBe("GB");
    expect(rules.map((rule) => rule.consent).filter(Boolean)[0]).toEqual(consent);
    expect(presets.segment({ orderId: ["properties.number"] }).orderId).toEqual(["properties.number"]);
    expect(presets.segment({ consent })).not.toHaveProperty("defaultCountry");
  });

  it.each([[null], ["GB"], [7]])("refuses options that are no object: %j", (options) => {
    expect(() => presets.segment(options as never)).toThrow(/^The options of a preset are an object\.$/);
  });

  it("says which option it refuses", () => {
    expect(() => presets.segment({ siteUrl: 7 } as never)).toThrow(
      expect.objectContaining({ details: { option: "siteUrl" } }),
    );
  });
});

it("a rule for an app has no pixel, one for the web has", () => {
  const clientOf = (value: string) => channelAvailability({ to: "PURCHASE", map: { action_source: { value } } }).client;
  expect(clientOf("MOBILE_APP")).toEqual({ available: false, reason: "server_only_app" });
  expect(clientOf("WEB")).toEqual({ available: true });
});

it("a mapping's paths are all it may read, whichever way it goes", () => {
  expect(readPaths({ value: "a.b" })).toEqual([]);
  expect(readPaths({ template: "{a.b} and {c}" })).toEqual(["a.b", "c"]);
  expect(readPaths({ if: { path: "x", op: "exists" }, use: { path: "a" }, else: { path: "b" } })).toEqual(["a", "b"]);
  expect(readPaths({ first: [{ path: "a" }, { path: "a" }, { object: { k: { path: "b" } } }] })).toEqual(["a", "b"]);
});

it("a remembered answer is asked for once, unless the text is long or many came between", () => {
  const asked: string[] = [];
  const answer = remembered((text) => {
    asked.push(text);
    return text.length;
  });
  const long = "x".repeat(201);
  for (const text of ["a", "a", long, long]) expect(answer(text)).toBe(text.length);
  expect(asked).toEqual(["a", long, long]);
  for (let n = 0; n < 1_000; n++) answer(`n${n}`);
  asked.length = 0;
  answer("a");
  expect(asked).toEqual(["a"]);
});
