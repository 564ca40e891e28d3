export type { PixelCall, PixelCallOptions, PixelIdentity, PixelParameters } from "./calls.ts";
export { pixelTrackCall } from "./calls.ts";
