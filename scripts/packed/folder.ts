import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What users compile with at most: strict, and the declarations of the package itself checked. */
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    module: "nodenext",
    target: "es2023",
    lib: ["es2024", "esnext.disposable"],
    types: ["node"],
    noEmit: true,
  },
  files: ["strict-consumer.ts"],
};

/** An empty folder with the packed tarball, the programs of this directory and what else is asked for installed in it. */
export function installPacked(dependencies: Record<string, string>, allowScripts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "packed-"));
  const packed = execute("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
  const [described] = JSON.parse(packed.slice(packed.indexOf("["))) as [
    { filename: string; size: number; entryCount: number },
  ];
  const allowed = Object.fromEntries(allowScripts.map((name) => [name, true]));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", allowScripts: allowed, dependencies }),
  );
  execute("npm", ["install", "--no-audit", "--no-fund", join(folder, described.filename)], folder);
  cpSync(fileURLToPath(new URL(".", import.meta.url)), folder, { recursive: true });
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  return {
    folder,
    described,
    run: (program: string, args: readonly string[], timeoutMs?: number) =>
      execute(join(folder, "node_modules", program), args, folder, timeoutMs).trim(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function execute(command: string, args: readonly string[], cwd: string, timeout = 300_000): string {
  return execFileSync(command, args, { cwd, timeout, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
