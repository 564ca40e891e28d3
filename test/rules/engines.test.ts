import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pixelTrackCall } from "../../src/pixel/calls.ts";
import { pixelParameters } from "../../src/pixel/parameters.ts";
import { LIBRARY } from "../../src/rules/app-data.ts";
import { browserWorkflow } from "../../src/rules/browser.ts";
import { type ClientDecision, createClientRouter } from "../../src/rules/client.ts";
import type { CanonicalEvent } from "../../src/rules/event.ts";
import { compileFilter, OPERATORS } from "../../src/rules/filter.ts";
import { generateTest, generateWriter } from "../../src/rules/generate.ts";
import { BROWSER_LIBRARY } from "../../src/rules/mapping.ts";
import { compileWorkflow, routeWith } from "../../src/rules/router.ts";
import type { Workflow } from "../../src/rules/workflow.ts";
import { compileWriter, toIdentifier } from "../../src/rules/writer.ts";
import type { SnapEventInput } from "../../src/wire/event.ts";
import { presets, setToggle, sources } from "../../src/workflow/index.ts";
import { events, filters, mappings, workflows } from "./arbitraries.ts";

/** What is sent: JSON without the fields that are not there. */
const json = (value: unknown) => JSON.parse(JSON.stringify(value ?? null));

const PIXEL_ID = "11111111-2222-4333-8444-555555555555";
/** The call for an event as the server's router made it. */
const pixel = (event: SnapEventInput) => pixelTrackCall(event, { pixelId: PIXEL_ID });
/** The calls the browser's runtime makes of what the browser's router decided. */
const made = (decisions: readonly ClientDecision[]) =>
  decisions.flatMap(({ event, parameters }) =>
    event ? [["track", PIXEL_ID, event, pixelParameters(parameters ?? {}, () => {})]] : [],
  );

const EVENT: CanonicalEvent = {
  source: "test",
  name: "",
  kind: "track",
  id: "e-1",
  ids: { external: {} },
  traits: {},
  properties: {},
  products: [],
  context: {},
  audiences: [],
  issues: [],
};

describe("the three ways a rule is run mean the same", () => {
  it("filters: closures and generated functions", () => {
    fc.assert(
      fc.property(filters, events, (filter, event) => {
        expect(generateTest(filter, LIBRARY)(event)).toBe(compileFilter(filter)(event));
      }),
      { numRuns: 1_000 },
    );
  });

  it("filters: every operator on every kind of value", () => {
    const kinds = [
      undefined,
      null,
      "",
      " ",
      "12",
      "12.0",
      "abc",
      "a*c",
      "true",
      0,
      12,
      -1,
      Number.NaN,
      true,
      false,
      [],
      ["12"],
      [12],
      {},
    ];
    for (const op of Object.keys(OPERATORS)) {
      for (const found of kinds) {
        for (const value of [...kinds, ["abc", 12, true], ["12", "abc"]]) {
          const filter = { path: "properties.x", op, value: value as string };
          const event = { properties: { x: found } };
          const closure = compileFilter(filter)(event);
          expect([filter, found, generateTest(filter, LIBRARY)(event)]).toEqual([filter, found, closure]);
          expect(typeof closure).toBe("boolean");
        }
      }
    }
  });

  it("functions: baskets of many kinds, on the server and in the browser", () => {
    const call = (name: string) => ({ call: name, with: [{ path: "products" }] });
    const workflow: Workflow = {
      format: 1,
      source: "test",
      rules: [
        {
          id: "r",
          on: "Viewed",
          to: "PURCHASE",
          server: true,
          client: true,
          map: { "custom_data.value": call("basket_total"), "custom_data.num_items": call("item_count") },
        },
      ],
    };
    const price = fc.oneof(
      fc.constantFrom("12,50", "1,299.00", "£3", "none", null, undefined),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
    );
    const quantity = fc.oneof(fc.constantFrom("2", 0, 3, undefined, null, "x"));
    const products = fc.array(fc.oneof(fc.record({ price, quantity }), fc.constantFrom(null, 5, "text")), {
      maxLength: 6,
    });
    const client = createClientRouter(json(browserWorkflow(workflow)), () => "id");
    const router = routeWith(compileWorkflow(workflow));
    fc.assert(
      fc.property(products, (list) => {
        const event = { ...EVENT, name: "Viewed", products: list as CanonicalEvent["products"] };
        const [server] = router.route(event).decisions;
        expect(made(client(event).decisions)).toEqual([pixel(server?.event as SnapEventInput)]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("presets: a shop's day of events, on the server and in the browser", () => {
    let workflow = presets.customerlabs({ defaultCurrency: "EUR", consent: { names: ["ad_storage"], absent: "deny" } });
    for (const rule of workflow.rules) {
      if (!rule.to.startsWith("segment:")) workflow = setToggle(workflow, rule.id, { server: true, client: true });
    }
    const router = routeWith(compileWorkflow(workflow));
    const client = createClientRouter(json(browserWorkflow(workflow)), () => "minted");
    const lines = readFileSync(new URL("../../examples/data/shop-day.ndjson", import.meta.url), "utf8")
      .trim()
      .split("\n");
    let compared = 0;
    for (const line of lines.slice(0, 1_000)) {
      const event = sources.customerlabs.read((JSON.parse(line) as { event: unknown }).event);
      if (event.id === undefined) continue;
      const sent = router
        .route(event)
        .decisions.flatMap((one) => (one.channel === "client" && one.event ? [one.event] : []));
      expect(made(client(event).decisions)).toEqual(sent.map(pixel));
      compared += sent.length;
    }
    expect(compared).toBeGreaterThan(300);
  });

  it("mappings: closures and generated functions, with and without a finish", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("x", "y"), mappings), events, fc.boolean(), (fields, event, finish) => {
        const [a, b] = [{}, {}];
        const last = finish ? toIdentifier : undefined;
        expect(generateWriter(fields, LIBRARY, last)(a, event)).toBe(
          compileWriter(fields, BROWSER_LIBRARY, last)(b, event),
        );
        expect(json(a)).toEqual(json(b));
      }),
      { numRuns: 1_000 },
    );
  });

  it("workflows: the server's client decisions and the browser's, up to the pixel call", () => {
    fc.assert(
      fc.property(workflows, events, (workflow, event) => {
        const server = routeWith(compileWorkflow(workflow)).route(event);
        const browser = createClientRouter(json(browserWorkflow(workflow)), () => server.eventId)(event);
        expect(browser.eventId).toBe(server.eventId);
        const expected = server.decisions
          .filter((decision) => decision.channel === "client" && decision.event)
          .map((decision) => pixel(decision.event as SnapEventInput));
        expect(json(made(browser.decisions))).toEqual(json(expected));
      }),
      { numRuns: 800 },
    );
  });

  it("a text of a workflow never becomes code", () => {
    const attack = '"]; globalThis.hacked = 1; //';
    const writer = generateWriter(
      {
        [attack]: { first: [{ path: `properties.${attack}` }, { value: attack }] },
        b: { object: { [attack]: { template: `${attack}{name}` } } },
        c: {
          if: { path: attack, op: "equals", value: attack },
          use: { value: attack },
          else: { value: "\u2028\n`$(1)`" },
        },
      },
      LIBRARY,
    );
    const out: Record<string, unknown> = {};
    expect(writer(out, { name: "n", properties: {} })).toBe(true);
    expect(out).toEqual({ [attack]: attack, b: { [attack]: `${attack}n` }, c: "\u2028\n`$(1)`" });
    expect("hacked" in globalThis).toBe(false);
  });
});
