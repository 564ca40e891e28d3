/**
 * The server's half of the pixel: what a page is given, and what it would send. The page's half is
 * `snapchat-destination/pixel/browser`.
 *
 * @module
 */
export { type PixelCall, type PixelCallOptions, pixelTrackCall } from "./calls.ts";
export { type PixelConfigDocument, type PixelConfigInput, pixelConfig, pixelConfigResponse } from "./config.ts";
export { type PixelCspOptions, pixelCsp } from "./csp.ts";
export { type PixelPerson, pixelIdentity } from "./identity.ts";
export type { PixelConfig, PixelIdentity, PixelOff } from "./options.ts";
export type { PixelParameters } from "./parameters.ts";
export { type PixelTagOptions, pixelScript, pixelTag } from "./tag.ts";
