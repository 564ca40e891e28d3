/**
 * This version of the package and the one before it on one database, both under load. Until there are releases the one before
 * is the last commit with a migration fewer, from the repository's own history: `VERSIONS_COUNT=5 npm run test:long -- versions`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { postgres } from "../../src/postgres/index.ts";
import type { sqlite } from "../../src/sqlite/index.ts";
import { MIGRATIONS as POSTGRES } from "../../src/storage/postgres/sql.ts";
import { MIGRATIONS as SQLITE } from "../../src/storage/sqlite/sql.ts";
import { SCRIPT } from "../delivery/processes/crew.ts";
import type { ProcessEngine } from "../delivery/processes/engine.ts";
import { runProcessHistory } from "../delivery/processes/history.ts";
import { serviceUrl } from "../services.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const last = POSTGRES.at(-1);
const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

/** The commit before the one that added the last migration. `undefined`: no history, as in a shallow clone. */
function commitBefore(): string | undefined {
  try {
    const adding = git(
      "log",
      "--reverse",
      "--format=%H",
      `-Sname: "${last?.name}"`,
      "--",
      "src/storage/postgres/sql.ts",
    );
    return git("rev-parse", `${adding.split("\n")[0]}^`);
  } catch {
    return undefined;
  }
}

const commit = commitBefore();
if (!commit) console.warn("No history of the repository: the version before this one is not tested.");
const before = mkdtempSync(join(tmpdir(), "version-before-"));
if (commit) {
  execFileSync("tar", ["-x", "-C", before], {
    input: execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 2 ** 28 }),
  });
  symlinkSync(join(root, "node_modules"), join(before, "node_modules"));
}
afterAll(() => rmSync(before, { recursive: true, force: true }));

const scripts = [join(before, SCRIPT.slice(root.length)), SCRIPT];
const count = Number(process.env.VERSIONS_COUNT ?? 10);
const url = await serviceUrl("postgres");
let opened = 0;

/** Tables as the version before makes them. The first process of this version that opens the file adds what is missing. */
const onSqlite: ProcessEngine = async () => {
  const adapter = (await import(join(before, "src/sqlite/index.ts"))) as { sqlite: typeof sqlite };
  const path = join(before, `${opened++}.db`);
  const storage = adapter.sqlite(path);
  await storage.migrate();
  return { place: { adapter: "sqlite", path }, storage, stop: () => storage.close() };
};

/** What is missing is added while processes of both versions work. */
const onPostgres: ProcessEngine = async () => {
  const adapter = (await import(join(before, "src/postgres/index.ts"))) as { postgres: typeof postgres };
  const migrateAfterMs = 2_000;
  const schema = `snapchat_versions_${process.pid}_${opened++}`;
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const storage = adapter.postgres(pool, { schema });
  await storage.migrate();
  const migrated = sleep(migrateAfterMs).then(() => postgres(pool, { schema }).migrate());
  return {
    place: { adapter: "postgres", url: url ?? "", schema },
    storage,
    async stop() {
      await migrated;
      const { rows } = await pool.query(`SELECT max(version) AS version FROM ${schema}.snapchat_migrations`);
      expect(rows).toEqual([{ version: last?.version }]);
      await storage.close();
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
};

describe.skipIf(!commit)("this version and the one before", () => {
  for (const { name, engine, there } of [
    { name: "SQLite", engine: onSqlite, there: SQLITE.length === POSTGRES.length },
    { name: "Postgres", engine: onPostgres, there: url !== undefined },
  ]) {
    it.skipIf(!there)(`balance in ${count} histories on one ${name}, with kills, stops and cuts`, async () => {
      const failed: Record<string, unknown> = {};
      for (let seed = 1; seed <= count; seed++) {
        const { violations, moves } = await runProcessHistory({ seed, engine, scripts });
        if (violations.length > 0) failed[seed] = { violations, moves };
      }
      expect(failed).toEqual({});
    });
  }
});
