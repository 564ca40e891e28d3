import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { memory } from "../../src/memory/index.ts";
import { type StorageCase, testStorage } from "../../src/testing/storage-kit/index.ts";
import { append } from "./mutants/append.ts";
import { claim } from "./mutants/claim.ts";
import { members } from "./mutants/members.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { records } from "./mutants/records.ts";
import { harness, playingMemory } from "./mutants/settings.ts";
import { settle } from "./mutants/settle.ts";
import { slotsAndJournal } from "./mutants/slots-journal.ts";

const MUTANTS: readonly Mutant[] = [
  ...records,
  ...append,
  ...claim,
  ...settle,
  ...members,
  ...slotsAndJournal,
  ...harness,
];
const room = fileURLToPath(new URL("../../src/storage/", import.meta.url));
const work = fileURLToPath(new URL(`../../node_modules/.cache/storage-mutants-${process.pid}/`, import.meta.url));

let built = 0;

/** The memory adapter with one text of its source changed. */
async function mutate(patch: Mutant["patch"]): Promise<typeof memory> {
  const change: Plugin = {
    name: "mutant",
    setup(bundler) {
      if (!patch) return;
      bundler.onLoad({ filter: new RegExp(`storage/${patch.file.replaceAll(".", "\\.")}$`) }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        const parts = source.split(patch.find);
        if (parts.length !== 2) throw new Error(`"${patch.find}" stands ${parts.length - 1} times in ${patch.file}`);
        return { contents: parts.join(patch.replace), loader: "ts" };
      });
    },
  };
  const outfile = `${work}${built++}.mjs`;
  const entryPoints = [`${room}memory/index.ts`];
  const bundle = { entryPoints, bundle: true, platform: "node", format: "esm", write: false } as const;
  const { outputFiles } = await build({ ...bundle, entryPoints, plugins: [change], logLevel: "silent" });
  writeFileSync(outfile, outputFiles[0]?.text ?? "");
  return ((await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as { memory: typeof memory }).memory;
}

function casesOf(options: Parameters<typeof testStorage>[0]): Map<string, StorageCase> {
  const cases = new Map<string, StorageCase>();
  // The test's clock where a case runs with both: no waiting.
  for (const one of testStorage({ ...options, clocks: ["engine", "test"] }))
    cases.set(`${one.port}: ${one.sentence}`, one);
  return cases;
}

describe.concurrent("a memory storage broken in one sentence is caught", () => {
  beforeAll(() => {
    mkdirSync(work, { recursive: true });
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("by no case as long as it is whole", async () => {
    const whole = playingMemory(await mutate(undefined));
    const failed: string[] = [];
    for (const [sentence, { run }] of casesOf(whole))
      await run().catch((error) => failed.push(`${sentence}: ${error}`));
    expect(failed).toEqual([]);
  });

  for (const [index, { breaks, patch, options }] of MUTANTS.entries()) {
    it(`${index}: ${breaks}`, async () => {
      const base = playingMemory(await mutate(patch));
      const broken = casesOf(options ? options(base) : base).get(breaks);
      await expect(broken?.run()).rejects.toThrow();
    });
  }

  it("in every sentence there is", () => {
    const broken = new Set(MUTANTS.map(({ breaks }) => breaks));
    const all = [...casesOf({ create: async () => Promise.reject(), destroy: async () => {} }).keys()];
    expect(all.filter((sentence) => !broken.has(sentence))).toEqual([]);
  });
});
