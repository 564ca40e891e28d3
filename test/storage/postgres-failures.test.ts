import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { type PostgresClient, postgres } from "../../src/postgres/index.ts";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";
import { freePort } from "./private-postgres.ts";

const url = await serviceUrl("postgres");
const entry = {
  id: "a",
  group: { destinationId: "d", name: "g" },
  priority: 0,
  items: 1,
  payload: Buffer.from("secret payload"),
} as const;
const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };

/** A driver that fails as it would with that answer of the server. */
const failing = (error: object): PostgresClient => ({
  query: async () => Promise.reject(Object.assign(new Error("secret payload"), error)),
});

describe("what Postgres says, in the port's words and without the data", () => {
  const cases: [what: object, expected: object][] = [
    [{ code: "40001" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "40P01" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "57014" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "57P01" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "08006" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "53100" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "53300" }, { code: "throttled", kind: "capacity", retryable: true }],
    [{ code: "25006" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "ECONNREFUSED" }, { code: "unavailable", kind: "retry", retryable: true }],
    [{}, { code: "unavailable", kind: "retry", retryable: true }],
    [{ code: "XX001" }, { code: "corrupt", retryable: false }],
    [{ code: "42501" }, { code: "unavailable", kind: "fix_configuration", retryable: false }],
    [{ code: "42883" }, { code: "unavailable", kind: "fix_configuration", retryable: false }],
    [{ code: "25P02" }, { code: "unavailable", kind: "bug", retryable: false }],
    [{ code: "22P02" }, { code: "unavailable", kind: "bug", retryable: false }],
    [
      { code: "23505", detail: "Key (id)=(secret payload)" },
      { code: "unavailable", kind: "bug", retryable: false },
    ],
    [{ message: "Cannot use a pool after calling end on the pool" }, { code: "closed", retryable: false }],
  ];
  for (const [what, expected] of cases) {
    it(`${JSON.stringify(what)} is ${JSON.stringify(expected)}`, async () => {
      const error = await postgres(failing(what))
        .outbox.append([entry])
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject(expected);
      expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain("secret payload");
      expect((error as Error).cause).toBeUndefined();
    });
  }
});

describe.skipIf(!url)("a server in trouble", () => {
  const pool = connect(url ?? "");
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  it("a pool or client that the host has ended is closed; the storage's own close leaves them open", async () => {
    const storage = await schemas.open();
    const schema = schemas.schemaOf(storage);
    const own = connect(url ?? "", { max: 1 });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const [driver, end] of [
      [own, () => own.end()],
      [client, () => client.end()],
    ] as const) {
      const first = postgres(driver, { schema });
      await first.records.put("k", new Uint8Array([1]));
      await first.close();
      await expect(first.records.get("k")).rejects.toMatchObject({ code: "closed", retryable: false });
      const second = postgres(driver, { schema });
      expect(await second.records.get("k")).toBeDefined();
      await end();
      await expect(second.outbox.claim({ owner: "w", leaseMs: 1, maxItems: 1, maxBytes: 1 })).rejects.toMatchObject({
        code: "closed",
        retryable: false,
      });
    }
    await schemas.giveBack(storage);
  });

  it("a server that is not there is unavailable, to be tried again", async () => {
    const nobody = connect(`postgres://postgres@127.0.0.1:${await freePort()}/postgres`);
    await expect(postgres(nobody).migrate()).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await nobody.end();
  });

  it("a session that is ended in the middle of a call stores nothing that was not acknowledged, and the next call works", async () => {
    const storage = await schemas.open();
    await storage.outbox.open([group]);
    const blocker = await pool.connect();
    await blocker.query("BEGIN");
    await storage.outbox.append([entry], { tx: blocker });
    // The same id waits for the first one's transaction.
    const waiting = storage.outbox.append([entry]).catch((error: unknown) => error);
    const ended = async () => {
      const { rows } = await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE '%${schemas.schemaOf(storage)}%entries_append%'`);
      return rows.length;
    };
    while ((await ended()) === 0);
    expect(await waiting).toMatchObject({ code: "unavailable", retryable: true });
    await blocker.query("ROLLBACK");
    blocker.release();
    expect(await storage.outbox.depth()).toMatchObject([{ entries: 0 }]);
    expect((await storage.outbox.append([entry]))[0]?.status).toBe("stored");
    await schemas.giveBack(storage);
  });

  it("a read-only session and a statement that takes too long are unavailable", async () => {
    const storage = await schemas.open();
    const schema = schemas.schemaOf(storage);
    await storage.outbox.open([group]);
    const standby = connect(url ?? "", { options: "-c default_transaction_read_only=on" });
    const readOnly = postgres(standby, { schema }).outbox.append([entry]);
    await expect(readOnly).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
      details: { postgres: "25006" },
    });
    await standby.end();

    const blocker = await pool.connect();
    await blocker.query("BEGIN");
    await storage.outbox.append([entry], { tx: blocker });
    const hasty = connect(url ?? "", { options: "-c statement_timeout=100" });
    const late = postgres(hasty, { schema }).outbox.append([entry]);
    await expect(late).rejects.toMatchObject({ code: "unavailable", retryable: true, details: { postgres: "57014" } });
    await hasty.end();
    await blocker.query("COMMIT");
    blocker.release();
    expect((await storage.outbox.append([entry]))[0]?.status).toBe("duplicate");
    await schemas.giveBack(storage);
  });

  it("check() warns of a pool whose calls never end on a silent connection", async () => {
    const storage = await schemas.open();
    const schema = schemas.schemaOf(storage);
    const patient = connect(url ?? "", { query_timeout: 20_000 });
    const codes = async (driver: PostgresClient) =>
      (await postgres(driver, { schema }).check()).map(({ code }) => code);
    expect(await codes(pool)).toContain("no_query_timeout");
    expect(await codes(patient)).not.toContain("no_query_timeout");
    await patient.end();
    await schemas.giveBack(storage);
  });
});
