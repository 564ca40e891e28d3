/**
 * `npm run test:mutation -- <room> [files] [--sample 400 --seed 7]`: changes the source of a room in one place at a time and asks
 * the room's quick tests whether they notice; with `--sample`, in so many places drawn at random. The tester is installed here on
 * the first call, not with everything else. What a whole run learned of unchanged code is kept in `.stryker-tmp`, so a room can be
 * run in pieces.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const stryker = "test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" } },
});
const [room = "identity", ...files] = positionals;

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

/** The interval that holds a share with 95 % likelihood (Wilson), in percent. */
function interval(hits: number, of: number): [number, number] {
  const z = 1.96;
  const share = hits / of;
  const centre = share + z ** 2 / (2 * of);
  const reach = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [(100 * (centre - reach)) / (1 + z ** 2 / of), (100 * (centre + reach)) / (1 + z ** 2 / of)];
}

type Report = { files: Record<string, { mutants: { status: string; statusReason?: string }[] }> };

function summary(): string {
  const { files } = JSON.parse(readFileSync(`${root}.stryker-tmp/${room}.json`, "utf8")) as Report;
  const all = Object.entries(files).flatMap(([file, { mutants }]) => mutants.map((mutant) => ({ ...mutant, file })));
  const count = (tried: typeof all, ...statuses: string[]) =>
    tried.filter(({ status }) => statuses.includes(status)).length;
  const score = (tried: typeof all) => {
    const noticed = count(tried, "Killed", "Timeout");
    return { noticed, of: noticed + count(tried, "Survived", "NoCoverage") };
  };
  const lines = Object.keys(files).flatMap((file) => {
    const { noticed, of } = score(all.filter((mutant) => mutant.file === file));
    return of === 0 ? [] : `${file.padEnd(44)} ${String(noticed).padStart(5)} of ${of}`;
  });
  const { noticed, of } = score(all);
  const places = of + all.filter(({ statusReason }) => statusReason === "not in the sample").length;
  const percent = (share: number) => `${share.toFixed(1)} %`;
  const [from, to] = interval(noticed, of);
  return [
    ...lines,
    "",
    `${room}: ${noticed} of ${of} changes noticed, ${percent((100 * noticed) / of)}`,
    of < places
      ? `drawn from ${places} (seed ${values.seed}); 95 % interval ${percent(from)} to ${percent(to)}`
      : "none left out",
    `not noticed ${count(all, "Survived")}, not reached by a test ${count(all, "NoCoverage")}, hung ${count(all, "Timeout")}; ` +
      `left out: ${count(all, "Ignored")} that run while a module loads, ${count(all, "RuntimeError")} that end the test run`,
  ].join("\n");
}

if (!existsSync(`${root}${stryker}`)) {
  // Without peers: the tester uses the project's own vitest.
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--legacy-peer-deps"];
  run("npm", ["install", "--prefix", "test/mutation", ...flags]);
}
run(process.execPath, [stryker, "run", "test/mutation/stryker.config.mjs"], {
  MUTATION_ROOM: room,
  MUTATION_FILES: files.join(","),
  ...(values.sample !== undefined && { MUTATION_SAMPLE: values.sample, MUTATION_SEED: values.seed }),
});
console.log(summary());
