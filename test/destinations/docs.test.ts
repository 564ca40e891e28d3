import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HOLD } from "../../src/destinations/effects.ts";

const page = readFileSync(new URL("../../docs/destination-life.md", import.meta.url), "utf8");

describe("docs/destination-life.md", () => {
  it("names every reason for which a queue is held, and no other", () => {
    const table =
      page.slice(page.indexOf("## Reasons for which a queue is held")).split("\nReasons are a set")[0] ?? "";
    const named = [...table.matchAll(/^\| `(\w+)` +\|/gm)].map(([, reason]) => reason);
    expect(named.sort()).toEqual(Object.values(HOLD).sort());
  });

  it("has a row for every transition of the diagram that changes the queue", () => {
    for (const row of [
      "create",
      "enable",
      "disable, `hold`",
      "disable, `finish`",
      "disable, `drop`",
      "other pixel, `old_asset`",
      "other ad account",
      "disconnect",
      "suspend the tenant",
      "resume the tenant",
      "delete",
      "offboard the tenant",
    ]) {
      expect(page.replaceAll(/ +\|/g, " |"), row).toContain(`| ${row}`);
    }
  });
});
