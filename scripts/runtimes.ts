/**
 * `npm run test:runtimes`: the packed tarball on every runtime and with every compiler we name, all of them from the npm
 * registry. Prints a table and exits 1 where anything fails. Takes minutes, so it is no part of `npm test`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { installPacked } from "./packed/folder.ts";

const NODES = { node22: "22.18.0", node24: "24", node26: "26" };
const COMPILERS = { typescript5: "5.9", typescript6: "6.0", typescript7: "7" };
const REDIRECT_URI = "http://127.0.0.1:8080/callback";
const TIMEOUT_MS = 90_000;
const nodeOf = (name: string): string => `${name}/bin/node`;

const dependencies: Record<string, string> = {
  bun: "1",
  deno: "2",
  miniflare: "4",
  esbuild: "0.28",
  "@types/node": "24",
};
for (const [name, version] of Object.entries(NODES)) dependencies[name] = `npm:node@${version}`;
for (const [name, version] of Object.entries(COMPILERS)) dependencies[name] = `npm:typescript@${version}`;
const place = installPacked(dependencies, ["node", "bun", "deno", "workerd", "esbuild"]);

const failures: string[] = [];
const report = (what: string, run: () => string) => {
  try {
    console.log(`${what}: ${run()}`);
  } catch (error) {
    failures.push(what);
    console.log(`${what}: FAILED ${(error as Error).message.split(" {", 1)[0]}`);
  }
};

const cli = "snapchat-destination/dist/cli/bin.js";
const simulator = spawn(
  join(place.folder, "node_modules", nodeOf("node24")),
  [join(place.folder, "node_modules", cli), "simulator", "--port", "0", "--json", "--redirect-uri", REDIRECT_URI],
  { stdio: ["ignore", "pipe", "inherit"] },
);
try {
  const [line] = await once(createInterface({ input: simulator.stdout }), "line");
  const described = JSON.stringify({ ...JSON.parse(String(line)), redirectUri: REDIRECT_URI });

  for (const name of Object.keys(NODES)) {
    const version = place.run(nodeOf(name), ["--version"]);
    report(`Node ${version}, edge`, () => steps(place.run(nodeOf(name), ["edge-process.mjs", described], TIMEOUT_MS)));
    report(`Node ${version}, main job`, () => place.run(nodeOf(name), ["smoke.mjs"], TIMEOUT_MS));
    report(`Node ${version}, CommonJS`, () => place.run(nodeOf(name), ["consumer.cjs"], TIMEOUT_MS));
  }
  const bun = `Bun ${place.run(".bin/bun", ["--version"])}`;
  report(`${bun}, edge`, () => steps(place.run(".bin/bun", ["edge-process.mjs", described], TIMEOUT_MS)));
  const deno = place.run(".bin/deno", ["--version"]).split("\n", 1)[0] ?? "";
  report(`${deno}, edge`, () =>
    steps(place.run(".bin/deno", ["run", "-A", "edge-process.mjs", described], TIMEOUT_MS)),
  );
  report("workerd, edge", () => steps(place.run(nodeOf("node24"), ["workerd.mjs", described], TIMEOUT_MS)));
  for (const name of Object.keys(COMPILERS)) {
    const tsc = `node_modules/${name}/bin/tsc`;
    const version = place.run(nodeOf("node24"), [tsc, "--version"]);
    report(
      `TypeScript ${version}`,
      () => place.run(nodeOf("node24"), [tsc, "-p", "."], TIMEOUT_MS) || "compiles, strict",
    );
  }
} finally {
  simulator.kill();
  place.remove();
}
if (failures.length > 0) {
  console.log(`${failures.length} failed.`);
  process.exitCode = 1;
}

/** The steps of an edge; throws if one of them is not ok. */
function steps(output: string): string {
  const said = JSON.parse(output.split("\n").at(-1) ?? "") as Record<string, string>;
  const wrong = Object.entries(said).filter(([, end]) => end !== "ok");
  if (wrong.length > 0) throw new Error(wrong.map(([step, end]) => `${step}: ${end}`).join("; "));
  return Object.keys(said).join(", ");
}
