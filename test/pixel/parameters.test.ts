import { pixelTrackCall } from "snapchat-destination/pixel";
import type { TrackParameters } from "snapchat-destination/pixel/browser";
import { describe, expect, expectTypeOf, it } from "vitest";
import { pixelParameters } from "../../src/pixel/parameters.ts";
import { browserWorkflow } from "../../src/rules/browser.ts";
import { createClientRouter } from "../../src/rules/client.ts";
import type { Workflow } from "../../src/rules/workflow.ts";
import { EVENT_PARAMETERS } from "../../src/testing/simulator/pixel/parameters.ts";
import { PIXEL_PARAMETERS } from "../../src/wire/pixel.ts";
import { PIXEL_TRACK_PARAMETERS, type PixelParameterName } from "../../src/wire/pixel-parameters.ts";

const PIXEL_ID = "11111111-2222-4333-8444-555555555555";

function read(given: object, allow?: readonly string[]) {
  const warnings: string[] = [];
  const parameters = pixelParameters(given, (code, name) => warnings.push(`${code} ${name}`), allow);
  return { parameters, warnings };
}

describe("parameters of a track call", () => {
  it("are the ones the pixel script knows, and every field of an event with a pixel's name is among them", () => {
    expect(Object.keys(PIXEL_TRACK_PARAMETERS).sort()).toEqual(Object.values(EVENT_PARAMETERS).sort());
    expectTypeOf<keyof TrackParameters>().toEqualTypeOf<PixelParameterName>();
    for (const [, name] of PIXEL_PARAMETERS) expect(PIXEL_TRACK_PARAMETERS).toHaveProperty(name);
  });

  it.each<[string, unknown, unknown]>([
    ["price", 12.5, 12.5],
    ["price", " 12.50 ", 12.5],
    ["price", 0, 0],
    ["currency", "gbp", "GBP"],
    ["transaction_id", 10442, "10442"],
    ["transaction_id", "0010", "0010"],
    ["level", 0, "0"],
    ["item_ids", ["a", 7, " b "], ["a", "7", "b"]],
    ["item_ids", "a", ["a"]],
    ["item_ids", ["a,b", "c", null, {}], ["c"]],
    ["item_category", ["", "shoes", "boots"], "shoes"],
  ])("%s of %j becomes %j", (name, given, taken) => {
    expect(read({ [name]: given })).toEqual({ parameters: { [name]: taken }, warnings: [] });
  });

  it.each<[string, unknown, string]>([
    ["price", "twelve", "parameter_invalid"],
    ["price", Number.NaN, "parameter_invalid"],
    ["price", Number.POSITIVE_INFINITY, "parameter_invalid"],
    ["price", {}, "parameter_invalid"],
    ["currency", "pounds", "parameter_invalid"],
    ["item_ids", ["a,b"], "parameter_invalid"],
    ["item_ids", [], "parameter_invalid"],
    ["search_string", "jane@example.com", "parameter_invalid"],
    ["client_dedup_id", () => 1, "parameter_invalid"],
    ["value", 12, "parameter_unknown"],
    ["event_id", "e-1", "parameter_unknown"],
    ["user_email", "jane@example.com", "parameter_unknown"],
    ["constructor", 1, "parameter_unknown"],
    ["toString", 1, "parameter_unknown"],
  ])("%s of %j is left out and named", (name, given, code) => {
    expect(read({ [name]: given })).toEqual({ parameters: {}, warnings: [`${code} ${name}`] });
  });

  it("cannot be given a prototype", () => {
    const { parameters } = read(JSON.parse('{"__proto__":{"price":1},"price":2}'));
    expect(parameters).toEqual({ price: 2 });
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype);
  });

  it("leaves nothing that means nothing, without a word", () => {
    expect(read({ price: undefined, currency: null, item_ids: "" })).toEqual({ parameters: {}, warnings: [] });
  });

  it("lets only what is allowed leave", () => {
    expect(read({ price: 1, description: "x" }, ["price"])).toEqual({
      parameters: { price: 1 },
      warnings: ["parameter_off description"],
    });
  });
});

describe("the call for an event", () => {
  const call = (custom_data: Record<string, unknown>, options = {}) =>
    pixelTrackCall({ event_name: "PURCHASE", event_id: "e-1", custom_data }, { pixelId: PIXEL_ID, ...options })[3];

  it("carries the server's id, and numbers as the server reads them", () => {
    expect(call({ value: "1,299.00", currency: "eur", order_id: 7, num_items: "2" })).toEqual({
      price: 1299,
      currency: "EUR",
      transaction_id: "7",
      number_items: 2,
      client_dedup_id: "e-1",
    });
  });

  it("takes the item ids from the contents where there are no others", () => {
    const contents = [{ id: "a" }, { id: "" }, null, { id: "b,c" }, { id: 9 }];
    expect(call({ contents })).toMatchObject({ item_ids: ["a", "9"] });
    expect(call({ contents, content_ids: ["x"] })).toMatchObject({ item_ids: ["x"] });
  });

  it("carries what only the pixel knows, and nothing only the server does", () => {
    expect(call({ level: 3, description: "own", content_name: "other", predicted_ltv: 9 })).toEqual({
      level: "3",
      description: "own",
      client_dedup_id: "e-1",
    });
  });

  it("tells the limit on use that an event itself carries, on the server and in the browser", () => {
    const workflow: Workflow = {
      format: 1,
      source: "test",
      rules: [
        {
          id: "r",
          on: "Signed up",
          to: "SIGN_UP",
          server: true,
          client: true,
          map: { data_processing_options: { path: "properties.limit" } },
        },
      ],
    };
    const route = createClientRouter(browserWorkflow(workflow), () => "e-1");
    for (const limit of [["LMU"], undefined]) {
      const [decision] = route({ name: "signed_up", properties: { limit } }).decisions;
      const event = { event_name: "SIGN_UP", event_id: "e-1", ...(limit && { data_processing_options: limit }) };
      expect(read(decision?.parameters ?? {}).parameters).toEqual(pixelTrackCall(event, { pixelId: PIXEL_ID })[3]);
      expect(decision?.parameters?.data_use).toBe(limit && "['lmu']");
    }
  });

  it("keeps to the destination's allow-list, to limited use and to the host's name", () => {
    expect(
      call(
        { value: 1, currency: "GBP", contents: [{ id: "a" }], search_string: "x" },
        {
          allowFields: ["custom_data.value", "custom_data.contents", "user_data.em"],
          integration: "my-cdp",
          limitedUse: true,
        },
      ),
    ).toEqual({ price: 1, item_ids: ["a"], client_dedup_id: "e-1", integration: "my-cdp", data_use: "['lmu']" });
    expect(call({ value: 1 }, { allowFields: ["custom_data"] })).toMatchObject({ price: 1 });
  });
});
