import { Redis } from "ioredis";
import { redis } from "../src/redis/index.ts";
import { type PrivateRedis, redisServer, startRedis } from "../test/storage/private-redis.ts";
import { againstRaw, type Raw } from "./against-raw.ts";
import { atLeast, type Bench, type Row } from "./row.ts";
import { startSimulator } from "./simulator.ts";
import { openHost } from "./track-host.ts";

/** `track` on a Redis that syncs every write, against preparing the same events and storing the same bytes, one after the other. */
export const rows: Bench = async ({ smoke }) => {
  if (!redisServer) return [];
  const simulator = await startSimulator();
  const server = await startRedis();
  const client = new Redis(server.port);
  const host = await openHost(redis(client, { durability: "power-loss" }), simulator, smoke ? 5 : 500);
  const raw = openRaw(server);
  try {
    const o = { rounds: smoke ? 1 : 7, events: smoke ? 200 : 15_000 };
    const few = await againstRaw(host, raw, { ...o, perCall: 100, tenantIds: host.tenantIds.slice(0, 1) });
    const many = await againstRaw(host, raw, { ...o, perCall: smoke ? 5 : 500, tenantIds: host.tenantIds });
    return [
      row("100 events of one tenant a call", few.ours, few.raw),
      row("500 events of 500 tenants a call", many.ours, many.raw),
    ];
  } finally {
    await host.snapchat.close();
    client.disconnect();
    await server.remove();
    await simulator.end();
  }
};

function row(what: string, value: number, limit: number): Row {
  const goals = [atLeast(0.7, "limit", "preparing and raw writes")];
  const profile =
    "half of Redis's part is the script of each call and its commands on keys that exist, some 20 µs an entry; fewer keys an entry would be another layout.";
  return { name: `track, Redis: ${what}`, value, unit: "events/s", limit, goals, profile };
}

/** What nobody can leave out: each entry's bytes and its id, in one command that is synced once. */
function openRaw(server: PrivateRedis): Raw {
  const client = server.connect();
  let seq = 0;
  return {
    insert: (entries) =>
      client.mset(
        entries.flatMap(({ id, payload }) => {
          const name = `raw:${++seq}`;
          return [name, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), `id:${id}`, name];
        }),
      ),
    close: () => client.disconnect(),
  };
}
