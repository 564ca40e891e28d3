import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fieldsPage, repairsPage } from "../../scripts/generate-repairs.ts";

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");

describe("the generated pages", () => {
  it("say what the code does; run `node scripts/generate-repairs.ts` where they do not", () => {
    expect(page("repairs")).toBe(repairsPage());
    expect(page("fields")).toBe(fieldsPage());
  });
});
