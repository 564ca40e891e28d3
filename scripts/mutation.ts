/**
 * `npm run test:mutation -- <room> [files] [--sample 400 --seed 7]`: changes the source of a room in one place at a time and asks
 * the room's quick tests whether they notice; with `--sample`, in so many places drawn at random. Ctrl+C ends it with the score of
 * what has been tried. The tester is installed here on the first call, not with everything else. What a whole run learned of
 * unchanged code is kept in `.stryker-tmp`, so a room can be run in pieces.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const stryker = "test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" } },
});
const [room = "identity", ...files] = positionals;
const outcomes = `${root}.stryker-tmp/${room}.jsonl`;

/** The interval that holds a share with 95 % likelihood (Wilson), in percent. */
function interval(hits: number, of: number): [number, number] {
  const z = 1.96;
  const share = hits / of;
  const centre = share + z ** 2 / (2 * of);
  const reach = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [(100 * (centre - reach)) / (1 + z ** 2 / of), (100 * (centre + reach)) / (1 + z ** 2 / of)];
}

type Line = { places: number } | { status: string; file: string; line: number; replacement: string };

function summary(): string {
  const lines = readFileSync(outcomes, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
  const tried = lines.filter((line) => "status" in line);
  const count = (of: typeof tried, ...statuses: string[]) =>
    of.filter(({ status }) => statuses.includes(status)).length;
  const score = (of: typeof tried) => {
    const noticed = count(of, "Killed", "Timeout");
    return { noticed, of: noticed + count(of, "Survived", "NoCoverage") };
  };
  const percent = (share: number) => `${share.toFixed(1)} %`;
  const perFile = [...new Set(tried.map(({ file }) => file))].toSorted().flatMap((file) => {
    const { noticed, of } = score(tried.filter((line) => line.file === file));
    return of === 0 ? [] : `${file.padEnd(44)} ${String(noticed).padStart(5)} of ${of}`;
  });
  const { noticed, of } = score(tried);
  const places = lines.find((line) => "places" in line)?.places;
  const [from, to] = interval(noticed, of);
  return [
    ...perFile,
    `\n${room}: ${noticed} of ${of} changes noticed, ${percent((100 * noticed) / of)}`,
    ...(places === undefined
      ? []
      : [`drawn from ${places} (seed ${values.seed}); 95 % interval ${percent(from)} to ${percent(to)}`]),
    `not noticed ${count(tried, "Survived")}, not reached by a test ${count(tried, "NoCoverage")}, hung ${count(tried, "Timeout")}`,
    `left out: ${count(tried, "Ignored")} that run while a module loads, ${count(tried, "RuntimeError")} that end the test run`,
  ].join("\n");
}

if (!existsSync(`${root}${stryker}`)) {
  // Without peers: the tester uses the project's own vitest.
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--legacy-peer-deps"];
  const { status } = spawnSync("npm", ["install", "--prefix", "test/mutation", ...flags], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
mkdirSync(`${root}.stryker-tmp`, { recursive: true });
writeFileSync(outcomes, "");
// Ctrl+C is for the tester, which ends; what it tried is told below.
process.on("SIGINT", () => {});
spawnSync(process.execPath, [stryker, "run", "test/mutation/stryker.config.mjs"], {
  cwd: root,
  stdio: "inherit",
  env: {
    ...process.env,
    MUTATION_ROOM: room,
    MUTATION_FILES: files.join(","),
    MUTATION_LINES: outcomes,
    ...(values.sample !== undefined && { MUTATION_SAMPLE: values.sample, MUTATION_SEED: values.seed }),
  },
});
console.log(summary());
