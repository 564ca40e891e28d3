import { describe, expect, it } from "vitest";
import { libraryWith } from "../../src/rules/index.ts";
import type { Filter, Mapping } from "../../src/rules/workflow.ts";
import { failedConditions, originOf } from "../../src/workflow/origin.ts";

const library = libraryWith({ functions: { join: (...parts: unknown[]) => parts.join("-") } });
const event = {
  kind: "track",
  name: "Order Completed",
  context: { channel: "web", ip: "192.0.2.7" },
  user: { email: "jane@example.com" },
  properties: {
    plan: "gold",
    total: 20,
    paid: true,
    note: "ring +44 7911 123456",
    serial: 447911123456,
    long: "x".repeat(61),
    edge: "x".repeat(60),
    tags: ["a"],
    shipping: { city: "Bath" },
    products: Array.from({ length: 30 }, (_, n) => (n === 25 ? { late: 1 } : { sku: n, menuitem: n })),
  },
};

describe("what a failed condition met", () => {
  const found = (path: string) => failedConditions({ path, op: "equals", value: "nothing" } as Filter, event, library);

  it.each([
    ["properties.plan", "gold"],
    ["properties.total", 20],
    ["properties.paid", true],
    ["properties.edge", "x".repeat(60)],
    ["context.channel", "web"],
    ["kind", "track"],
    ["name", "Order Completed"],
    ["properties.missing", "missing"],
    ["properties.tags", "a list"],
    ["properties.shipping", "an object"],
  ])("is shown where it says nothing of a person: %s", (path, value) => {
    expect(found(path)).toEqual([{ path, op: "equals", value: "nothing", negated: false, found: value }]);
  });

  it.each(["context.ip", "user.email", "properties.note", "properties.serial", "properties.long"])(
    "is only said to be there where it may: %s",
    (path) => {
      expect(found(path).map((one) => one.found)).toEqual(["present"]);
    },
  );

  it("stands for the conditions that decided, through and, or and not", () => {
    const is = (value: string): Filter => ({ path: "properties.plan", op: "equals", value }) as Filter;
    const failed = (filter: Filter) =>
      failedConditions(filter, event, library).map(({ value, negated }) => `${negated ? "not " : ""}${value}`);
    expect(failed({ and: [is("gold"), is("tin")] })).toEqual(["tin"]);
    expect(failed({ or: [is("lead"), is("tin")] })).toEqual(["lead", "tin"]);
    expect(failed({ not: is("gold") })).toEqual(["not gold"]);
    expect(failed(is("gold"))).toEqual([]);
    const exists = failedConditions({ path: "properties.none", op: "exists" } as Filter, event, library);
    expect(exists).toEqual([{ path: "properties.none", op: "exists", negated: false, found: "missing" }]);
  });
});

describe("where a value comes from", () => {
  it.each<[string, Mapping, string[]]>([
    ["a path", { path: "properties.plan" }, ["properties.plan"]],
    ["a path with nothing", { path: "properties.none" }, []],
    ["a constant", { value: "EUR" }, ["literal"]],
    [
      "the first that is there",
      { first: [{ path: "properties.none" }, { path: "properties.plan" }] },
      ["properties.plan"],
    ],
    ["a template", { template: "{properties.plan}/{properties.total}" }, ["properties.plan", "properties.total"]],
    [
      "a list",
      { each: "properties.products", to: { object: { id: { path: "item.sku" }, menu: { path: "item.menuitem" } } } },
      ["properties.products[].sku", "properties.products[].menuitem"],
    ],
    ["an object, each path once", { object: { a: { path: "name" }, b: { path: "name" } } }, ["name"]],
    ["a function", { call: "join", with: [{ path: "name" }, { path: "kind" }] }, ["join(name, kind)"]],
  ])("%s", (_, mapping, origin) => {
    expect(originOf(mapping, event, library)).toEqual(origin);
  });
});
