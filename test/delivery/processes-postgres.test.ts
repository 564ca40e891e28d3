import { describe } from "vitest";
import { postgres } from "../../src/postgres/index.ts";
import { connect } from "../storage/postgres-schemas.ts";
import { postgresBinary, startPrivatePostgres } from "../storage/private-postgres.ts";
import { createTcpProxy } from "../tcp-proxy.ts";
import { describeProcesses } from "./processes/describe-processes.ts";
import type { ProcessEngine } from "./processes/engine.ts";

const binary = postgresBinary();

/** A server of its own for each history, which is killed and started again on its files. */
const engine: ProcessEngine = async () => {
  const server = await startPrivatePostgres({}, binary);
  const wire = await createTcpProxy({ port: server.port });
  const pool = connect(server.url, { connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
  const storage = postgres(pool);
  await storage.migrate();
  return {
    place: { adapter: "postgres", url: server.url.replace(String(server.port), String(wire.port)), schema: "snapchat" },
    storage,
    breaks: {
      async "kill Postgres"() {
        await server.kill();
        await server.start();
      },
      async "restart Postgres"() {
        await server.stop();
        await server.start();
      },
      "cut Postgres": () => wire.cut(),
      "silence Postgres": () => wire.silence(),
    },
    async stop() {
      await storage.close();
      await wire.close();
      await pool.end();
      await server.end();
    },
  };
};

describe.skipIf(!binary)("processes", () => {
  describeProcesses("postgres", { engine, histories: 5, atOnce: 5 });
});
