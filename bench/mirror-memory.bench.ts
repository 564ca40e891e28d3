import pg from "pg";
import { openMirrors } from "../test/audiences/processes/run-mirror.ts";
import { serviceUrl } from "../test/services.ts";
import { atMost, type Bench, type Row } from "./row.ts";

/**
 * What a process holds above rest while it mirrors a list from an async iterable: its worker, its storage and its HTTP
 * in it, V8 bounded as in a small container. First all of it, then again with one in a hundred changed; on Postgres, which
 * takes several times as long, the first of the two.
 */
export const rows: Bench = async ({ smoke }) => {
  const count = smoke ? 2_000 : 1_000_000;
  return [...(await onSqlite(count)), ...(await onPostgres(count))];
};

const LIMIT_MB = 150;

async function onPostgres(count: number): Promise<Row[]> {
  const database = await serviceUrl("postgres");
  if (!database) return [];
  const schema = `snapchat_memory_${process.pid}`;
  const mirrors = await openMirrors({}, { database, schema });
  try {
    const order = { segment: "vip", runId: "first", count, changeEvery: 0 };
    const { aboveIdleMb } = await mirrors.mirror(order);
    return [memoryRow("Postgres", count, aboveIdleMb)];
  } finally {
    await mirrors.close();
    const pool = new pg.Pool({ connectionString: database });
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await pool.end();
  }
}

function memoryRow(engine: string, count: number, value: number): Row {
  return {
    name: `memory above rest, ${count.toLocaleString("en")} members mirrored, ${engine}`,
    value,
    unit: "MB",
    limit: LIMIT_MB,
    goals: [atMost(1, "limit")],
  };
}

async function onSqlite(count: number): Promise<Row[]> {
  const mirrors = await openMirrors();
  try {
    const lines: { name: string; points: (readonly [number, number])[] }[] = [];
    let most = 0;
    for (const [name, runId, changeEvery] of [
      ["into an empty segment", "first", 0],
      ["again, 1 % changed", "second", 100],
    ] as const) {
      const points: (readonly [number, number])[] = [];
      const order = { segment: "vip", runId, count, changeEvery };
      const { aboveIdleMb } = await mirrors.mirror(order, [], ({ read, rssMb, idleMb }) => {
        points.push([read, rssMb - idleMb]);
      });
      most = Math.max(most, aboveIdleMb);
      lines.push({ name, points: thinned(points) });
    }
    const people = count.toLocaleString("en");
    return [
      {
        ...memoryRow("SQLite", count, most),
        plot: {
          file: "bench-memory",
          title: `Memory above rest while ${people} members are mirrored`,
          x: "members read",
          y: "MB",
          lines,
        },
      },
    ];
  } finally {
    await mirrors.close();
  }
}

const MOST_POINTS = 120;

function thinned<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, n) => n % step === 0);
}
