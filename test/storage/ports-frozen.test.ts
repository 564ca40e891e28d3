import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Of the contract without white space and comment marks: every word of it counts. */
const VERSION_1 = "e645718050b7f5a1301389d89acf8b5e71b5deb5cd8f00159209358d57909472";

it("version 1 of the storage contract stays as adapters were written for it", () => {
  const ports = readFileSync(new URL("../../src/storage/ports.ts", import.meta.url), "utf8");
  const words = ports.replaceAll(/[\s/*]+/g, " ");
  expect(
    hash("sha256", words),
    "A new sentence breaks adapters that others wrote: it needs a new portVersion, or has to be optional and said in docs/storage-adapter.md.",
  ).toBe(VERSION_1);
});
