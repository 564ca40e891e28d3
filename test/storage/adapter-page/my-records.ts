import { DatabaseSync } from "node:sqlite";
import { type Records, storageError } from "../../../src/storage/index.ts";

type Row = { key: string; value: Uint8Array; version: number };

export function myRecords(path: string, clock?: { now(): number }): Records & { close(): void } {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL, expires_at REAL);
    CREATE TABLE IF NOT EXISTS last_version (n INTEGER NOT NULL);
    INSERT INTO last_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM last_version)`);
  const find = db.prepare(
    "SELECT value, version FROM records WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)",
  );
  const next = db.prepare("UPDATE last_version SET n = n + 1 RETURNING n");
  const write = db.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM records WHERE key = ?");
  const page = db.prepare(`SELECT key, value, version FROM records
    WHERE key >= ? AND key > ? AND key < ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?`);
  const time = db.prepare("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS ms");
  // The engine's clock, never this process's.
  const now = () => clock?.now() ?? (time.get() as { ms: number }).ms;

  /** The record; expired is absent, though its row is still there. */
  const current = (key: string) => find.get(Buffer.from(key), now()) as Row | undefined;

  function check(found: number, wanted: number | undefined): void {
    if (wanted === undefined || wanted === found) return;
    throw storageError("version_conflict", `The record is at version ${found}.`, "Read it again.");
  }

  /** Compare and write in one step of the engine, whichever process is at it. */
  function atomically<T>(task: () => T): T {
    db.exec("BEGIN IMMEDIATE");
    try {
      const answer = task();
      db.exec("COMMIT");
      return answer;
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  }

  return {
    async get(key) {
      const row = current(key);
      return row && { key, value: row.value, version: row.version };
    },
    async put(key, value, o = {}) {
      return atomically(() => {
        check(current(key)?.version ?? 0, o.ifVersion);
        // One counter for all keys: what was deleted and comes back has a version it never had.
        const { n } = next.get() as { n: number };
        write.run(Buffer.from(key), value, n, o.ttlMs === undefined ? null : now() + o.ttlMs);
        return n;
      });
    },
    async delete(key, o = {}) {
      return atomically(() => {
        const row = current(key);
        if (!row) return false;
        check(row.version, o.ifVersion);
        return remove.run(Buffer.from(key)).changes > 0;
      });
    },
    async list(prefix, { after = "", limit }) {
      // Behind every key that begins with the prefix: no byte of UTF-8 is 0xff. Keys under "~" are never listed.
      const end = prefix === "" ? Buffer.from("~") : Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]);
      const rows = page.all(Buffer.from(prefix), Buffer.from(after), end, now(), limit) as (Row & { key: never })[];
      return rows.map((row) => ({ ...row, key: Buffer.from(row.key).toString() }));
    },
    now: async () => now(),
    close: () => db.close(),
  };
}
