/**
 * Packs the package, installs the tarball into an empty folder beside exactly the oldest Node we promise, and there: runs
 * the main job, requires it from CommonJS, and compiles a strict consumer of every subpath. What users get, on what they
 * run.
 */
import { installPacked } from "./packed/folder.ts";

const nodeVersion = process.argv[2] ?? "22.18.0";
const { described, run, remove } = installPacked({ node: nodeVersion, typescript: "~6.0", "@types/node": "24" }, [
  "node",
]);
try {
  const node = ".bin/node";
  const version = run(node, ["--version"]);
  if (version !== `v${nodeVersion}`) throw new Error(`expected Node ${nodeVersion}, got ${version}`);
  console.log(run(node, ["smoke.mjs"]));
  console.log(run(node, ["consumer.cjs"]));
  run(node, ["node_modules/typescript/bin/tsc", "-p", "."]);
  console.log("types: a strict consumer of every subpath compiles, declarations checked");
  console.log(`packed: ${described.entryCount} files, ${described.size} bytes; ran on Node ${version}`);
} finally {
  remove();
}
