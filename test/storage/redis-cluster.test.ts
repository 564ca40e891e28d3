import assert from "node:assert/strict";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redis } from "../../src/redis/index.ts";
import { testStorage } from "../../src/testing/storage-kit/index.ts";
import { type PrivateRedis, redisServer, startRedis } from "./private-redis.ts";
import { freshPrefix } from "./redis-client.ts";

const SLOTS = 16_384;
const MASTERS = 2;

/** Turns are kept inside a partition, so what says something about the turns of several tenants holds with one only. */
const ONE_PARTITION =
  /tenants that wait|a hundred times the work|many groups is one tenant|a tenant that returns|counts neither the claim nor the turn/;

describe.skipIf(!redisServer)("redis in a cluster", { timeout: 60_000 }, () => {
  const servers: PrivateRedis[] = [];
  let cluster: Cluster;

  beforeAll(async () => {
    const settings = { "cluster-enabled": "yes", "cluster-node-timeout": "2000", appendfsync: "no" };
    servers.push(...(await Promise.all(Array.from({ length: MASTERS }, () => startRedis(settings)))));
    const admins = servers.map((server) => server.connect());
    for (const [index, admin] of admins.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / MASTERS));
      await admin.call("CLUSTER", "ADDSLOTSRANGE", String(from), String((to ?? 0) - 1));
      await admin.call("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
      await admins[0]?.call("CLUSTER", "MEET", "127.0.0.1", String(servers[index]?.port));
    }
    for (const admin of admins) {
      while (!String(await admin.call("CLUSTER", "INFO")).includes("cluster_state:ok")) await new Promise(setImmediate);
    }
    cluster = new Cluster([{ host: "127.0.0.1", port: servers[0]?.port ?? 0 }]);
  });
  afterAll(async () => {
    cluster?.disconnect();
    await Promise.all(servers.map((server) => server.remove()));
  });

  const cases = testStorage({
    create: async ({ clock }) => {
      const storage = redis(cluster, { prefix: freshPrefix(), partitions: 4, ...(clock ? { clock } : {}) });
      await storage.migrate();
      return storage;
    },
    reopen: () => Promise.reject(new Error("proven elsewhere")),
    destroy: (storage) => storage.close(),
    clocks: ["test"],
  }).filter(
    ({ sentence }) => !ONE_PARTITION.test(sentence) && !/restart|nothing is acknowledged|durably/.test(sentence),
  );

  it("keeps the contract with four partitions over two masters", async () => {
    const failed: string[] = [];
    for (const { name, run } of cases) await run().catch((error) => failed.push(`${name}: ${error}`));
    expect(failed).toEqual([]);
    const keys = await Promise.all(servers.map((server) => server.connect().dbsize()));
    expect(Math.min(...keys)).toBeGreaterThan(100);
  });

  it("takes partitions by the number of tenants due in them", async () => {
    const storage = redis(cluster, { prefix: freshPrefix(), partitions: 4 });
    const tenants = Array.from({ length: 40 }, (_, n) => `tenant ${n}`);
    await storage.outbox.open(
      tenants.map((id) => ({ tenantId: id, destinationId: id, name: "e", exclusive: false, credentialId: id })),
    );
    const append = async (tenant: string, count: number) =>
      storage.outbox.append(
        Array.from({ length: count }, (_, n) => ({
          id: `${n}`,
          group: { destinationId: tenant, name: "e" },
          priority: 0,
          items: 1,
          payload: new Uint8Array([n]),
        })),
      );
    for (const [index, tenant] of tenants.entries()) await append(tenant, index === 0 ? 500 : 10);
    const turns = new Map<string, number>();
    for (let turn = 0; turn < 40 * 5; turn++) {
      const claim = await storage.outbox.claim({ owner: "o", leaseMs: 60_000, maxItems: 1, maxBytes: 1_000 });
      assert.ok(claim);
      turns.set(claim.group.tenantId, (turns.get(claim.group.tenantId) ?? 0) + 1);
      await storage.outbox.settle(claim, [{ id: claim.entries[0]?.id ?? "" }]);
    }
    expect(turns.size).toBe(40);
    expect(Math.max(...turns.values())).toBeLessThanOrEqual(10);
    expect(Math.min(...turns.values())).toBeGreaterThanOrEqual(2);
  });

  it("answers through node-redis, and check() looks at every master", async () => {
    const client = createCluster({ rootNodes: [{ url: servers[1]?.url ?? "" }] });
    await client.connect();
    const storage = redis(client, { prefix: freshPrefix(), partitions: 4, durability: "power-loss" });
    await storage.records.put("k/t/1", new Uint8Array([1]));
    await storage.records.put("k/u/1", new Uint8Array([2]));
    expect((await storage.records.list("k/", { limit: 10 })).map(({ key }) => key)).toEqual(["k/t/1", "k/u/1"]);
    expect((await storage.check()).map(({ code }) => code)).toEqual(["lazy_fsync"]);
    await servers[0]?.connect().config("SET", "maxmemory-policy", "allkeys-random");
    expect((await storage.check()).map(({ code }) => code).sort()).toEqual(["evicts", "lazy_fsync"]);
    await client.close();
    await expect(storage.records.get("k/t/1")).rejects.toMatchObject({ code: "closed" });
  });
});
