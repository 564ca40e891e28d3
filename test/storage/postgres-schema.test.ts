import { afterAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { postgres, postgresSchema } from "../../src/postgres/index.ts";
import { patiently } from "../../src/storage/patient.ts";
import { Database } from "../../src/storage/postgres/database.ts";
import { migrate } from "../../src/storage/postgres/migrate.ts";
import { MIGRATIONS, type Migration } from "../../src/storage/postgres/sql.ts";
import { serviceUrl } from "../services.ts";
import { connect } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");

describe.skipIf(!url)("the schema", () => {
  // A change of tables under load meets other calls; the server should see soon who waits for whom.
  const pool = connect(url ?? "", { max: 24, options: "-c deadlock_timeout=50ms" });
  const made: string[] = [];
  const fresh = () => {
    const schema = `snapchat_test_${process.pid}_schema_${made.length}`;
    made.push(schema);
    return schema;
  };
  afterAll(async () => {
    for (const schema of made) await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await pool.end();
  });

  it("is made once by twenty connections at once", async () => {
    const schema = fresh();
    const storages = Array.from({ length: 20 }, () => postgres(pool, { schema }));
    await Promise.all(storages.map((storage) => storage.migrate()));
    const { rows } = await pool.query(`SELECT version FROM ${schema}.snapchat_migrations`);
    expect(rows.map(({ version }) => version)).toEqual(MIGRATIONS.map(({ version }) => version));
    await storages[19]?.records.put("k", new Uint8Array([1]));
    expect((await storages[0]?.records.get("k"))?.version).toBeGreaterThan(0);
  });

  it("is left alone with autoMigrate off, until its printed SQL has run", async () => {
    const schema = fresh();
    const storage = postgres(pool, { schema, autoMigrate: false });
    await expect(storage.migrate()).rejects.toMatchObject({ code: "schema_outdated", kind: "fix_configuration" });
    expect((await storage.check()).map(({ code }) => code)).toContain("schema_missing");
    await expect(storage.records.get("k")).rejects.toMatchObject({ kind: "fix_configuration", retryable: false });
    await pool.query(postgresSchema({ schema }));
    await storage.migrate();
    await storage.records.put("k", new Uint8Array([1]));
    await pool.query(postgresSchema({ schema }));
    expect(await storage.records.get("k")).toBeDefined();
  });

  it("may have any name", async () => {
    const schema = `odd "name" é ${process.pid}`;
    const storage = postgres(pool, { schema });
    await storage.migrate();
    await storage.migrate();
    await storage.records.put("k", new Uint8Array([1]));
    expect((await storage.check()).filter(({ severity }) => severity === "problem")).toEqual([]);
    await pool.query(`DROP SCHEMA "${schema.replaceAll('"', '""')}" CASCADE`);
    expect(() => postgres(pool, { schema: "x".repeat(64) })).toThrow(
      expect.objectContaining({ code: "invalid_schema" }),
    );
  });

  it("of another program is refused and left untouched", async () => {
    const schema = fresh();
    await pool.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.entries (id int)`);
    await expect(postgres(pool, { schema }).migrate()).rejects.toMatchObject({ code: "not_our_database" });
    const { rows } = await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [schema]);
    expect(rows).toEqual([{ tablename: "entries" }]);
  });

  it("of a newer major version is refused", async () => {
    const schema = fresh();
    const storage = postgres(pool, { schema });
    await storage.migrate();
    await pool.query(`INSERT INTO ${schema}.snapchat_migrations (version, major, name) VALUES (99, 2, 'later')`);
    await expect(storage.migrate()).rejects.toMatchObject({ code: "schema_too_new", details: { found: 2, known: 1 } });
  });

  it("with a migration more serves this version under load, before, while and after it is added", async () => {
    const schema = fresh();
    const storage = postgres(pool, { schema });
    await storage.migrate();
    const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };
    await storage.outbox.open([group]);
    let working = true;
    const stored: string[] = [];
    const settled: string[] = [];
    // As the library does it: what the engine calls retryable is repeated. A change of a table may end other calls.
    const patient = <T>(call: () => Promise<T>) => patiently(systemClock, call);
    const append = async (name: string) => {
      for (let n = 0; working; n++) {
        const entry = {
          id: `${name} ${n}`,
          group,
          priority: 0,
          items: 1,
          payload: Buffer.from(name),
          dedupeMs: 60_000,
        } as const;
        await patient(() => storage.outbox.append([entry]));
        stored.push(entry.id);
        await patient(() => storage.records.put(`k/${name}`, Buffer.from(name)));
      }
    };
    const deliver = async () => {
      for (;;) {
        const claim = await patient(() =>
          storage.outbox.claim({ owner: "w", leaseMs: 30_000, maxItems: 50, maxBytes: 1e6 }),
        );
        if (!claim && !working) return;
        if (!claim) continue;
        const ids = claim.entries.map(({ id }) => ({ id }));
        if ((await patient(() => storage.outbox.settle(claim, ids))) === "settled")
          settled.push(...ids.map(({ id }) => id));
        await patient(async () => storage.slots?.reserve([{ key: "k", perWindow: 1_000, windowMs: 1_000 }], 1));
      }
    };
    const load = [append("a"), append("b"), deliver(), deliver()];
    const until = async (count: number) => {
      while (stored.length < count) await Promise.race([...load, new Promise((resolve) => setTimeout(resolve, 5))]);
    };
    await until(50);
    await migrate(new Database(pool, schema, undefined), schema, { auto: true, migrations: [...MIGRATIONS, NEXT] });
    await until(stored.length + 50);
    working = false;
    await Promise.all(load);
    await deliver();
    expect(settled.toSorted()).toEqual(stored.toSorted());
    // A process of this version that starts now finds all it needs.
    await postgres(pool, { schema, autoMigrate: false }).migrate();
    expect(
      (await pool.query(`SELECT count(*)::int AS n FROM ${schema}.entries WHERE note = 'later'`)).rows[0].n,
    ).toBeGreaterThan(0);
  });

  it("check() finds rights that are missing, tables without a log, and what settings break", async () => {
    const schema = fresh();
    const storage = postgres(pool, { schema });
    await storage.migrate();
    const role = `snapchat_test_${process.pid}`;
    await pool.query(`CREATE ROLE ${role} LOGIN; ALTER TABLE ${schema}.journal SET UNLOGGED`);
    const options = "-c synchronous_commit=off -c default_transaction_isolation=serializable";
    const address = new URL(url ?? "");
    address.username = role;
    const poor = connect(address.href, { options });
    try {
      const codes = async (durability: "power-loss" | "replicated" = "power-loss") =>
        (await postgres(poor, { schema, durability }).check()).map(({ code }) => code);
      expect(await codes()).toEqual(
        expect.arrayContaining(["synchronous_commit_off", "isolation_level", "missing_rights"]),
      );
      expect(await codes("replicated")).toContain("not_replicated");
      const failing = postgres(poor, { schema }).records.get("k");
      await expect(failing).rejects.toMatchObject({ code: "unavailable", kind: "fix_configuration", retryable: false });
      const denied = postgres(poor, { schema: `${schema}_denied` }).migrate();
      await expect(denied).rejects.toMatchObject({ kind: "fix_configuration", retryable: false });
      await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES
        IN SCHEMA ${schema} TO ${role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`);
      expect(await codes()).not.toContain("missing_rights");
      expect(await codes()).toContain("unlogged_tables");
      await postgres(poor, { schema }).records.put("k", new Uint8Array([1]));
      await postgres(poor, { schema }).migrate();
    } finally {
      await poor.end();
      await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it("check() finds a clock that is off", async () => {
    const schema = fresh();
    const storage = postgres(pool, { schema });
    await storage.migrate();
    const now = Date.now;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 5_000);
    const found = await storage.check();
    clock.mockRestore();
    expect(found.map(({ code }) => code)).toContain("clock_skew");
    expect((await storage.check()).map(({ code }) => code)).not.toContain("clock_skew");
  });
});

/** What a later version may do to a table under load: add a column, an index, and work in a function. */
const NEXT: Migration = {
  version: (MIGRATIONS.at(-1)?.version ?? 0) + 1,
  name: "a note",
  sql: `
ALTER TABLE entries ADD COLUMN note text;
ALTER TABLE claims ADD COLUMN note text DEFAULT 'old';
ALTER TABLE groups ADD COLUMN note text;
ALTER TABLE tenants ADD COLUMN note text;
ALTER TABLE slots ADD COLUMN note text;
ALTER TABLE members ADD COLUMN note text;
CREATE INDEX entries_note ON entries (note) WHERE note IS NOT NULL;
CREATE FUNCTION take_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'later'; RETURN NEW; END $$;
CREATE TRIGGER entries_note BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION take_note();
`,
};
