/** `npm run check:licences`: every package that users install with ours has a licence that any of them can accept. */
import { type Bill, billOfMaterials } from "./bill.ts";

/** Permissive ones, without duties beyond naming the author. Another one is a decision: see docs/decisions.md. */
export const ALLOWED: readonly string[] = ["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"];

/** Packages without a licence of {@link ALLOWED}, as `name@version: licence`. Of `A OR B` one is enough, of `A AND B` not. */
export function refused({ components }: Bill): string[] {
  return components.flatMap(({ name, version, licenses = [] }) => {
    const stated = licenses.map((one) => ("expression" in one ? one.expression : (one.license.id ?? one.license.name)));
    const accepted = stated.length > 0 && stated.every((licence) => acceptable(licence ?? ""));
    return accepted ? [] : [`${name}@${version}: ${stated.join(", ") || "no licence"}`];
  });
}

const acceptable = (expression: string): boolean =>
  expression
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((licence) => ALLOWED.includes(licence.trim())));

if (import.meta.main) {
  const bill = billOfMaterials();
  const bad = refused(bill);
  if (bad.length > 0) {
    console.error(`licences: not allowed:\n${bad.map((line) => `  ${line}`).join("\n")}`);
    process.exit(1);
  }
  console.log(`licences: ${bill.components.length} packages, all of ${ALLOWED.join(", ")}`);
}
