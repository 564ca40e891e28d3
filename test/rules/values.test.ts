import { describe, expect, it } from "vitest";
import { checkConsent } from "../../src/rules/consent.ts";
import { compileFilter } from "../../src/rules/filter.ts";
import { foldName } from "../../src/rules/fold.ts";
import { compileMapping } from "../../src/rules/mapping.ts";
import { compilePath } from "../../src/rules/path.ts";
import { copyPlain, toNumber } from "../../src/rules/values.ts";
import type { Filter, Mapping } from "../../src/rules/workflow.ts";

describe("toNumber", () => {
  it.each([
    ["12.50", 12.5],
    [" 42 ", 42],
    ["1,299.00", 1299],
    ["1.299,00", 1299],
    ["1,299", 1299],
    ["12,5", 12.5],
    ["£12.50", 12.5],
    ["12 EUR", 12],
    ["1’299.90", 1299.9],
    ["-3", -3],
    [".5", 0.5],
    [0, 0],
  ])("reads %j as %d", (text, number) => expect(toNumber(text)).toBe(number));

  it.each([
    "",
    " ",
    "free",
    "1.2.3",
    "0x10",
    "1e3",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
    {},
    "9".repeat(50),
  ])("finds no number in %j", (value) => expect(toNumber(value)).toBeUndefined());
});

describe("foldName", () => {
  it.each(["Added to cart", "added_to_cart", "AddedToCart", "ADDED-TO-CART", " added.to  cart "])("folds %j", (name) =>
    expect(foldName(name)).toBe("addedtocart"),
  );

  it("keeps letters of other scripts and folds full-width ones", () => {
    expect(foldName("Ｐurchased")).toBe("purchased");
    expect(foldName("Καλάθι")).toBe("καλάθι");
  });
});

describe("compilePath", () => {
  const event = { properties: { list: [{ id: 7 }], text: "abc", values: 1 }, constructor: { name: "own" } };

  it.each([
    ["properties.list.0.id", 7],
    ["properties.values", 1],
    ["properties.list.length", undefined],
    ["properties.list.map", undefined],
    ["properties.text.length", undefined],
    ["constructor.name", undefined],
    ["__proto__", undefined],
    ["properties.__proto__.x", undefined],
    ["properties.list.1.id", undefined],
    ["a.b.c.d", undefined],
  ])("%s", (path, value) => expect(compilePath(path)(event)).toBe(value));
});

