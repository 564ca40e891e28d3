import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Of the contract without white space and comment marks: every word of it counts. */
const VERSION_1 = "566c7bc347faf073c596458f78ce205569c207972759b27aab90e0b161450a3e";

it("version 1 of the storage contract stays as adapters were written for it", () => {
  const ports = readFileSync(new URL("../../src/storage/ports.ts", import.meta.url), "utf8");
  const words = ports.replaceAll(/[\s/*]+/g, " ");
  expect(
    hash("sha256", words),
    "A new sentence breaks adapters that others wrote: it needs a new portVersion, or has to be optional and said in docs/storage-adapter.md.",
  ).toBe(VERSION_1);
});
