import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { identifiers } from "../../scripts/generate-identifiers.ts";

it("docs/identifiers.md says what the tests prove", () => {
  const file = readFileSync(new URL("../../docs/identifiers.md", import.meta.url), "utf8");
  expect(file, "run: npx tsx scripts/generate-identifiers.ts").toBe(identifiers());
});
