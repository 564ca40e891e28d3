import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { type RedisOptions, redis } from "../../src/redis/index.ts";
import type { Group, NewEntry, Storage } from "../../src/storage/ports.ts";
import { type PrivateRedis, redisServer, startRedis } from "./private-redis.ts";
import { nodeRedis } from "./redis-client.ts";

const GROUP: Group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: false, credentialId: "c" };
const CLAIM = { owner: "test", leaseMs: 60_000, maxItems: 500, maxBytes: 10_000_000 };

const entry = (id: string, bytes = 100): NewEntry => ({
  id,
  group: GROUP,
  priority: 0,
  items: 1,
  payload: new Uint8Array(bytes).fill(7),
});

/** Ids of everything that is due, each claim settled. */
async function drain(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for (let claim = await storage.outbox.claim(CLAIM); claim; claim = await storage.outbox.claim(CLAIM)) {
    const ids = claim.entries.map(({ id }) => id);
    found.push(...ids);
    await storage.outbox.settle(
      claim,
      ids.map((id) => ({ id })),
    );
  }
  return found;
}

/** A disk that is full is a small tmpfs. */
const mayMount = process.platform === "linux" && process.getuid?.() === 0;
if (!mayMount) console.warn("A full append-only file is left out: run as root on Linux, which may mount a tmpfs.");

