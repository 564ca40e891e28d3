/**
 * `npm run test:mutation -- <room> [files]`: changes the source of a room in one place at a time and asks the room's quick
 * tests whether they notice. The tester is installed here on the first call, not with everything else. What a run learned
 * of unchanged code is kept in `.stryker-tmp`, so a room can be run in pieces.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stryker = "test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js";
const [room = "identity", ...files] = process.argv.slice(2);

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(`${root}${stryker}`)) {
  // Without peers: the tester uses the project's own vitest.
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--legacy-peer-deps"];
  run("npm", ["install", "--prefix", "test/mutation", ...flags]);
}
run(process.execPath, [stryker, "run", "test/mutation/stryker.config.mjs"], {
  MUTATION_ROOM: room,
  MUTATION_FILES: files.join(","),
});
