import { Redis } from "ioredis";
import { afterAll, describe } from "vitest";
import { type RedisOptions, redis } from "../../src/redis/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import type { RedisClient } from "../../src/storage/redis/client.ts";
import type { StorageKitOptions } from "../../src/testing/storage-kit/index.ts";
import { serviceUrl } from "../services.ts";
import { describeKit } from "./describe-kit.ts";
import { freshPrefix, nodeRedis, removeKeys } from "./redis-client.ts";
import { spawnJob } from "./spawn-job.ts";

const url = await serviceUrl("redis");

/** Storages on one client; a restart is another one on the same keys. */
function kit(client: RedisClient, options: RedisOptions = {}): StorageKitOptions {
  const prefixes = new WeakMap<Storage, string>();
  const open = async (prefix: string, clock: { now(): number } | undefined) => {
    const storage = redis(client, { durability: "power-loss", prefix, ...options, ...(clock ? { clock } : {}) });
    prefixes.set(storage, prefix);
    await storage.migrate();
    return storage;
  };
  return {
    create: ({ clock }) => open(freshPrefix(), clock),
    reopen: async (storage, { clock }) => {
      await storage.close();
      return open(prefixes.get(storage) ?? "", clock);
    },
    destroy: async (storage) => {
      await storage.close();
      await removeKeys(url ?? "", prefixes.get(storage) ?? "");
    },
    spawn: (storage, job, { skewMs }) =>
      spawnJob({ adapter: "redis", prefix: prefixes.get(storage) ?? "" }, job, skewMs),
  };
}

describe.skipIf(!url)("redis", async () => {
  if (!url) return;
  const ioredis = new Redis(url);
  const nodeClient = await nodeRedis(url);
  afterAll(async () => {
    ioredis.disconnect();
    await nodeClient.close();
  });
  describeKit("through ioredis", kit(ioredis));
  describeKit("through node-redis", { ...kit(nodeClient), clocks: ["test"] });
});