describe.skipIf(!redisServer)("a Redis server that fails", { timeout: 60_000 }, () => {
  const servers: PrivateRedis[] = [];
  const start = async (settings?: Record<string, string>) => {
    const server = await startRedis(settings);
    servers.push(server);
    return server;
  };
  const open = async (server: PrivateRedis, options: RedisOptions = {}) => {
    const storage = redis(server.connect(), { durability: "power-loss", ...options });
    await storage.outbox.open([GROUP]);
    return storage;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.remove()));
  });

  it("loses nothing acknowledged when it is killed, five times, under load", async () => {
    const server = await start();
    const storage = await open(server);
    const acknowledged = new Set<string>();
    const offered = new Set<string>();
    const settled = new Set<string>();
    /** Settled by a call that had no answer: stored or not. */
    const perhaps = new Set<string>();
    let made = 0;
    for (let round = 0; round < 5; round++) {
      let running = true;
      const caller = async () => {
        while (running) {
          const ids = [`e${made++}`, `e${made++}`];
          for (const id of ids) offered.add(id);
          try {
            await storage.outbox.append(ids.map((id) => entry(id)));
            for (const id of ids) acknowledged.add(id);
          } catch (error) {
            expect(error).toMatchObject({ code: "unavailable", retryable: true });
            return;
          }
        }
      };
      const consumer = async () => {
        while (running) {
          const claim = await storage.outbox.claim({ ...CLAIM, maxItems: 3 }).catch(() => undefined);
          if (!claim) continue;
          const ids = claim.entries.map(({ id }) => id);
          for (const id of ids) perhaps.add(id);
          const outcomes = ids.map((id) => ({ id }));
          const end = await storage.outbox.settle(claim, outcomes).catch(() => undefined);
          if (end === "settled") for (const id of ids) settled.add(id);
          if (end) for (const id of ids) perhaps.delete(id);
        }
      };
      const before = acknowledged.size;
      const load = [caller(), caller(), caller(), consumer()];
      while (acknowledged.size < before + 200) await new Promise((resolve) => setImmediate(resolve));
      await server.kill();
      running = false;
      await Promise.all(load);
      await server.start();
    }
    // Claims that were open when the server died: their leases go on.
    const later = redis(server.connect(), { clock: { now: () => Date.now() + 120_000 } });
    const left = await drain(later);
    const kept = new Set([...left, ...settled, ...perhaps]);
    expect([...acknowledged].filter((id) => !kept.has(id))).toEqual([]);
    expect(left.filter((id) => settled.has(id))).toEqual([]);
    expect(left.filter((id) => !offered.has(id))).toEqual([]);
    expect(new Set(left).size).toBe(left.length);
    expect(settled.size).toBeGreaterThan(50);
  });

  it("refuses new work when its memory is full, keeps what it acknowledged, and lets the queue drain", async () => {
    const server = await start();
    const storage = await open(server);
    const admin = server.connect();
    const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    await admin.config("SET", "maxmemory", String(used + 3_000_000));
    const acknowledged: string[] = [];
    const fill = async () => {
      for (let n = acknowledged.length; ; n++) {
        await storage.outbox.append([entry(`e${n}`, 50_000), entry(`f${n}`, 50_000)]);
        acknowledged.push(`e${n}`, `f${n}`);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "throttled", kind: "capacity", retryable: true });
    expect(acknowledged.length).toBeGreaterThan(10);
    expect((await storage.outbox.depth(["d"]))[0]?.entries).toBe(acknowledged.length);
    expect((await storage.check()).map(({ code }) => code)).toContain("memory_nearly_full");

    // A rotated login has to be stored, a slot taken, a lease prolonged, an entry put back or buried.
    await storage.records.put("connection/t/c", new Uint8Array([1]));
    expect(await storage.slots?.reserve([{ key: "k", perWindow: 1, windowMs: 1_000 }], 1)).toEqual({ inMs: [0] });
    const claim = await storage.outbox.claim({ ...CLAIM, maxItems: 3 });
    const [first = "", second = "", third = ""] = claim?.entries.map(({ id }) => id) ?? [];
    if (!claim) throw new Error("nothing was due");
    expect(await storage.outbox.extend(claim, 60_000)).toBe(true);
    const letter = { itemIndex: 0, reason: "bad", payload: new Uint8Array(10), detail: new Uint8Array() };
    const rest = { retryInMs: 0, progress: new Uint8Array([1]) };
    expect(
      await storage.outbox.settle(claim, [
        { id: first, dead: [letter] },
        { id: second, rest },
      ]),
    ).toBe("settled");
    const drained = await drain(storage);
    expect([first, ...drained].sort()).toEqual([...acknowledged].sort());
    expect(drained).toEqual(expect.arrayContaining([second, third]));
    await storage.outbox.append([entry("after")]);
  });

  it("that cannot write to its disk refuses, and nothing of the call is stored", async () => {
    const server = await start({ save: "3600 1" });
    const storage = await open(server);
    const admin = server.connect();
    rmSync(server.directory, { recursive: true, force: true });
    await admin.bgsave();
    while (!(await admin.info("persistence")).includes("rdb_last_bgsave_status:err")) await new Promise(setImmediate);
    await expect(storage.outbox.append([entry("a")])).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await expect(storage.records.put("k", new Uint8Array([1]))).rejects.toThrow(/disk/);
    expect(await storage.records.get("k")).toBeUndefined();
    expect(await storage.outbox.depth(["d"])).toMatchObject([{ entries: 0 }]);
  });

  it("that does not answer ends in unavailable, and is used again when it does", async () => {
    const server = await start();
    const storage = await open(server, { timeoutMs: 200 });
    server.freeze();
    await expect(storage.outbox.append([entry("a")])).rejects.toMatchObject({ code: "unavailable", retryable: true });
    server.thaw();
    // The call may have been stored after all: it is offered again, and is there once.
    while ((await storage.outbox.append([entry("a")]).catch(() => undefined)) === undefined);
    expect(await drain(storage)).toEqual(["a"]);
  });

  it("that is gone ends in unavailable, through both clients", async () => {
    const server = await start();
    const storages = [await open(server), redis(await nodeRedis(server.url), { timeoutMs: 500 })];
    await server.kill();
    for (const storage of storages) {
      await expect(storage.records.get("k")).rejects.toMatchObject({ code: "unavailable", retryable: true });
    }
  });

  it("that became a replica ends in unavailable, and check() says so", async () => {
    const server = await start();
    const storage = await open(server);
    await server.connect().replicaof("127.0.0.1", 1);
    await expect(storage.outbox.append([entry("a")])).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect((await storage.check()).map(({ code }) => code)).toContain("read_only_replica");
    await server.connect().replicaof("NO", "ONE");
    expect((await storage.outbox.append([entry("a")]))[0]?.status).toBe("stored");
  });

  it("whose user lacks a right: not retryable, nothing half done, and check() names the commands", async () => {
    const server = await start();
    const storage = await open(server);
    const admin = server.connect();
    await admin.acl("SETUSER", "default", "-hincrby", "-zadd", "-config");
    const findings = await storage.check();
    expect(findings.map(({ code }) => code).sort()).toEqual(["missing_rights", "settings_unreadable"]);
    expect(findings.find(({ code }) => code === "missing_rights")?.fix).toContain("+hincrby +zadd");
    const refused = { code: "unavailable", retryable: false, kind: "fix_configuration" };
    await admin.acl("SETUSER", "default", "+hincrby");
    await expect(storage.outbox.append([entry("a")])).rejects.toMatchObject(refused);
    await expect(redis(admin).migrate()).rejects.toMatchObject({ ...refused, details: { missing: "ZADD" } });
    await admin.acl("SETUSER", "default", "+zadd");
    expect((await storage.outbox.append([entry("a")]))[0]?.status).toBe("stored");
    expect(await drain(storage)).toEqual(["a"]);
  });

  it("gives a user the rights the page lists, and they are enough", async () => {
    const server = await start();
    const page = readFileSync(new URL("../../docs/redis.md", import.meta.url), "utf8");
    const rule = /`ACL SETUSER cdp on >… ([^`]+)`/.exec(page)?.[1] ?? "";
    await server.connect().acl("SETUSER", "cdp", "on", ">secret", ...rule.split(" "));
    const client = await nodeRedis(server.url.replace("//", "//cdp:secret@"));
    const storage = redis(client, { durability: "power-loss" });
    expect(await storage.check()).toEqual([]);
    await storage.outbox.open([GROUP]);
    await storage.outbox.append([entry("a"), entry("b")]);
    expect(await drain(storage)).toEqual(["a", "b"]);
    await storage.records.put("k", new Uint8Array([1]), { ttlMs: 1_000 });
    await storage.journal?.write([{ destinationId: "d", ids: ["x"], data: new Uint8Array([1]) }]);
    expect((await storage.slots?.reserve([{ key: "k", perWindow: 1, windowMs: 1_000 }], 1)) ?? {}).toHaveProperty(
      "inMs",
    );
    const segment = { tenantId: "t", destinationId: "d", link: "s" };
    const add = { op: "add", kind: 0, hash: new Uint8Array(32), position: 1 } as const;
    expect(await storage.members?.commit(segment, [add], { fence: 1, sent: new Uint8Array([1]) })).toBe("committed");
    expect(await storage.members?.count(segment, {})).toBe(1);
    await client.close();
  });

  it("forgets its scripts without anybody noticing", async () => {
    const server = await start();
    const storage = await open(server);
    await storage.outbox.append([entry("a")]);
    await server.connect().script("FLUSH");
    await storage.outbox.append([entry("b")]);
    await server.kill();
    await server.start();
    while ((await storage.records.now().catch(() => undefined)) === undefined);
    expect(await drain(storage)).toEqual(["a", "b"]);
  });

  it("with a replica that may take its place is found out: what that has not received would be lost", async () => {
    const server = await start();
    const storage = await open(server);
    const replica = await start();
    await replica.connect().replicaof("127.0.0.1", server.port);
    const codes = async () => (await storage.check()).map(({ code }) => code);
    await expect.poll(codes, { timeout: 60_000 }).toEqual(["failover_loses"]);
  });

  it("of a version without what the scripts need is found out, whatever else it says", async () => {
    const server = await start();
    const admin = server.connect();
    const old = new Proxy(admin, {
      get(client, name) {
        if (name !== "callBuffer") return Reflect.get(client, name);
        return async (command: string, ...args: string[]) => {
          const answer = await client.callBuffer(command, ...args);
          return command === "INFO" ? String(answer).replace(/redis_version:\S+/, "redis_version:6.0.16") : answer;
        };
      },
    });
    expect((await redis(old, { durability: "power-loss" }).check()).map(({ code }) => code)).toEqual([
      "server_too_old",
    ]);
  });

  it.runIf(mayMount)(
    "whose append-only file cannot be written is found out, and refuses what it could not keep",
    async () => {
      const server = await start({ appendfsync: "everysec" });
      const storage = await open(server, { durability: "process" });
      await server.kill();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", server.directory]);
      try {
        await server.start();
        await expect
          .poll(() =>
            storage.outbox.open([GROUP]).then(
              () => "there",
              () => "away",
            ),
          )
          .toBe("there");
        const told: string[] = [];
        for (let n = 0; n < 8; n++) {
          const appended = storage.outbox.append([entry(`e${n}`, 900_000)]);
          await appended.then(
            () => told.push(`e${n}`),
            () => {},
          );
        }
        expect(told.length).toBeLessThan(8);
        expect((await storage.check()).map(({ code }) => code)).toContain("aof_fails");
      } finally {
        await server.kill();
        execFileSync("umount", ["-l", server.directory]);
      }
    },
  );

  it("with settings that break a promise is found out", async () => {
    const server = await start();
    const storage = await open(server);
    const admin = server.connect();
    const codes = async (durability?: RedisOptions["durability"]) => {
      const asked = durability ? redis(admin, { durability }) : storage;
      return (await asked.check()).map(({ code }) => code);
    };
    expect(await codes()).toEqual([]);
    await admin.config("SET", "appendfsync", "everysec");
    expect(await codes()).toEqual(["lazy_fsync"]);
    expect(await codes("process")).toEqual(["durability_process"]);
    await admin.config("SET", "appendfsync", "no");
    expect((await codes("process")).sort()).toEqual(["durability_process", "lazy_fsync"]);
    await admin.config("SET", "appendfsync", "always", "no-appendfsync-on-rewrite", "yes");
    expect(await codes()).toEqual(["no_fsync_on_rewrite"]);
    await admin.config("SET", "no-appendfsync-on-rewrite", "no", "maxmemory-policy", "allkeys-lru");
    expect(await codes()).toEqual(["evicts"]);
    await admin.config("SET", "maxmemory-policy", "volatile-lru", "appendonly", "no");
    expect(await codes()).toEqual(["aof_off"]);
    expect(await codes("none")).toEqual(["durability_none"]);
    const ahead = redis(admin, { durability: "none", clock: { now: () => Date.now() } });
    expect((await ahead.check()).map(({ code }) => code)).toEqual(["durability_none"]);
    const later = Date.now;
    Date.now = () => later() + 5_000;
    try {
      expect(await codes("none")).toEqual(["clock_skew", "durability_none"]);
    } finally {
      Date.now = later;
    }
  });

  it("with data that is not ours, or newer, or cut otherwise is refused", async () => {
    const server = await start();
    const admin = server.connect();
    await redis(admin).migrate();
    await admin.hset("{snapchat:meta:0}:meta", "schema", 99);
    await expect(redis(admin).records.get("k")).rejects.toMatchObject({
      code: "schema_too_new",
      details: { found: 99 },
    });
    await admin.hset("{snapchat:meta:0}:meta", "schema", 1);
    await expect(redis(admin, { partitions: 4 }).migrate()).rejects.toMatchObject({ code: "partitions_differ" });
    await admin.set("{other:meta:0}:meta", "something else");
    await expect(redis(admin, { prefix: "other" }).migrate()).rejects.toMatchObject({
      code: "corrupt",
      retryable: false,
    });
    expect(() => redis(admin, { prefix: "{a}" })).toThrow(expect.objectContaining({ code: "invalid_options" }));
  });

  it("a closed client ends in closed, through both clients", async () => {
    const server = await start();
    const first = server.connect();
    const second = await nodeRedis(server.url);
    const storages = [redis(first), redis(second)];
    for (const storage of storages) await storage.migrate();
    await first.quit();
    await second.close();
    for (const storage of storages) {
      await expect(storage.records.get("k")).rejects.toMatchObject({ code: "closed", retryable: false });
      await storage.close();
      await expect(storage.records.get("k")).rejects.toMatchObject({ code: "closed" });
    }
  });
});