describe("compileFilter", () => {
  const event = {
    properties: { total: "120", plan: "Pro", tags: ["a", "b"], url: "/shop/sale/7", zero: 0, off: false },
  };
  const holds = (filter: Filter) => compileFilter(filter)(event);
  const p = (path: string, op: string, value?: string | number | boolean | (string | number)[]) =>
    ({ path: `properties.${path}`, op, ...(value === undefined ? {} : { value }) }) as Filter;

  it.each<[string, Filter, boolean]>([
    ["a number written as text compares as a number", p("total", "gte", 120), true],
    ["a number equals its own text", p("total", "equals", 120), true],
    ["text compares exactly", p("plan", "equals", "pro"), false],
    ["one of a list", p("plan", "in", ["Basic", "Pro"]), true],
    ["a list contains", p("tags", "contains", "b"), true],
    ["a text contains", p("url", "contains", "sale"), true],
    ["starts", p("url", "starts", "/shop"), true],
    ["ends", p("url", "ends", "/7"), true],
    ["glob", p("url", "glob", "/shop/*/7"), true],
    ["glob asks for all parts in order", p("url", "glob", "*sale*shop*"), false],
    ["glob without a star is the whole text", p("url", "glob", "/shop"), false],
    ["glob's parts may not overlap", p("plan", "glob", "Pro*o"), false],
    ["0 and false exist", { and: [p("zero", "exists"), p("off", "exists", true)] }, true],
    ["a missing path does not exist", p("missing", "exists", false), true],
    ["a missing path fails every comparison", { or: [p("missing", "lt", 5), p("missing", "equals", "x")] }, false],
    ["and a negated one holds", { not: p("missing", "equals", "x") }, true],
    ["and of nothing holds, or of nothing does not", { and: [{ and: [] }, { not: { or: [] } }] }, true],
  ])("%s", (_, filter, expected) => expect(holds(filter)).toBe(expected));

  it("stays linear with patterns made to be slow", () => {
    const started = performance.now();
    const found = { properties: { x: "a".repeat(100_000) } };
    compileFilter({ path: "properties.x", op: "glob", value: `${"*a".repeat(400)}*b` })(found);
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe("compileMapping", () => {
  const event = {
    name: "n",
    properties: { a: "", b: 0, c: "x", obj: { k: 1 } },
    products: [{ id: 1, price: "2,50" }, {}, { id: 3 }],
  };
  const value = (mapping: Mapping) => compileMapping(mapping)(event);

  it.each<[string, Mapping, unknown]>([
    ["first skips empty text, not 0", { first: [{ path: "properties.a" }, { path: "properties.b" }] }, 0],
    ["template", { template: "{name}-{properties.c}!" }, "n-x!"],
    ["template with a missing part is absent", { template: "{name}-{properties.nope}" }, undefined],
    ["if", { if: { path: "properties.c", op: "exists" }, use: { value: 1 }, else: { value: 2 } }, 1],
    ["each leaves out entries without a value", { each: "products", to: { path: "item.id" } }, [1, 3]],
    ["each over what is no list", { each: "properties.c", to: { value: 1 } }, undefined],
    ["object leaves out what is absent", { object: { x: { path: "properties.a" }, y: { value: 1 } } }, { y: 1 }],
    ["object of nothing is absent", { object: { x: { path: "properties.a" } } }, undefined],
    ["number, text, upper", { upper: { text: { number: { path: "products.0.price" } } } }, "2.5"],
    ["an unknown function gives nothing", { call: "nope", with: [] }, undefined],
    ["an inherited name is no function", { call: "toString" }, undefined],
  ])("%s", (_, mapping, expected) => expect(value(mapping)).toEqual(expected));

  it("copies foreign objects: cut where they are cyclic, without inherited keys, bounded", () => {
    const cyclic: Record<string, unknown> = { a: 1, when: new Date(0), f: () => 1 };
    cyclic.self = cyclic;
    const made = compileMapping({ path: "properties.x" })({ properties: { x: cyclic } });
    expect(JSON.stringify(made).length).toBeLessThan(2_000);
    expect(made).toMatchObject({ a: 1, when: "1970-01-01T00:00:00.000Z" });
    const hostile = JSON.parse('{"__proto__":{"polluted":1},"ok":1}');
    expect(copyPlain(hostile)).toEqual({ ok: 1 });
    expect("polluted" in {}).toBe(false);
  });

  it("walks over a thousand entries of a list and no more", () => {
    const many = { products: Array.from({ length: 5_000 }, (_, id) => ({ id })) };
    expect(compileMapping({ each: "products", to: { path: "item.id" } })(many)).toHaveLength(1_000);
  });
});

describe("checkConsent", () => {
  const rule = (absent: "allow" | "deny", ...names: string[]) => ({ names, absent });

  it.each([
    ["all granted", rule("deny", "a", "b"), { a: true, b: true }, undefined],
    ["one denied, named", rule("allow", "a", "b"), { a: true, b: false }, { reason: "consent_denied", name: "b" }],
    ["one not mentioned, absent denies", rule("deny", "a", "b"), { a: true }, { reason: "consent_absent", name: "b" }],
    ["one not mentioned, absent allows", rule("allow", "a", "b"), { a: true }, undefined],
    ["no consent at all, absent denies", rule("deny", "a"), undefined, { reason: "consent_absent", name: "a" }],
    ["a denial goes before an absence", rule("deny", "a", "b"), { b: false }, { reason: "consent_denied", name: "b" }],
    [
      "a platform that refuses what it does not name",
      rule("allow", "a"),
      { "*": false },
      { reason: "consent_denied", name: "a" },
    ],
    [
      "a name every object inherits is not granted",
      rule("allow", "constructor"),
      {},
      { reason: "consent_denied", name: "constructor" },
    ],
    ["no rule", undefined, undefined, undefined],
  ])("%s", (_, consent, given, expected) => expect(checkConsent(consent, given as never)).toEqual(expected));
});
