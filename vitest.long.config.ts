import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** The long forms: more seeds, more events. `npm run test:long -- <room>` takes one room. */
export default defineConfig({
  ...base,
  // The walk of test/walk lies under `npm test`.
  plugins: [],
  test: {
    ...base.test,
    globalSetup: [],
    setupFiles: [],
    include: ["test/long/**/*.test.ts"],
    exclude: [],
    testTimeout: 3_600_000,
  },
});
