import { closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { notOurDatabase, schemaTooNew } from "../schema.ts";
import { engine } from "./engine.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_MAJOR } from "./sql.ts";

/** Opens the file, refuses a foreign one before anything is written to it, and brings the schema up to date. Throws SQLite's own errors. */
export function openDatabase(path: string, synchronous: "FULL" | "NORMAL"): DatabaseSync {
  createPrivately(path);
  const db = new (engine().DatabaseSync)(path, { timeout: 0, enableForeignKeyConstraints: false });
  try {
    refuseForeign(db);
    db.exec("PRAGMA journal_mode = WAL");
    setSynchronous(db, synchronous);
    // Fsync on macOS reaches the disk only so; elsewhere these do nothing.
    db.exec(
      "PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000",
    );
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * A new file is its owner's alone: it holds sealed tokens and hashed identifiers. SQLite gives the files beside it the same
 * rights. What exists keeps its own.
 */
function createPrivately(path: string): void {
  if (path === "" || path === ":memory:" || path.startsWith("file:")) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It exists, or SQLite says in a moment why it cannot.
  }
}

export function setSynchronous(db: DatabaseSync, mode: "FULL" | "NORMAL"): void {
  db.exec(`PRAGMA synchronous = ${mode}`);
}

function number(db: DatabaseSync, query: string): number {
  return Number(Object.values(db.prepare(query).get() ?? { value: 0 })[0]);
}

function refuseForeign(db: DatabaseSync): void {
  const id = number(db, "PRAGMA application_id");
  const tables = number(db, "SELECT count(*) FROM sqlite_schema");
  if (id !== APPLICATION_ID && (id !== 0 || tables > 0))
    throw notOurDatabase("The SQLite file belongs to another program.");
  const major = number(db, "PRAGMA user_version");
  if (major > SCHEMA_MAJOR) throw schemaTooNew(major, SCHEMA_MAJOR);
}

function migrate(db: DatabaseSync): void {
  const last = MIGRATIONS.at(-1)?.version ?? 0;
  if (number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'") === 1 && applied(db) >= last) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // Again inside the lock: another program, or another process of ours, may have been first.
    refuseForeign(db);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_MAJOR};
      CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT`);
    const done = applied(db);
    const add = db.prepare("INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, datetime('now'))");
    for (const migration of MIGRATIONS) {
      if (migration.version <= done) continue;
      db.exec(migration.sql);
      add.run(migration.version, migration.name);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function applied(db: DatabaseSync): number {
  return number(db, "SELECT coalesce(max(version), 0) FROM migrations");
}
