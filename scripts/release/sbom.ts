/** `npm run sbom`: writes the bill of materials that goes with a release, and fails when it lacks a dependency. */
import { writeFileSync } from "node:fs";
import { type Bill, billOfMaterials, described, ROOT } from "./bill.ts";

/** Production dependencies that the bill does not name. */
export const missingIn = (bill: Bill, dependencies: readonly string[]): string[] =>
  dependencies.filter((name) => !bill.components.some((component) => component.name === name));

if (import.meta.main) {
  const { name, dependencies } = described();
  const bill = billOfMaterials();
  const missing = missingIn(bill, Object.keys(dependencies));
  if (bill.bomFormat !== "CycloneDX" || missing.length > 0) {
    console.error(`sbom: not in the bill of materials: ${missing.join(", ")}`);
    process.exit(1);
  }
  writeFileSync(`${ROOT}/${name}.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`sbom: ${name}.cdx.json, ${bill.components.length} components`);
}
