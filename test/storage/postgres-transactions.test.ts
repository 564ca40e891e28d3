import { drizzle } from "drizzle-orm/node-postgres";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromDrizzle, fromKnex, fromKysely } from "../../examples/postgres/transactions.ts";
import type { PostgresClient } from "../../src/postgres/index.ts";
import type { NewEntry, Storage } from "../../src/storage/ports.ts";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");
const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };
const entry = (id: string, o: Partial<NewEntry> = {}): NewEntry => ({
  id,
  group,
  priority: 0,
  items: 1,
  payload: Buffer.from([0, 255, ...Buffer.from(id)]),
  delayMs: 5,
  dedupeMs: 60_000,
  ...o,
});
const backOut = new Error("back out");

describe.skipIf(!url)("an append inside the host's own transaction", () => {
  const pool = connect(url ?? "");
  const schemas = createSchemas(pool);
  const kysely = new Kysely<never>({ dialect: new PostgresDialect({ pool: connect(url ?? "", { max: 2 }) }) });
  const drizzled = drizzle(pool);
  const knexed = knex({ client: "pg", connection: url ?? "", pool: { min: 0, max: 2 } });
  let storage: Storage;
  beforeAll(async () => {
    storage = await schemas.open();
    await storage.outbox.open([group]);
  });
  afterAll(async () => {
    await kysely.destroy();
    await knexed.destroy();
    await schemas.end();
    await pool.end();
  });

  const withPg = async (work: (tx: PostgresClient) => Promise<void>) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await work(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };
  const ways: Record<string, (work: (tx: PostgresClient) => Promise<void>) => Promise<void>> = {
    pg: withPg,
    Kysely: (work) => kysely.transaction().execute((trx) => work(fromKysely(trx))),
    Drizzle: (work) => drizzled.transaction((tx) => work(fromDrizzle(tx))),
    Knex: (work) => knexed.transaction((trx) => work(fromKnex(trx))),
  };

  const claimed = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const claim = await storage.outbox.claim({ owner: "w", leaseMs: 60_000, maxItems: 100, maxBytes: 1e6 });
    if (claim)
      await storage.outbox.settle(
        claim,
        claim.entries.map(({ id }) => ({ id })),
      );
    return claim?.entries.map(({ id, payload }) => [id, Buffer.from(payload).toString("hex")]) ?? [];
  };

  for (const [name, transaction] of Object.entries(ways)) {
    it(`of ${name}: is there when it commits, and not when it rolls back`, async () => {
      const odd = entry(`${name} "quoted" \\ $1 ? {1,2}`);
      await transaction(async (tx) => {
        const answers = await storage.outbox.append([odd, entry(`${name} 2`)], { tx });
        expect(answers.map(({ status }) => status)).toEqual(["stored", "stored"]);
        expect(await claimed()).toEqual([]);
      });
      expect(await claimed()).toEqual([
        [odd.id, Buffer.from(odd.payload).toString("hex")],
        [`${name} 2`, Buffer.from(entry(`${name} 2`).payload).toString("hex")],
      ]);

      const undone = transaction(async (tx) => {
        await storage.outbox.append([entry(`${name} 3`)], { tx });
        throw backOut;
      });
      await expect(undone).rejects.toBe(backOut);
      expect(await claimed()).toEqual([]);
      expect((await storage.outbox.append([entry(`${name} 3`)]))[0]?.status).toBe("stored");
      expect((await claimed()).length).toBe(1);
    });
  }

  it("of a group that is not open is refused, and the transaction goes on", async () => {
    await withPg(async (tx) => {
      const unknown = { destinationId: "d", name: "never" };
      const refused = storage.outbox.append([entry("a"), entry("b", { group: unknown })], { tx });
      await expect(refused).rejects.toMatchObject({ code: "unknown_group" });
      const tooLarge = new Uint8Array(storage.capabilities.maxEntryBytes + 1);
      await expect(storage.outbox.append([entry("c", { payload: tooLarge })], { tx })).rejects.toMatchObject({
        code: "too_large",
      });
      await storage.outbox.append([entry("after")], { tx });
    });
    expect((await claimed()).map(([id]) => id)).toEqual(["after"]);
  });

  it("that has failed before says so, and nothing is stored", async () => {
    const failed = withPg(async (tx) => {
      await tx.query("SELECT 1/0").catch(() => {});
      await storage.outbox.append([entry("late")], { tx });
    });
    await expect(failed).rejects.toMatchObject({
      kind: "bug",
      retryable: false,
      details: { postgres: "25P02" },
    });
    expect(await claimed()).toEqual([]);
  });

  it("takes a client, not a pool, and nothing without query()", async () => {
    for (const tx of [pool, {}, 1, null]) {
      await expect(storage.outbox.append([entry("a")], { tx })).rejects.toMatchObject({ code: "not_a_transaction" });
    }
    expect(await claimed()).toEqual([]);
  });

  it("takes no lock that another append waits for, in other transactions and in none", async () => {
    const ids = ["one", "two", "three"];
    await withPg(async (first) => {
      await storage.outbox.append([entry("one")], { tx: first });
      await withPg(async (second) => {
        await second.query("SET LOCAL lock_timeout = '1s'");
        await storage.outbox.append([entry("two")], { tx: second });
      });
      await storage.outbox.append([entry("three")]);
    });
    expect((await claimed()).map(([id]) => id).toSorted()).toEqual(ids.toSorted());
  });

  it("under repeatable read and serializable: the same id is stored once", async () => {
    for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
      const id = `id under ${level}`;
      await withPg(async (tx) => {
        await tx.query(`SET TRANSACTION ISOLATION LEVEL ${level}`);
        await tx.query("SELECT 1");
        await storage.outbox.append([entry(id)]);
        const again = await storage.outbox.append([entry(id)], { tx }).catch((error: unknown) => error);
        // The transaction does not see the other's row, so the engine ends it; outside of it the id is known.
        expect(again).toMatchObject({ code: "unavailable", retryable: true });
      }).catch(() => {});
      expect((await storage.outbox.append([entry(id)]))[0]?.status).toBe("duplicate");
      expect((await claimed()).map(([found]) => found)).toEqual([id]);
    }
  });
});
