import { describe, expect, it } from "vitest";
import { verdict } from "../../scripts/release/audit.ts";
import { type Bill, billOfMaterials, described } from "../../scripts/release/bill.ts";
import { complaint, readable } from "../../scripts/release/changeset.ts";
import { refused } from "../../scripts/release/licences.ts";
import { missingIn } from "../../scripts/release/sbom.ts";

const bill = (...licenses: NonNullable<Bill["components"][number]["licenses"]>): Bill => ({
  bomFormat: "CycloneDX",
  metadata: { component: { name: "ours", version: "1.0.0" } },
  components: [{ name: "theirs", version: "2.0.0", licenses }],
});

describe("the bill of materials", () => {
  it("names us, every production dependency, and a licence for each", () => {
    const made = billOfMaterials();
    const { name, dependencies } = described();
    expect(made.metadata.component.name).toBe(name);
    expect(missingIn(made, Object.keys(dependencies))).toEqual([]);
    expect(made.components.length).toBeGreaterThanOrEqual(Object.keys(dependencies).length);
    expect(refused(made)).toEqual([]);
  });

  it("is refused when a dependency is not in it", () => {
    expect(missingIn(bill(), ["theirs", "forgotten"])).toEqual(["forgotten"]);
  });
});

describe("licences", () => {
  it("are refused when they are unknown, absent or bind users", () => {
    expect(refused(bill({ license: { id: "GPL-3.0-only" } }))).toEqual(["theirs@2.0.0: GPL-3.0-only"]);
    expect(refused(bill())).toEqual(["theirs@2.0.0: no licence"]);
    expect(refused(bill({ license: { name: "SEE LICENSE IN LICENSE" } }))).toHaveLength(1);
    expect(refused(bill({ expression: "MIT AND GPL-3.0-only" }))).toHaveLength(1);
  });

  it("are accepted when the user may choose an allowed one", () => {
    expect(refused(bill({ expression: "(GPL-3.0-only OR MIT)" }))).toEqual([]);
    expect(refused(bill({ license: { id: "ISC" } }))).toEqual([]);
  });
});

describe("the audit", () => {
  const answered = (vulnerabilities: Record<string, number>) => JSON.stringify({ metadata: { vulnerabilities } });

  it("fails on what is high or critical, and on nothing less", () => {
    expect(verdict(answered({ high: 1, critical: 0, total: 3 }))).toMatchObject({ fails: true });
    expect(verdict(answered({ high: 0, critical: 1, total: 1 }))).toMatchObject({ fails: true });
    expect(verdict(answered({ high: 0, critical: 0, moderate: 2, total: 2 }))).toEqual({
      fails: false,
      says: "0 critical, 0 high, 2 in all",
    });
  });

  it("says that nothing was judged when the registry does not answer", () => {
    for (const printed of ["", "npm error", JSON.stringify({ statusCode: 405, message: "Method Not Allowed" })]) {
      expect(verdict(printed)).toEqual({
        fails: false,
        says: "the registry's audit did not answer; nothing was judged",
      });
    }
  });
});

describe("the source", () => {
  it("may not have changed without a note to users", () => {
    expect(complaint(3, 0, [])).toMatch(/npx changeset/);
    expect(complaint(3, 1, [])).toBeUndefined();
    expect(complaint(0, 0, [])).toBeUndefined();
  });

  it("has notes that changesets can read", () => {
    expect(readable('---\n"ours": minor\n---\n\nNew.\n', "ours")).toBe(true);
    expect(readable("---\n---\n\nOf no interest.\n", "ours")).toBe(true);
    expect(readable('---\n\n## "ours": minor\n\nNew.\n', "ours")).toBe(false);
    expect(readable('---\n"theirs": minor\n---\n\nNew.\n', "ours")).toBe(false);
    expect(complaint(0, 1, ["bad.md"])).toMatch(/bad\.md/);
  });
});
