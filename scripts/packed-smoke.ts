/**
 * Packs the package, installs the tarball into an empty folder beside exactly the oldest Node we promise, and runs the
 * main job there: what users get, on what they run.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const nodeVersion = process.argv[2] ?? "22.18.0";
const folder = mkdtempSync(join(tmpdir(), "packed-"));

try {
  const packed = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
  const described = JSON.parse(packed.slice(packed.indexOf("["))) as [
    { filename: string; size: number; entryCount: number },
  ];
  const tarball = join(folder, described[0].filename);
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", allowScripts: { node: true }, dependencies: {} }),
  );
  run("npm", ["install", "--no-audit", "--no-fund", tarball, `node@${nodeVersion}`], folder);
  cpSync(join(root, "scripts/packed-smoke.mjs"), join(folder, "smoke.mjs"));
  const node = join(folder, "node_modules/.bin/node");
  const version = run(node, ["--version"], folder).trim();
  if (version !== `v${nodeVersion}`) throw new Error(`expected Node ${nodeVersion}, got ${version}`);
  console.log(run(node, ["smoke.mjs"], folder).trim());
  console.log(`packed: ${described[0].entryCount} files, ${described[0].size} bytes; ran on Node ${version}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
