import { type BrowserWorkflow, browserWorkflow } from "../rules/browser.ts";
import { digest } from "../rules/digest.ts";
import type { Workflow } from "../rules/workflow.ts";
import { SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import { isEventName } from "../wire/event-names.ts";
import { LIMITED_DATA_USE, PIXEL_SCRIPT_PATH } from "../wire/pixel.ts";
import { allowedParameters } from "./allowed.ts";
import type { PixelConfig, PixelOff } from "./options.ts";

/** What of a destination its pages depend on. */
export interface PixelConfigInput {
  pixelId: string | undefined;
  workflow: Workflow | undefined;
  /** Why nothing may be sent, where that is known already: the tenant's or the destination's state. */
  off?: PixelOff | undefined;
  /** The host's name, sent as `integration`. */
  integration?: string | undefined;
  /** Snapchat is asked to limit the use of the data. */
  limitedUse?: boolean | undefined;
  /** The destination's allow-list of fields. */
  allowFields?: readonly string[] | undefined;
  /** Origin of the pixel script. Default: Snapchat's. */
  scriptOrigin?: string | undefined;
}

/** A pixel's configuration, ready to be served. */
export interface PixelConfigDocument {
  config: PixelConfig;
  /** The same as text: the body of an answer. */
  json: string;
  /** Changes with the content and with nothing else; in quotation marks, as the header wants it. */
  etag: string;
}

/**
 * The part of a destination that its pages get: client rules, toggles and names. No secret, no rule of the server's, no
 * identifier's source.
 *
 * @example
 * ```ts
 * import { pixelConfig, pixelConfigResponse } from "snapchat-destination/pixel";
 * import { presets, setToggle } from "snapchat-destination/workflow";
 *
 * const workflow = setToggle(presets.segment(), "Order Completed", { client: true });
 * const document = pixelConfig({ pixelId: "11111111-2222-4333-8444-555555555555", workflow });
 * const answer = pixelConfigResponse(document, new Request("https://cdp.example/pixel/d-1.json"));
 * ```
 */
export function pixelConfig(input: PixelConfigInput): PixelConfigDocument {
  const { pixelId = "", workflow, scriptOrigin = SNAPCHAT_ENDPOINTS.pixelScript } = input;
  const rules = workflow && browserWorkflow(workflow);
  const events = rules ? targets(rules) : [];
  const off = input.off ?? (pixelId === "" ? "pixel_missing" : events.length === 0 ? "no_client_rules" : undefined);
  const config: PixelConfig = off ? { pixelId, events: [], off } : { pixelId, events };
  if (!off) {
    const allow = allowedParameters(input.allowFields);
    if (allow) config.allow = allow;
    const { integration, limitedUse } = input;
    const always = { ...(integration && { integration }), ...(limitedUse && { data_use: LIMITED_DATA_USE }) };
    if (Object.keys(always).length > 0) config.always = always;
    if (scriptOrigin !== SNAPCHAT_ENDPOINTS.pixelScript) config.script = scriptOrigin + PIXEL_SCRIPT_PATH;
    if (rules) config.workflow = rules;
  }
  const json = JSON.stringify(config);
  return { config, json, etag: `"${digest(json)}"` };
}

/** Snap events a client rule makes, in the order of the rules. */
function targets({ rules }: BrowserWorkflow): PixelConfig["events"] {
  const names = Object.values(rules).flatMap((list) => list.map(({ to }) => to));
  return [...new Set(names)].filter(isEventName);
}

/** How long a page may go on with what it has before it asks again. */
const MAX_AGE_SECONDS = 60;

/**
 * The answer to a page that asks for its configuration: JSON for every origin, kept a minute, and 304 where the page has
 * it already.
 *
 * @example
 * ```ts
 * import { pixelConfigResponse } from "snapchat-destination/pixel";
 *
 * // GET /pixel/:destination.json, on any framework that speaks Request and Response.
 * export const answer = async (request: Request, id: string) => pixelConfigResponse(await acme.pixel.config(id), request);
 * ```
 */
export function pixelConfigResponse({ json, etag }: PixelConfigDocument, request: Request): Response {
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": `public, max-age=${MAX_AGE_SECONDS}`,
    "access-control-allow-origin": "*",
    etag,
  };
  const known = request.headers.get("if-none-match") ?? "";
  // Proxies that compress make the tag a weak one.
  const same = known.split(",").some((tag) => [etag, "*"].includes(tag.trim().replace(/^W\//, "")));
  return new Response(same ? null : json, { status: same ? 304 : 200, headers });
}
