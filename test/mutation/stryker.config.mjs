/** One room at a time, as `scripts/mutation.ts` says. */
const room = process.env.MUTATION_ROOM ?? "identity";
const files = (process.env.MUTATION_FILES ?? "").split(",").filter(Boolean);
const sampled = process.env.MUTATION_SAMPLE !== undefined;

/** Tables that a script or a standard wrote: a mutant of a datum says nothing about the code that reads it. */
const DATA = ["src/identity/phone-plans.ts", "src/identity/states.ts"];

/** What only runs in bundles and on edges is tested in processes of its own, which a mutant does not reach. */
const ELSEWHERE = ["src/identity/country-data.ts", "src/identity/phone-library.ts"];

export default {
  testRunner: "vitest",
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  mutate: [
    ...(files.length > 0 ? files.map((file) => `src/${room}/${file}`) : [`src/${room}/**/*.ts`]),
    ...[...DATA, ...ELSEWHERE].map((file) => `!${file}`),
  ],
  coverageAnalysis: "perTest",
  // A mutant of what runs while a module loads needs every test again, and a fresh process: the tables of a room.
  ignoreStatic: true,
  plugins: ["@stryker-mutator/*", "./test/mutation/sample.ts"],
  checkers: sampled ? ["sample"] : [],
  concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 1),
  timeoutMS: 30_000,
  dryRunTimeoutMinutes: 60,
  ignorePatterns: ["dist", "docs/api", "bench", ".bench", "coverage"],
  // What an earlier run knows of unchanged code and tests is kept: a room is run in pieces. A sample is drawn afresh.
  incremental: !sampled,
  incrementalFile: `.stryker-tmp/incremental-${room}.json`,
  tempDirName: ".stryker-tmp",
  reporters: ["progress-append-only", "clear-text", "lines"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
  thresholds: { high: 90, low: 85, break: null },
  // vitest strips types without a look at them.
  disableTypeChecks: false,
};
