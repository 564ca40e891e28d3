import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clickIdOf, parseTime, sources } from "../../src/workflow/index.ts";

const read = (event: object) => sources.customerlabs.read(event);

describe("the CustomerLabs source", () => {
  const wrapped = {
    event: "Purchased",
    customProperties: {
      user_traits: {
        t: "Object",
        v: {
          email: "A@Example.org",
          phone: "07700 900123",
          first_name: "Isla",
          country: "United Kingdom",
          country_code: "GB",
        },
      },
      external_ids: { t: "Object", v: { customerlabs_user_id: "cl-1", snapchat__scid: "opaque_Scid-1" } },
      page_url: { t: "string", v: "https://shop.example/thanks?ScCid=AbC-1" },
      value: { t: "string", v: "64.50" },
      currency: { t: "string", v: "GBP" },
      transaction_id: { t: "string", v: "SO-1" },
      skip_contents: true,
      tags: { t: "array", v: ["a", "b"] },
    },
    productProperties: [
      {
        product_id: { t: "string", v: "sku-1" },
        product_price: { t: "number", v: 20 },
        product_quantity: { t: "string", v: "2" },
        product_imageURL: { t: "string", v: "https://shop.example/1.jpg" },
        product_colour: { t: "string", v: "red" },
      },
    ],
  };
  const bare = {
    event: "Purchased",
    customProperties: {
      user_traits: {
        email: "A@Example.org",
        phone: "07700 900123",
        first_name: "Isla",
        country: "United Kingdom",
        country_code: "GB",
      },
      external_ids: { customerlabs_user_id: "cl-1", snapchat__scid: "opaque_Scid-1" },
      url: "https://shop.example/thanks?ScCid=AbC-1",
      value: "64.50",
      currency: "GBP",
      transaction_id: "SO-1",
      skip_contents: true,
      tags: ["a", "b"],
    },
    productProperties: [
      {
        product_id: "sku-1",
        product_price: 20,
        product_quantity: 2,
        product_image_url: "https://shop.example/1.jpg",
        product_colour: "red",
      },
    ],
  };

  it("reads leaves with and without their wrapper to the same event", () => {
    const [a, b] = [read(wrapped), read(bare)];
    expect({ ...a, properties: { ...a.properties, page_url: 0 } }).toEqual({
      ...b,
      properties: { ...b.properties, page_url: 0, url: undefined },
    });
    expect(a.products).toEqual([
      { id: "sku-1", price: 20, quantity: 2, image_url: "https://shop.example/1.jpg", colour: "red" },
    ]);
    expect(a.traits).toEqual({ email: "A@Example.org", phone: "07700 900123", first_name: "Isla", country: "GB" });
    expect(a.ids).toEqual({
      anonymousId: "cl-1",
      external: { customerlabs_user_id: "cl-1", snapchat__scid: "opaque_Scid-1" },
    });
    expect(a.context).toMatchObject({ clickId: "AbC-1", cookie1: "opaque_Scid-1" });
    expect(a.properties).toMatchObject({ value: "64.50", skip_contents: true, tags: ["a", "b"] });
  });

  it.each([
    ["beside the traits, bare", { identify_by_email: "b@example.org" }],
    ["beside the traits, marked", { identify_by_email: { t: "string", v: "b@example.org", ib: true } }],
    ["among the external ids", { external_ids: { identify_by_email: { t: "string", v: "b@example.org", ib: true } } }],
  ])("finds the identifier that identifies %s", (_, customProperties) => {
    expect(read({ event: "x", customProperties }).traits.email).toBe("b@example.org");
  });

  it("prefers the trait to the identifier that merely finds the user", () => {
    const customProperties = { user_traits: { email: "a@example.org" }, identify_by_email: "b@example.org" };
    expect(read({ event: "x", customProperties }).traits.email).toBe("a@example.org");
  });

  it("takes a shop's customer id before the anonymous one", () => {
    const { ids } = read({
      event: "x",
      customProperties: { user_traits: { bc_customer_id: 77 }, external_ids: { customerlabs_user_id: "cl-1" } },
    });
    expect(ids).toMatchObject({ userId: "77", anonymousId: "cl-1" });
  });

  it("routes on the name and never on the calling method", () => {
    expect(read({ event: "Product viewed", method: "pageview" }).kind).toBe("track");
    expect(read({ method: "pageview" })).toMatchObject({ name: "pageview", kind: "page" });
    expect(read({ event: "Create user" }).kind).toBe("identify");
    expect(read({ event: "create_or_update_group" }).kind).toBe("group");
  });

  it.each([
    [
      { ad_storage: "granted", analytics_storage: "denied" },
      { ad_storage: true, analytics_storage: false },
    ],
    [{ ad_storage: true }, { ad_storage: true }],
    [{ ad_storage: { t: "string", v: "granted" } }, { ad_storage: true }],
    [{ ad_storage: "unknown" }, {}],
  ])("reads consent as words, flags or wrapped: %j", (consent, expected) => {
    expect(read({ event: "x", consent }).consent).toEqual(expected);
    expect(read({ event: "x", customProperties: { consent } }).consent).toEqual(expected);
  });

  it("has no time of its own unless the event carries one", () => {
    expect(read({ event: "x" }).timeMs).toBeUndefined();
    expect(read({ event: "x", timestamp: "2026-11-20T00:00:00Z" }).timeMs).toBe(1_795_132_800_000);
    expect(read({ event: "x", received_at: 1_795_132_800 })).toMatchObject({
      timeMs: 1_795_132_800_000,
      carriedTimeMs: 1_795_132_800_000,
    });
  });

  it.each(["segment_name", "segment", "audience_name", "audience", "list_name"])(
    "finds the segment under %s",
    (key) => {
      for (const value of ["vip", { t: "string", v: "vip" }]) {
        const event = read({ event: "added_to_segment", customProperties: { [key]: value } });
        expect(event).toMatchObject({ kind: "audience", audiences: [{ key: "vip", op: "add" }] });
      }
    },
  );

  it("reads a segment given as an object, and several", () => {
    const one = read({ event: "Removed From Segment", customProperties: { segment: { id: 7, name: "VIP" } } });
    expect(one.audiences).toEqual([{ key: "7", name: "VIP", op: "remove" }]);
    const two = read({ event: "added_to_segment", customProperties: { segments: ["a", "b"] } });
    expect(two.audiences.map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("keeps what it does not know as it is, and invents nothing", () => {
    const event = read({
      event: "Purchased",
      user_id: "u-1",
      customProperties: { size: { v: 9, unit: "cm" }, user_traits: { email: "a@example.org" }, note: null },
    });
    expect(event.properties).toEqual({ size: { v: 9, unit: "cm" } });
    expect(event.ids).toMatchObject({ userId: "u-1" });
    expect(event).not.toHaveProperty("timeMs");
    expect(event).not.toHaveProperty("id");
    expect(read({ customProperties: {} })).toMatchObject({ name: "", kind: "track", ids: { external: {} } });
    expect(read({ method: "pageview" })).toMatchObject({ name: "pageview", kind: "page" });
  });

  it("says where a membership event names no segment", () => {
    const event = read({ event: "added_to_segment", customProperties: {} });
    expect(event.audiences).toEqual([{ key: "", op: "add" }]);
    expect(event.issues.map(({ code }) => code)).toEqual(["segment_missing"]);
  });

  it("reads a whole shop's day without one event it cannot name", () => {
    const file = readFileSync(new URL("../../examples/data/shop-day.ndjson", import.meta.url), "utf8");
    const events = file
      .trim()
      .split("\n")
      .map((line) => read((JSON.parse(line) as { event: object }).event));
    expect(events.filter(({ name }) => name === "")).toEqual([]);
    expect(events.flatMap(({ issues }) => issues)).toEqual([]);
    expect(events.every(({ context }) => context.url?.startsWith("https://"))).toBe(true);
  });
});

describe("parseTime", () => {
  it.each<[unknown, number | undefined]>([
    ["2026-11-20T00:00:00.000Z", 1_795_132_800_000],
    ["2026-11-20T01:00:00+01:00", 1_795_132_800_000],
    ["2026-11-20T01:00:00+0100", 1_795_132_800_000],
    ["2026-11-20 00:00:00", 1_795_132_800_000],
    ["2026-11-20", 1_795_132_800_000],
    [1_795_132_800, 1_795_132_800_000],
    ["1795132800", 1_795_132_800_000],
    [1_795_132_800_000, 1_795_132_800_000],
    [new Date(1_795_132_800_000), 1_795_132_800_000],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000],
    ["10000-01-01T00:00:00Z", undefined],
    ["20 November 2026", undefined],
    ["2026", undefined],
    [Number.NaN, undefined],
    [1e300, undefined],
    [{}, undefined],
  ])("%j", (text, ms) => expect(parseTime(text)).toBe(ms));
});

describe("clickIdOf", () => {
  const uuid = "13fa79de-ccea-4949-Ab75-EAFB03A35901";

  it.each([
    [`https://shop.example/?utm=1&ScCid=${uuid}#top`, uuid],
    [`?sccid=${uuid}`, uuid],
    [`https://shop.example/#/p?SCCID=${uuid}`, uuid],
    [`https://shop.example/r?to=https%3A%2F%2Fx.example%2F%3FScCid%3D${uuid}%26a%3D1`, uuid],
    [`https://shop.example/r?to=%253FScCid%253D${uuid}`, uuid],
    ["https://shop.example/?ScCid=a%20b", "a b"],
    ["https://shop.example/?ScCid=%E0%A4%A", "%E0%A4%A"],
    ["https://shop.example/?other=1", undefined],
    [undefined, undefined],
  ])("%s", (url, expected) => expect(clickIdOf(url)).toBe(expected));
});
