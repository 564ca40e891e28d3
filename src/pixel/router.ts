/**
 * Client rules in the browser, for platforms whose events are born there: the rules the server has, at most 1.5 kB.
 *
 * @module
 */
import type { BrowserWorkflow } from "../rules/browser.ts";
import { type ClientEvent, type ClientResult, createClientRouter } from "../rules/client.ts";
import type { Pixel, PixelConfig } from "./options.ts";

export type { ClientDecision, ClientEvent, ClientResult } from "../rules/client.ts";

/**
 * Sends events through the client rules of a destination. The id is minted first and handed on before the pixel is
 * called: put it into the copy that your own SDK sends to your server, as the event's browser id.
 *
 * Nothing here throws: an event that cannot be read makes no decision.
 *
 * @param handOn gets the id both copies share.
 * @example
 * ```ts
 * import { createPixel, type PixelConfig } from "snapchat-destination/pixel/browser";
 * import { createRouter } from "snapchat-destination/pixel/router";
 *
 * declare const config: PixelConfig; // what pixel.config() gave on the server
 * declare function sendToOurServer(event: object): void;
 *
 * const pixel = createPixel(config);
 * const route = createRouter(pixel, config, (browserId, event) => sendToOurServer({ ...event, browserId }));
 * route({ name: "Order Completed", properties: { order_id: "7", total: 20, currency: "GBP" } });
 * ```
 */
export function createRouter(
  pixel: Pick<Pixel, "track" | "newId">,
  config: Pick<PixelConfig, "workflow">,
  handOn?: (eventId: string, event: ClientEvent) => void,
): (event: ClientEvent) => ClientResult {
  const route = createClientRouter(config.workflow as BrowserWorkflow, pixel.newId);
  return (event) => {
    // What stands where a configuration is off and has no rules: the platform's own copy goes alone, with an id as ever.
    let result: ClientResult = { eventId: pixel.newId(), decisions: [] };
    try {
      result = route(event);
    } catch {}
    try {
      handOn?.(result.eventId, event);
    } catch {}
    for (const { event: name, parameters } of result.decisions) if (name) pixel.track(name as "SAVE", parameters);
    return result;
  };
}
