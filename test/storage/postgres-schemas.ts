import pg from "pg";
import { type PostgresOptions, postgres } from "../../src/postgres/index.ts";
import type { Storage } from "../../src/storage/ports.ts";

/** Connections to the server of the tests. An idle one does not keep the process alive. */
export function connect(url: string, o: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 10, allowExitOnIdle: true, ...o });
  // A server that is killed on purpose ends idle connections, too.
  pool.on("error", () => {});
  return pool;
}

let made = 0;

export interface Schemas {
  /** An empty, migrated storage in a schema of its own. */
  open(o?: Omit<PostgresOptions, "schema">): Promise<Storage>;
  /** Another storage on the same data. */
  reopen(storage: Storage, o?: Omit<PostgresOptions, "schema">): Storage;
  schemaOf(storage: Storage): string;
  /** Closes the storage; its schema is emptied for the next one. */
  giveBack(storage: Storage): Promise<void>;
  /** Removes all schemas. */
  end(): Promise<void>;
}

/** Schemas for tests that want many: made once, emptied between two. */
export function createSchemas(pool: pg.Pool): Schemas {
  const names = new WeakMap<Storage, string>();
  const all: string[] = [];
  const free: string[] = [];
  const on = (schema: string, o: Omit<PostgresOptions, "schema">) => {
    const storage = postgres(pool, { ...o, schema });
    names.set(storage, schema);
    return storage;
  };
  const schemaOf = (storage: Storage) => names.get(storage) ?? "";
  return {
    async open(o = {}) {
      const used = free.pop();
      if (used !== undefined) return on(used, o);
      const schema = `snapchat_test_${process.pid}_${Date.now().toString(36)}_${made++}`;
      all.push(schema);
      const storage = on(schema, o);
      await storage.migrate();
      return storage;
    },
    reopen: (storage, o = {}) => on(schemaOf(storage), o),
    schemaOf,
    async giveBack(storage) {
      await storage.close();
      const schema = schemaOf(storage);
      await emptySchema(pool, schema);
      free.push(schema);
    },
    async end() {
      for (const schema of all) await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    },
  };
}

async function emptySchema(pool: pg.Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ table: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS table FROM pg_tables
      WHERE schemaname = $1 AND tablename <> 'snapchat_migrations'`,
    [schema],
  );
  await pool.query(rows.map(({ table }) => `DELETE FROM ${table}`).join(";"));
}
