import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { buildPixelScript } from "./scripts/pixel-script.ts";
import { LongestFirst } from "./test/longest-first.ts";
import { instrument } from "./test/walk/instrument.ts";

const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [instrument()],
  define: { PIXEL_SCRIPT: JSON.stringify(await buildPixelScript()) },
  resolve: {
    alias: [
      { find: /^snapchat-destination$/, replacement: src("index.ts") },
      { find: /^snapchat-destination\/(pixel\/(?:browser|router))$/, replacement: src("$1.ts") },
      { find: /^snapchat-destination\/([a-z]+)$/, replacement: src("$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/long/**", "**/node_modules/**"],
    globalSetup: ["test/walk/suite.ts"],
    setupFiles: ["test/walk/setup.ts"],
    // Only what hangs needs an end: a busy machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most files wait for servers, browsers and timers as much as they compute.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary"] },
  },
});
