import { afterAll, describe, expect, it } from "vitest";
import { testStorage } from "../../src/testing/storage-kit/index.ts";
import { serviceUrl } from "../services.ts";
import { kitOptions } from "./postgres-kit.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";
import { startPgbouncer } from "./private-pgbouncer.ts";

const url = await serviceUrl("postgres");
const pooler = url ? await startPgbouncer(url, { connections: 6 }) : undefined;

describe.skipIf(!pooler)("behind a pooler in transaction mode", () => {
  const pool = connect(pooler?.url ?? "", { max: 12 });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
    await pooler?.end();
  });

  it("two statements of one client reach different sessions", async () => {
    const client = await pool.connect();
    const pids = new Set<number>();
    const others = Array.from({ length: 6 }, () => pool.query("SELECT pg_sleep(0.05)"));
    for (let n = 0; n < 20; n++) pids.add((await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid);
    await Promise.all(others);
    for (let n = 0; n < 20; n++) {
      const busy = pool.query("SELECT pg_sleep(0.002)");
      pids.add((await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid);
      await busy;
    }
    client.release();
    expect(pids.size).toBeGreaterThan(1);
  });

  it("every case of the conformance kit passes, many at once", async () => {
    const cases = testStorage({ ...kitOptions(pool, schemas), clocks: ["test"] });
    const failed: string[] = [];
    const waiting = [...cases];
    const work = async () => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        await one.run().catch((error: unknown) => failed.push(`${one?.name}: ${error}`));
      }
    };
    // The cases with transactions hold four sessions open between them; two are left for all the others.
    await Promise.all(Array.from({ length: 12 }, work));
    expect(failed).toEqual([]);
    expect(cases.length).toBeGreaterThan(150);
  }, 120_000);

  it("an append in the host's transaction keeps to it", async () => {
    const storage = await schemas.open();
    const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };
    await storage.outbox.open([group]);
    const client = await pool.connect();
    for (const end of ["ROLLBACK", "COMMIT"]) {
      await client.query("BEGIN");
      await storage.outbox.append([{ id: end, group, priority: 0, items: 1, payload: new Uint8Array(1) }], {
        tx: client,
      });
      await client.query(end);
    }
    client.release();
    const claim = await storage.outbox.claim({ owner: "w", leaseMs: 1_000, maxItems: 10, maxBytes: 1_000 });
    expect(claim?.entries.map(({ id }) => id)).toEqual(["COMMIT"]);
    await schemas.giveBack(storage);
  });
});
