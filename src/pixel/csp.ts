import { SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import { PIXEL_SECOND_COLLECTOR, PIXEL_STAGING_ORIGIN } from "../wire/pixel.ts";

/** How a page is served. */
export interface PixelCspOptions {
  /** Nonce of the page's scripts; also the pixel's script gets it. */
  nonce?: string | undefined;
  /** Add the host that pages on `localhost` report to. */
  development?: boolean | undefined;
  /** Origins, where they are not Snapchat's: a gateway of your own, a simulator. */
  endpoints?: { pixelScript: string; conversions: string } | undefined;
}

/**
 * What a page's Content-Security-Policy needs for the pixel: sources to add, by directive.
 *
 * Source: the pixel script's own calls, and captures of its requests.
 *
 * @example
 * ```ts
 * import { pixelCsp } from "snapchat-destination/pixel";
 *
 * const lines = Object.entries(pixelCsp()).map(([directive, sources]) => `${directive} ${sources.join(" ")}`);
 * const header = `default-src 'self'; ${lines.join("; ")}`;
 * ```
 */
export function pixelCsp(options: PixelCspOptions = {}): Record<string, string[]> {
  const { nonce, development, endpoints = SNAPCHAT_ENDPOINTS } = options;
  const collectors = [endpoints.conversions];
  if (endpoints.conversions === SNAPCHAT_ENDPOINTS.conversions) collectors.push(PIXEL_SECOND_COLLECTOR);
  if (development) collectors.push(PIXEL_STAGING_ORIGIN);
  const scripts = new Set([endpoints.pixelScript, endpoints.conversions]);
  if (development) scripts.add(PIXEL_STAGING_ORIGIN);
  return {
    // The script itself, and each pixel's configuration, which is a script too.
    "script-src": [...(nonce ? [`'nonce-${nonce}'`] : []), ...scripts],
    "connect-src": collectors,
    "img-src": collectors,
    // Partner cookies; forms that automated matching reads.
    "frame-src": [endpoints.conversions],
    "form-action": [endpoints.conversions],
  };
}
