import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sqlite } from "../../src/sqlite/index.ts";
import { MIGRATIONS } from "../../src/storage/sqlite/sql.ts";
import { SOURCE, startJob } from "./sqlite-jobs.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sqlite-processes-"));
  path = join(directory, "test.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));

async function drained(): Promise<string[]> {
  const storage = sqlite(path);
  const o = { owner: "test", leaseMs: 60_000, maxItems: 1_000, maxBytes: 50_000_000 };
  const found: string[] = [];
  for (let claim = await storage.outbox.claim(o); claim; claim = await storage.outbox.claim(o)) {
    const ids = claim.entries.map(({ id }) => id);
    await storage.outbox.settle(
      claim,
      ids.map((id) => ({ id })),
    );
    found.push(...ids);
  }
  await storage.close();
  return found;
}

describe("a process that is killed while it appends", () => {
  it("leaves everything it was told is stored, and at most the one call it waited for", async () => {
    const told: string[] = [];
    for (let round = 0; round < 5; round++) {
      const running = startJob({ path, task: "append", prefix: `${round}-` });
      // Somewhere in the middle of a commit, each time at another one.
      await running.said(3 + 7 * round);
      running.process.kill("SIGKILL");
      told.push(...(await running.ended).flatMap(({ stored }) => stored ?? []));
    }
    expect(told.length).toBeGreaterThan(40);
    const found = new Set(await drained());
    expect(told.filter((id) => !found.has(id))).toEqual([]);
    expect(found.size).toBeLessThanOrEqual(told.length + 5);
  });

  it("leaves a file that can be used when it is killed while it creates the tables", async () => {
    for (let round = 0; round < 3; round++) {
      const running = startJob({ path, task: "append", count: 0 });
      await running.said(0);
      while (!running.process.killed && readable(path) === undefined) await new Promise((r) => setTimeout(r, 1));
      running.process.kill("SIGKILL");
      await running.ended;
    }
    expect(await drained()).toEqual([]);
  });
});

function readable(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** A later version of the adapter: one migration more, that adds a table, a column and an index. */
const LATER = `[
  ...EARLIER,
  { version: EARLIER.length + 1, name: "what comes next", sql: \`
    ALTER TABLE entries ADD COLUMN note TEXT;
    ALTER TABLE groups ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE extra (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    CREATE INDEX entries_note ON entries (note) WHERE note IS NOT NULL;\` },
];`;

const work = fileURLToPath(new URL(`../../node_modules/.cache/sqlite-later-${process.pid}/`, import.meta.url));
const later = pathToFileURL(`${work}sqlite.mjs`).href;

describe("this version and one with a migration more, on one file", () => {
  beforeAll(async () => {
    mkdirSync(work, { recursive: true });
    const newer: Plugin = {
      name: "later",
      setup(bundler) {
        bundler.onLoad({ filter: /storage\/sqlite\/sql\.ts$/ }, ({ path: file }) => {
          const source = readFileSync(file, "utf8").replace("export const MIGRATIONS:", "const EARLIER:");
          return { contents: `${source}\nexport const MIGRATIONS = ${LATER}`, loader: "ts" };
        });
      },
    };
    await build({
      entryPoints: [fileURLToPath(SOURCE)],
      outfile: fileURLToPath(later),
      bundle: true,
      platform: "node",
      format: "esm",
      plugins: [newer],
    });
  });
  afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 10 }));

  it("append and consume together, while the newer one migrates under the older one's load", async () => {
    const count = 150;
    const older = startJob({ path, task: "append", prefix: "older-", count });
    await older.said(20);
    const newer = startJob({ module: later, path, task: "append", prefix: "newer-", count });
    const consumers = [startJob({ path, task: "consume" }), startJob({ module: later, path, task: "consume" })];
    const all = await Promise.all([older, newer, ...consumers].map(({ ended }) => ended));
    const lines = all.flat();
    expect(lines.flatMap(({ error }) => error ?? [])).toEqual([]);
    const stored = lines.flatMap(({ stored }) => stored ?? []);
    const consumed = lines.flatMap(({ consumed }) => consumed ?? []);
    expect(stored.length).toBe(2 * count);
    expect([...consumed, ...(await drained())].sort()).toEqual(stored.sort());
    const db = new DatabaseSync(path);
    expect(db.prepare("SELECT count(*) AS n FROM migrations").get()).toEqual({ n: MIGRATIONS.length + 1 });
    db.close();
  });

  it("ten processes of both versions open a new file at once", async () => {
    const jobs = Array.from({ length: 10 }, (_, n) =>
      startJob({ path, task: "append", prefix: `${n}-`, count: 1, ...(n % 2 ? { module: later } : {}) }),
    );
    const lines = (await Promise.all(jobs.map(({ ended }) => ended))).flat();
    expect(lines.flatMap(({ error }) => error ?? [])).toEqual([]);
    expect((await drained()).length).toBe(10);
  });
});
