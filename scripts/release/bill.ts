import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is read of a CycloneDX bill of materials. */
export interface Bill {
  bomFormat: string;
  metadata: { component: { name: string; version: string } };
  components: Component[];
}

interface Component {
  name: string;
  version: string;
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
}

export const described = (): { name: string; version: string; dependencies: Record<string, string> } =>
  JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));

/**
 * What users install, from the lock file: every production dependency and theirs. Needs no network. The lock file is cut
 * to them first: `npm sbom --omit dev` also leaves out a production dependency that a development tool uses, too.
 */
export function billOfMaterials(): Bill {
  const parent = mkdtempSync(join(tmpdir(), "bill-"));
  const folder = join(parent, described().name); // npm names the component after it
  try {
    mkdirSync(folder);
    const { devDependencies: _, ...root } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
    const lock = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, "utf8"));
    lock.packages = Object.fromEntries(
      Object.entries<{ dev?: true }>(lock.packages).filter(([, entry]) => entry.dev !== true),
    );
    delete lock.packages[""].devDependencies;
    writeFileSync(join(folder, "package.json"), JSON.stringify(root));
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
    const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
    return JSON.parse(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
