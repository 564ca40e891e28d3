import fc from "fast-check";
import type { CanonicalEvent } from "../../src/rules/event.ts";
import { FUNCTIONS } from "../../src/rules/functions.ts";
import type { Filter, Mapping, Rule, Workflow } from "../../src/rules/workflow.ts";

const PATHS = [
  "name",
  "kind",
  "properties",
  "properties.value",
  "properties.currency",
  "properties.list",
  "properties.list.0",
  "properties.list.1.id",
  "properties.deep.a.b.c",
  "properties.missing",
  "properties.constructor",
  "properties.__proto__.polluted",
  "properties.toString",
  "traits.email",
  "context.url",
  "context.device.id",
  "products",
  "products.0.id",
  "products.1",
  "products.length",
  "ids.userId",
  "item",
  "item.id",
  "item.price",
  "item.quantity",
  "item.deep.a",
  "item.map",
];

const value = fc.oneof(
  fc.constantFrom("GBP", "gbp", "", " 12,50 ", "1,299.00", "12", "shirt", "*", "a*c", "false", "Zoë"),
  fc.integer({ min: -5, max: 2_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.boolean(),
);

const path = fc.constantFrom(...PATHS);

export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({
      path,
      op: fc.constantFrom("equals", "in", "contains", "starts", "ends", "glob", "exists", "gt", "gte", "lt", "lte"),
      value: fc.oneof(value, fc.array(value, { maxLength: 3 })),
    }),
    fc.record({ path, op: fc.constantFrom("exists", "equals") }),
    fc.record({ and: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ not: tie("filter") }),
  ),
})).filter;

export const mappings: fc.Arbitrary<Mapping> = fc.letrec<{ mapping: Mapping }>((tie) => ({
  mapping: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ path }),
    fc.record({ value }),
    fc.record({ first: fc.array(tie("mapping"), { maxLength: 3 }) }),
    fc.record({
      template: fc.constantFrom("Order {properties.value}", "{item.id}-{name}", "plain", "{missing}", "a{}b"),
    }),
    fc.record({ if: filters, use: tie("mapping"), else: tie("mapping") }),
    fc.record({ if: filters, use: tie("mapping") }),
    fc.record({ each: fc.constantFrom("products", "properties.list", "item.list", "traits"), to: tie("mapping") }),
    fc.record({
      object: fc.dictionary(fc.constantFrom("a", "b", "id", "__proto__", "price", "quantity"), tie("mapping"), {
        maxKeys: 3,
      }),
    }),
    fc.record({ number: tie("mapping") }),
    fc.record({ text: tie("mapping") }),
    fc.record({ upper: tie("mapping") }),
    fc.record({ lower: tie("mapping") }),
    fc.record({ call: fc.constantFrom(...Object.keys(FUNCTIONS)), with: fc.array(tie("mapping"), { maxLength: 2 }) }),
  ),
})).mapping;

const plain = fc.oneof(value, fc.constant(null), fc.constant(undefined));
const bag = fc.dictionary(
  fc.constantFrom("value", "currency", "a", "email", "id", "price", "quantity", "list"),
  plain,
  {
    maxKeys: 4,
  },
);
const product = fc.record(
  {
    id: plain,
    price: plain,
    quantity: plain,
    brand: plain,
    deep: fc.oneof(bag, plain),
    list: fc.array(bag, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** Canonical events with holes, wrong types and nested data where a path may walk into. */
export const events: fc.Arbitrary<CanonicalEvent> = fc
  .record({
    name: fc.constantFrom("Order Completed", "order_completed", "Viewed", "other", ""),
    properties: fc.record(
      {
        value: plain,
        currency: plain,
        list: fc.oneof(fc.array(fc.oneof(plain, bag), { maxLength: 3 }), plain),
        deep: fc.oneof(fc.record({ a: fc.oneof(fc.record({ b: bag }), plain) }), plain),
      },
      { requiredKeys: [] },
    ),
    traits: bag,
    products: fc.array(product, { maxLength: 3 }),
    consent: fc.option(fc.dictionary(fc.constantFrom("ads", "stats"), fc.boolean()), { nil: undefined }),
    id: fc.option(fc.constantFrom("e-1", "e-2"), { nil: undefined }),
  })
  .map(({ consent, id, ...event }) => ({
    source: "test",
    kind: "track" as const,
    ids: { external: {}, userId: "u-1" },
    context: { url: "https://shop.example/?a=1", device: { id: "d-1" } },
    audiences: [],
    issues: [],
    ...(event as unknown as Pick<CanonicalEvent, "name" | "properties" | "traits" | "products">),
    ...(consent ? { consent } : {}),
    ...(id ? { id } : {}),
  }));

const FIELDS = ["value", "currency", "content_ids", "content_name", "order_id", "num_items", "brands", "contents"];

/** Workflows that hold: up to four rules over few names, so that they meet. */
export const workflows: fc.Arbitrary<Workflow> = fc
  .array(
    fc.record(
      {
        on: fc.constantFrom("Order Completed", "ORDER-COMPLETED", "Viewed"),
        to: fc.constantFrom("PURCHASE", "ADD_CART", "VIEW_CONTENT", "CUSTOM_EVENT_1"),
        server: fc.boolean(),
        client: fc.boolean(),
        when: filters,
        map: fc.dictionary(fc.constantFrom(...FIELDS.map((field) => `custom_data.${field}`)), mappings, { maxKeys: 4 }),
        consent: fc.record({
          names: fc.array(fc.constantFrom("ads", "stats"), { maxLength: 2 }),
          absent: fc.constantFrom("allow" as const, "deny" as const),
        }),
        dedupe: fc.constant(["properties.currency"]),
      },
      { requiredKeys: ["on", "to", "server", "client"] },
    ),
    { maxLength: 4 },
  )
  .map((rows) => {
    const seen = new Set<string>();
    const rules: Rule[] = [];
    for (const [index, row] of rows.entries()) {
      const target = `${row.on.toLowerCase().replace(/\W/g, "")} ${row.to}`;
      if (!seen.has(target)) rules.push({ ...row, id: `rule_${index}` } as Rule);
      seen.add(target);
    }
    return { format: 1, source: "test", rules, aliases: { other: "Viewed" } };
  });
