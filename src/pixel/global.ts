import { createPixel } from "./browser.ts";
import { page } from "./page.ts";

// The single-file script: `snapchatDestination.createPixel(…)` for pages without a bundler.
page.snapchatDestination = { createPixel };
