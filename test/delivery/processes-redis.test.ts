import { describe } from "vitest";
import { redis } from "../../src/redis/index.ts";
import { redisServer, startRedis } from "../storage/private-redis.ts";
import { createTcpProxy } from "../tcp-proxy.ts";
import { describeProcesses } from "./processes/describe-processes.ts";
import type { ProcessEngine } from "./processes/engine.ts";

/** A server of its own for each history, which is killed and started again on its files. */
const engine: ProcessEngine = async () => {
  const server = await startRedis();
  const wire = await createTcpProxy({ port: server.port });
  const storage = redis(server.connect(), { prefix: "history" });
  await storage.migrate();
  return {
    place: { adapter: "redis", url: `redis://127.0.0.1:${wire.port}`, prefix: "history" },
    storage,
    breaks: {
      async "restart Redis"() {
        await server.kill();
        await server.start();
      },
      "cut Redis": () => wire.cut(),
      "silence Redis": () => wire.silence(),
    },
    async stop() {
      await storage.close();
      await wire.close();
      await server.remove();
    },
  };
};

describe.skipIf(!redisServer)("processes", () => {
  describeProcesses("redis", { engine, histories: 1 });
});
