import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRouter, defineSource, explainRoute, presets, setToggle, sources } from "../../src/workflow/index.ts";

const KEYS = [
  "event",
  "type",
  "customProperties",
  "productProperties",
  "user_traits",
  "external_ids",
  "consent",
  "t",
  "v",
  "ib",
  "properties",
  "products",
  "product_id",
  "product_price",
  "price",
  "quantity",
  "context",
  "traits",
  "page",
  "url",
  "search",
  "integrations",
  "Snapchat",
  "device",
  "app",
  "os",
  "screen",
  "personas",
  "computation_class",
  "computation_key",
  "audience_key",
  "listData",
  "add",
  "remove",
  "action",
  "fields",
  "identifiers",
  "timestamp",
  "userId",
  "messageId",
  "segment_name",
  "segments",
  "categoryPreferences",
  "consentManagement",
  "allowedConsentIds",
  "externalId",
  "sources",
  "job_id",
  "address",
  "__proto__",
  "constructor",
  "toString",
  "length",
];
const NAMES = [
  "Purchased",
  "added_to_segment",
  "Order Completed",
  "Audience Entered",
  "track",
  "page",
  "identify",
  "audiencelist",
  "record",
  "insert",
];

/** JSON near to an event of any of the three platforms: their keys, with anything under them. */
const near = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<unknown>(
      ...NAMES,
      "true",
      "granted",
      "2026-11-20T00:00:00Z",
      1_795_000_000,
      "12,50",
      "",
      null,
      true,
      -1,
      1e300,
    ),
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("node"), { maxKeys: 6 }),
  ),
})).node;

let workflow = presets.ecommerce({ defaultCountry: "GB", siteUrl: "https://shop.example/" });
for (const rule of workflow.rules) workflow = setToggle(workflow, rule.id, { server: true });
const router = createRouter(workflow);
const all = [...Object.values(sources), defineSource({ name: "own", read: (event) => event as never })];

describe("any JSON as an event", () => {
  it("is read by every source, routed and explained: no throw, soon, nothing polluted", () => {
    fc.assert(
      fc.property(fc.oneof(near, fc.anything({ withBigInt: true, withDate: true, withMap: true })), (json) => {
        const started = performance.now();
        for (const source of all) {
          const event = source.read(json);
          const { decisions } = router.route(event, { receivedAtMs: 1 });
          expect(decisions.length).toBeGreaterThan(0);
          expect(() => JSON.stringify(decisions)).not.toThrow();
        }
        expect(performance.now() - started).toBeLessThan(1_000);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(near, fc.constantFrom(...all), (json, source) => {
        const event = source.read(json);
        expect(explainRoute(workflow, event).decisions).toHaveLength(router.route(event).decisions.length);
      }),
      { numRuns: 80 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("reads events that hold themselves", () => {
    const cyclic: Record<string, unknown> = { type: "track", event: "Order Completed", messageId: "m" };
    cyclic.properties = cyclic;
    cyclic.context = cyclic;
    cyclic.traits = cyclic;
    cyclic.products = [cyclic];
    cyclic.customProperties = cyclic;
    cyclic.productProperties = [cyclic];
    for (const source of all) {
      const { decisions } = router.route(source.read(cyclic));
      expect(() => JSON.stringify(decisions)).not.toThrow();
    }
  });

  it("survives getters and proxies that throw: the event is rejected with a reason", () => {
    const throwing = {
      get event(): string {
        throw new Error("no");
      },
      get type(): string {
        throw new Error("no");
      },
      get name(): string {
        throw new Error("no");
      },
    };
    const proxy = new Proxy(
      {},
      {
        get() {
          throw new Error("no");
        },
      },
    );
    for (const source of all) {
      for (const hostile of [throwing, proxy, null, 7, "text", [], undefined]) {
        const event = source.read(hostile);
        expect(event.issues.map(({ code }) => code)).toContain("event_unreadable");
        expect(router.route(event).decisions).toMatchObject([{ status: "rejected", reason: "event_name_missing" }]);
      }
    }
    const late = { ...sources.segment.read({ type: "track", event: "Order Completed" }), properties: proxy as never };
    expect(router.route(late).decisions).toMatchObject([{ status: "rejected", reason: "event_unreadable" }]);
  });

  it("does not let `__proto__` keys of an event reach any object's prototype", () => {
    const json = JSON.parse(
      '{"event":"Purchased","type":"track","customProperties":{"__proto__":{"polluted":1},"user_traits":{"__proto__":{"polluted":1}},"external_ids":{"__proto__":"x"}},"productProperties":[{"__proto__":{"polluted":1},"product___proto__":{"polluted":1}}],"properties":{"__proto__":{"polluted":1},"products":[{"__proto__":{"polluted":1}}]},"consent":{"__proto__":true},"traits":{"__proto__":{"polluted":1}},"context":{"traits":{"__proto__":{"polluted":1}},"externalId":[{"type":"__proto__","id":"1"}]}}',
    );
    for (const source of Object.values(sources)) {
      const event = source.read(json);
      for (const part of [event.traits, event.ids.external, event.consent ?? {}, ...event.products]) {
        expect(Object.getPrototypeOf(part)).toBe(Object.prototype);
        expect((part as Record<string, unknown>).polluted).toBeUndefined();
      }
    }
    expect("polluted" in {}).toBe(false);
  });

  it("bounds a thousand and more products, and ten thousand and more members, and says so", () => {
    const products = Array.from({ length: 3_000 }, (_, id) => ({ product_id: id, price: 1, quantity: 1 }));
    const order = sources.segment.read({ type: "track", event: "Order Completed", properties: { products } });
    expect(order.products).toHaveLength(1_000);
    expect(order.issues.map(({ code }) => code)).toEqual(["too_many_products"]);
    const users = Array.from({ length: 12_000 }, (_, n) => ({ email: `p${n}@example.org` }));
    const list = sources.rudderstack.read({
      type: "audiencelist",
      properties: { audience_key: "vip", listData: { add: users } },
    });
    expect(list.audiences).toHaveLength(10_000);
    expect(list.issues.map(({ code }) => code)).toEqual(["too_many_members"]);
    const { decisions } = router.route(list);
    expect(decisions).toHaveLength(10_000);
  });
});
