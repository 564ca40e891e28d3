import pg from "pg";
import { postgres } from "../src/postgres/index.ts";
import { serviceUrl } from "../test/services.ts";
import { postgresBinary } from "../test/storage/private-postgres.ts";
import { againstRaw, type Raw } from "./against-raw.ts";
import { twoWorkers } from "./postgres-workers.ts";
import { atLeast, type Bench, type Row } from "./row.ts";
import { startSimulator } from "./simulator.ts";
import { openHost } from "./track-host.ts";

/** `track` on Postgres, against preparing the same events and inserting the same rows, one after the other. */
export const rows: Bench = async ({ smoke }) => {
  const url = await serviceUrl("postgres");
  if (!url) return [];
  const simulator = await startSimulator();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  const schema = `snapchat_bench_${process.pid}`;
  const host = await openHost(postgres(pool, { schema }), simulator, smoke ? 5 : 500);
  const raw = await openRaw(pool, `${schema}_raw`);
  try {
    const o = { rounds: smoke ? 1 : 5, events: smoke ? 200 : 15_000 };
    const few = await againstRaw(host, raw, { ...o, perCall: 100, tenantIds: host.tenantIds.slice(0, 1) });
    const many = await againstRaw(host, raw, { ...o, perCall: smoke ? 5 : 500, tenantIds: host.tenantIds });
    return [
      row("100 events of one tenant a call", few.ours, few.raw),
      row("500 events of 500 tenants a call", many.ours, many.raw),
      ...(postgresBinary() ? [await twoWorkers(simulator, smoke)] : []),
    ];
  } finally {
    await host.snapchat.close();
    await pool.query(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${schema}_raw CASCADE`);
    await pool.end();
    await simulator.end();
  }
};

function row(what: string, value: number, limit: number): Row {
  const goals = [atLeast(0.7, "limit", "preparing and raw inserts")];
  return { name: `track, Postgres: ${what}`, value, unit: "events/s", limit, goals };
}

/** The same table, and what nobody can leave out: a row per entry with its id, one statement and one commit per call. */
async function openRaw(pool: pg.Pool, schema: string): Promise<Raw> {
  await postgres(pool, { schema }).migrate();
  const insert = `INSERT INTO ${schema}.entries (gid, id, seq, position, priority, state, due_at, created_at, dedupe_ms, items, claims, payload)
    SELECT g, id, seq, seq, priority, 0, due, now, dedupe, items, 0, payload FROM unnest($1::bigint[], $2::text[], $3::bigint[],
      $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[], $9::bytea[])
      AS row(g, id, seq, priority, due, now, dedupe, items, payload)`;
  const gids = new Map<string, number>();
  let seq = 0;
  return {
    async insert(entries) {
      const now = Date.now();
      const gid = (destination: string) => {
        const known = gids.get(destination) ?? gids.size + 1;
        gids.set(destination, known);
        return known;
      };
      await pool.query(insert, [
        entries.map(({ group }) => gid(group.destinationId)),
        entries.map(({ id }) => id),
        entries.map(() => ++seq),
        entries.map(({ priority }) => priority),
        entries.map(({ delayMs = 0 }) => now + delayMs),
        entries.map(() => now),
        entries.map(({ dedupeMs = 0 }) => dedupeMs),
        entries.map(({ items }) => items),
        entries.map(({ payload }) => payload),
      ]);
    },
    close() {},
  };
}
