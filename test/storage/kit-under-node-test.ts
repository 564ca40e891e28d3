/** The conformance kit under Node's own test runner: `node --test` runs this file. */
import { test } from "node:test";
import { memory } from "../../src/memory/index.ts";
import { testStorage } from "../../src/testing/storage-kit/index.ts";

const cases = testStorage({
  create: async ({ clock }) => memory(clock ? { clock } : {}),
  destroy: (storage) => storage.close(),
  clocks: ["test"],
});
for (const { name, run } of cases) test(name, run);
