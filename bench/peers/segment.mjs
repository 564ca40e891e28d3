/**
 * Segment's own Snap Conversions API destination, with its purchase preset and its HTTP answered in the process.
 * The package is CommonJS and asks for no more than `cross-fetch`, which is replaced before it is loaded.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const core = createRequire(require.resolve("@segment/actions-core"));
const path = core.resolve("cross-fetch");
const { Headers, Request, Response } = core(path);

let body = "";
const headers = { "content-type": "application/json" };
async function answer(request) {
  body = await request.text();
  return new Response('{"status":"VALID"}', { status: 200, headers });
}
require.cache[path].exports = Object.assign(answer, { Headers, Request, Response, fetch: answer, default: answer });

const { Destination } = require("@segment/actions-core");
const definition = require("@segment/action-destinations/dist/destinations/snap-conversions-api/index.js").default;
const destination = new Destination(definition);
const { mapping } = definition.presets.find(({ name }) => name === "Purchase");
const settings = { pixel_id: "11111111-2222-4333-8444-555555555555" };
const auth = { accessToken: "token", refreshToken: "token" };

/** The same event where that preset reads it: mail and phone among the properties, names in snake case. */
export function forSegment(event) {
  const { traits } = event.context;
  return {
    ...event,
    properties: { ...event.properties, email: traits.email, phone: traits.phone },
    context: { ...event.context, traits: { ...traits, first_name: traits.firstName, last_name: traits.lastName } },
  };
}

/** Sends one event; answers the body that left. */
export async function send(event) {
  await destination.executeAction("reportConversionEvent", { event, mapping, settings, auth });
  return body;
}
