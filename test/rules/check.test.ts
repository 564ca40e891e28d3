import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { isSnapchatError } from "../../src/errors.ts";
import { checkWorkflow } from "../../src/rules/check.ts";
import { createRouter } from "../../src/rules/create-router.ts";
import type { Workflow } from "../../src/rules/workflow.ts";
import { parseWorkflow, presets } from "../../src/workflow/index.ts";

const RULE = { id: "a", on: "Bought", to: "PURCHASE", server: true, client: false };
const base = { format: 1, source: "test", rules: [RULE] };
const withRule = (over: object) => ({ ...base, rules: [{ ...RULE, ...over }] });
const problems = (json: unknown) => checkWorkflow(json).map(({ path, code }) => `${path} ${code}`);

describe("checkWorkflow", () => {
  it.each(Object.entries(presets))("finds nothing wrong with the preset %s", (_, preset) => {
    expect(checkWorkflow(preset({ defaultCountry: "GB", siteUrl: "https://shop.example/" }))).toEqual([]);
  });

  const deep = (depth: number): object => (depth ? { not: deep(depth - 1) } : { path: "name", op: "exists" });
  const cyclic: Record<string, unknown> = { and: [] };
  (cyclic.and as unknown[]).push(cyclic);

  it.each<[string, unknown, string]>([
    ["not an object", null, " not_a_workflow"],
    ["a list", [], " not_a_workflow"],
    ["no format", { rules: [] }, "format not_a_workflow"],
    ["a newer format", { ...base, format: 2 }, "format workflow_newer"],
    ["rules that are no list", { ...base, rules: {} }, "rules wrong_type"],
    ["a rule that is no object", { ...base, rules: [7] }, "rules.0 wrong_type"],
    ["a rule without an id", withRule({ id: "" }), "rules.0.id wrong_type"],
    ["a toggle that is a text", withRule({ server: "yes" }), "rules.0.server wrong_type"],
    ["two rules with one id", { ...base, rules: [RULE, { ...RULE, on: "Other" }] }, "rules.1.id duplicate_id"],
    [
      "one event to one target twice",
      { ...base, rules: [RULE, { ...RULE, id: "b", on: "BOUGHT" }] },
      "rules.1.to duplicate_target",
    ],
    ["a name of another interface", withRule({ to: "ADD_TO_CART" }), "rules.0.to unknown_target"],
    ["a name in lower case", withRule({ to: "purchase" }), "rules.0.to unknown_target"],
    [
      "a client toggle on a segment row",
      withRule({ to: "segment:add", client: true }),
      "rules.0.client client_not_available",
    ],
    [
      "consent without a decision",
      withRule({ consent: { names: ["ads"] } }),
      "rules.0.consent.absent consent_absent_undecided",
    ],
    [
      "an operator nobody has",
      withRule({ when: { path: "name", op: "regex", value: ".*" } }),
      "rules.0.when.op unknown_operator",
    ],
    [
      "an inherited name as operator",
      withRule({ when: { path: "name", op: "constructor" } }),
      "rules.0.when.op unknown_operator",
    ],
    [
      "a value the operator cannot use",
      withRule({ when: { path: "name", op: "gt", value: "5" } }),
      "rules.0.when.value wrong_type",
    ],
    [
      "a key too much in a filter",
      withRule({ when: { path: "name", op: "exists", negate: true } }),
      "rules.0.when unknown_filter",
    ],
    [
      "a path into a prototype",
      withRule({ when: { path: "a.__proto__.b", op: "exists" } }),
      "rules.0.when.path bad_path",
    ],
    ["a filter too deep", withRule({ when: deep(40) }), `rules.0.when${".not".repeat(13)} too_large`],
    ["a filter that holds itself", withRule({ when: cyclic }), `rules.0.when${".and.0".repeat(13)} too_large`],
    [
      "a directive nobody has",
      { ...base, map: { "custom_data.x": { paht: "name" } } },
      "map.custom_data.x unknown_directive",
    ],
    [
      "two directives in one",
      { ...base, map: { "custom_data.x": { path: "name", value: 1 } } },
      "map.custom_data.x unknown_directive",
    ],
    [
      "a function nobody has",
      { ...base, map: { "custom_data.x": { call: "eval" } } },
      "map.custom_data.x.call unknown_function",
    ],
    ["a field no mapping may write", { ...base, map: { event_id: { value: "x" } } }, "map.event_id unknown_field"],
    ["a person's field nobody has", { ...base, user: { password: { path: "name" } } }, "user.password unknown_field"],
    ["a country in words", { ...base, defaultCountry: "Britain" }, "defaultCountry wrong_type"],
  ])("%s", (_, json, expected) => expect(problems(json)).toContain(expected));

  it("knows the functions and operators of plugins", () => {
    const json = withRule({
      when: { path: "name", op: "is_loyal" },
      map: { "custom_data.x": { call: "margin", with: [{ path: "products" }] } },
    });
    expect(problems(json)).toHaveLength(2);
    const plugins = { functions: { margin: () => 3 }, operators: { is_loyal: () => true } };
    const router = createRouter(json as unknown as Workflow, plugins);
    const event = {
      source: "t",
      name: "Bought",
      kind: "track" as const,
      ids: { external: {} },
      traits: {},
      properties: {},
    };
    const { decisions } = router.route({ ...event, products: [], context: {}, audiences: [], issues: [] });
    expect(decisions[0]?.event?.custom_data).toEqual({ x: 3 });
  });

  it("says at most a hundred things, however much is wrong", () => {
    const rules = Array.from({ length: 500 }, () => ({}));
    expect(checkWorkflow({ ...base, rules })).toHaveLength(100);
    expect(problems({ ...base, rules: Array.from({ length: 501 }, () => RULE) })).toEqual(["rules too_many"]);
  });
});

