import { build } from "esbuild";

/**
 * The pixel's runtime as one script for pages without a bundler: what `pixelScript()` gives and what is shipped as
 * `dist/pixel/browser.global.js`. The build and the tests write it into the code as `PIXEL_SCRIPT`.
 */
export async function buildPixelScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("../src/pixel/global.ts", import.meta.url).pathname],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2021",
    // Bytes of "use strict" that nothing here needs.
    tsconfigRaw: { compilerOptions: { alwaysStrict: false } },
  });
  return (outputFiles[0]?.text ?? "").trim();
}
