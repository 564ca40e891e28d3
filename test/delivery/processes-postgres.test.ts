import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { storageCall } from "../../src/delivery/storage-call.ts";
import { postgres } from "../../src/postgres/index.ts";
import { connect } from "../storage/postgres-schemas.ts";
import { type PrivatePostgres, postgresBinary, startPrivatePostgres } from "../storage/private-postgres.ts";
import { createTcpProxy } from "../tcp-proxy.ts";
import { describeProcesses } from "./processes/describe-processes.ts";
import type { ProcessEngine } from "./processes/engine.ts";

const binary = postgresBinary();

describe.skipIf(!binary)("processes", () => {
  let server: PrivatePostgres;
  let schemas = 0;
  /** Histories share the server: one restarts it at a time. */
  let restarting: Promise<void> = Promise.resolve();
  beforeAll(async () => {
    server = await startPrivatePostgres({}, binary);
  }, 60_000);
  afterAll(() => server.end());

  const engine: ProcessEngine = async () => {
    const schema = `history_${schemas++}`;
    await restarting;
    const wire = await createTcpProxy({ port: server.port });
    const pool = connect(server.url, { max: 2 });
    const storage = postgres(pool, { schema });
    await storageCall(() => storage.migrate(), { clock: systemClock, random: Math.random, maxMs: 30_000 });
    return {
      place: {
        adapter: "postgres",
        url: `postgres://postgres@127.0.0.1:${wire.port}/postgres`,
        schema,
      },
      storage,
      breaks: {
        async "restart Postgres"() {
          restarting = restarting.then(async () => {
            await server.kill();
            await server.start();
          });
          await restarting;
        },
        "cut Postgres": () => wire.cut(),
        "silence Postgres": () => wire.silence(),
      },
      async stop() {
        await storage.close();
        await pool.end();
        await wire.close();
      },
    };
  };

  describeProcesses("postgres", { engine, histories: 1 });
});
