export type { PixelCall, PixelCallOptions } from "./calls.ts";
export { pixelTrackCall } from "./calls.ts";
export type { PixelConfig, PixelIdentity, PixelOff } from "./options.ts";
export type { PixelParameters } from "./parameters.ts";