describe("any JSON as a workflow", () => {
  /** JSON near to a workflow: its keys, with anything under them. */
  const near = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          "format",
          "rules",
          "id",
          "on",
          "to",
          "when",
          "and",
          "not",
          "path",
          "op",
          "value",
          "map",
          "each",
          "use",
          "if",
          "call",
          "with",
          "user",
          "consent",
          "names",
          "absent",
          "__proto__",
          "constructor",
          "aliases",
          "audience",
          "key",
          "preset",
          "born",
          "server",
          "client",
        ),
        tie("node"),
        { maxKeys: 5 },
      ),
    ),
  })).node;
  const rulesNear = fc.record(
    { format: fc.constant(1), source: fc.constant("x"), rules: fc.array(near, { maxLength: 3 }), map: near },
    { requiredKeys: ["format", "source", "rules"] },
  );

  // Loading zod is not what is measured.
  beforeAll(() => {
    parseWorkflow(base);
  });

  it("is a workflow or a SnapchatError, soon, and pollutes nothing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near, rulesNear), (json) => {
        const started = performance.now();
        for (const take of [parseWorkflow, (workflow: unknown) => createRouter(workflow as Workflow)]) {
          try {
            take(json);
          } catch (error) {
            if (!isSnapchatError(error)) throw error;
          }
        }
        expect(performance.now() - started).toBeLessThan(500);
      }),
      { numRuns: 800 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("names every path that is wrong and what to do, without the values that stood there", () => {
    const json = withRule({ to: "secret-value@example.org", server: 1 });
    const error = (() => {
      try {
        return parseWorkflow(json);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ code: "workflow_invalid", kind: "fix_configuration" });
    expect(error).toMatchObject({ details: { count: 2, paths: "rules.0.server, rules.0.to" } });
    expect(JSON.stringify(error)).not.toContain("secret-value");
  });

  it("keeps a typo from switching nothing on: unknown keys are refused", () => {
    expect(() => parseWorkflow(withRule({ sever: true }))).toThrowError(/rules\.0/);
  });

  it("gives back an equal workflow, through JSON and again", () => {
    const born = presets.segment({ consent: { names: ["Advertising"], absent: "deny" }, defaultCurrency: "EUR" });
    const stored = JSON.parse(JSON.stringify(born));
    expect(parseWorkflow(stored)).toEqual(born);
    expect(parseWorkflow(parseWorkflow(stored))).toEqual(born);
  });
});
