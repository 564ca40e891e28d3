import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgres } from "../../src/postgres/index.ts";
import { connect } from "./postgres-schemas.ts";
import { type PrivatePostgres, postgresBinary, startPrivatePostgres } from "./private-postgres.ts";

const binary = postgresBinary();

const TIMES_OUT = { query_timeout: 20_000, connectionTimeoutMillis: 5_000 };

/** A server as nobody should run one; each setting is named by check(). */
const CARELESS = { fsync: "off", full_page_writes: "off", autovacuum: "off", synchronous_commit: "off" };

describe.skipIf(!binary)("check() of a server with dangerous settings", { timeout: 60_000 }, () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPrivatePostgres(CARELESS, binary);
  }, 60_000);
  afterAll(() => server?.end());

  async function codes(url: string, durability: "power-loss" | "replicated" = "power-loss"): Promise<string[]> {
    const pool = connect(url, TIMES_OUT);
    try {
      const storage = postgres(pool, { schema: "settings", durability });
      return (await storage.check()).map(({ code }) => code).filter((code) => code !== "schema_missing");
    } finally {
      await pool.end();
    }
  }

  it("names what loses or damages data, and what lets the tables grow", async () => {
    const expected = ["fsync_off", "full_page_writes_off", "synchronous_commit_off", "autovacuum_off"];
    expect((await codes(server.url)).sort()).toEqual(expected.sort());
  });

  it("names a database that cannot hold every id", async () => {
    const pool = connect(server.url);
    await pool.query("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    await pool.end();
    const url = new URL(server.url);
    url.pathname = "/ascii";
    expect(await codes(url.href)).toContain("encoding_not_utf8");
  });

  it("believes a promise of replication only where somebody is waited for", async () => {
    expect(await codes(server.url, "replicated")).toContain("not_replicated");
  });

  it("names a standby, which takes no writes", async () => {
    await server.stop();
    writeFileSync(join(server.data, "standby.signal"), "");
    await server.start();
    expect(await codes(server.url)).toContain("standby");
  });
});
