import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorsPage } from "../../scripts/generate-errors.ts";

describe("docs/errors.md", () => {
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

  // The compiler reads the whole source for it.
  it("has every error that the source makes", { timeout: 180_000 }, () => {
    expect(page, "run: npx tsx scripts/generate-errors.ts").toBe(errorsPage());
  });

  it("says what happened and what to do, for each", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(120);
    for (const row of rows) {
      const [, , happened = "", todo = ""] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
      expect(happened, row).toMatch(/\w{2}/);
      expect(todo, row).toMatch(/\w{2}/);
    }
  });

  it("has every way in which a code is said, with names for what is known later", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `workflow_invalid`"));
    expect(rows).toEqual([
      "| `workflow_invalid` | The workflow does not hold: {problems}. | Correct the paths named in `details.paths` and save again. |",
    ]);
    expect(page.match(/^\| `snapchat_unavailable`/gm)).toHaveLength(2);
    expect(page).not.toContain("Snapchat asks to slow down. | Try again later; nothing");
    // Each condition goes one way in one error.
    expect(page).not.toMatch(/`record_corrupt` .*a newer one/);
    expect(page).not.toMatch(/\| [^|`]*…[^|`]* \|/);
  });
});
