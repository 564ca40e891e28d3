import { Redis } from "ioredis";
import { afterAll, describe, expect, it } from "vitest";
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
  it("removes expired records where nobody writes any more", async () => {
    let now = 1_000_000;
    const prefix = freshPrefix();
    const storage = redis(ioredis, { prefix, partitions: 4, clock: { now: () => now } });
    await storage.migrate();
    const rows = async () => {
      const counts = await Promise.all(
        [0, 1, 2, 3].map((number) => ioredis.hlen(`{${prefix}:records:${number}}:rows`)),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    for (let n = 0; n < 1_200; n++) {
      await storage.records.put(`t/${n % 20}/r${n}`, Buffer.of(1), n < 20 ? {} : { ttlMs: 1_000 });
    }
    now += 2_000;
    expect(await rows()).toBe(1_200);
    await storage.outbox.expire({ deadOlderThanMs: 1e9, limit: 100 });
    expect(await rows()).toBe(20);
    await storage.close();
    await removeKeys(url, prefix);
  });

  describeKit("through ioredis", kit(ioredis));
  describeKit("through node-redis", { ...kit(nodeClient), clocks: ["test"] });
});
