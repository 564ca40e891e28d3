import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { postgres } from "../src/postgres/index.ts";
import { startPrivatePostgres } from "../test/storage/private-postgres.ts";
import { deliveryOn, events } from "./delivery-host.ts";
import { atMost, type Row } from "./row.ts";
import type { SimulatorProcess } from "./simulator.ts";

const DESTINATIONS = Array.from({ length: 20 }, (_, n) => `d${n}`);
const PER_CALL = 100;

/** CPU of one event, of the workers' processes and of the server they share: two workers against one, and up to four. */
export async function twoWorkers(simulator: SimulatorProcess, smoke: boolean): Promise<Row> {
  const count = smoke ? 2_000 : 60_000;
  const server = await startPrivatePostgres();
  try {
    const key = randomBytes(32).toString("base64");
    const start = { url: server.url, conversions: simulator.endpoints.conversions, token: simulator.token, key };
    const costs: Record<number, number> = {};
    for (const workers of smoke ? [1, 2] : [1, 2, 1, 2, 3, 4]) {
      const ms = await cpuMs(server, start, simulator.pixelId, workers, count);
      costs[workers] = Math.min(costs[workers] ?? Infinity, ms);
    }
    const points = Object.entries(costs).map(([workers, ms]) => [Number(workers), (ms * 1_000) / count] as const);
    return {
      name: "CPU per event, two workers against one, Postgres and its server",
      value: ((costs[2] ?? 0) * 1_000) / count,
      limit: ((costs[1] ?? 0) * 1_000) / count,
      unit: "µs",
      goals: [atMost(1.15, "limit", "one worker")],
      profile:
        "what the second process adds is Node's own: the server's part grows by some 3 %, the workers' by their second set of polls, renewals and collections.",
      plot: {
        file: "bench-workers",
        title: "CPU per event over workers on one Postgres: all processes and the server",
        x: "workers",
        y: "µs",
        lines: [{ name: "CPU per event", points }],
      },
    };
  } finally {
    await server.end();
  }
}

async function cpuMs(
  server: { pid: number },
  start: { url: string; conversions: string; token: string; key: string },
  pixelId: string,
  workers: number,
  count: number,
): Promise<number> {
  const pool = new pg.Pool({ connectionString: start.url, max: 4 });
  // The server may be gone before the last connection has said good-bye.
  pool.on("error", () => {});
  const storage = postgres(pool);
  await storage.migrate();
  const delivery = deliveryOn(storage, start);
  const drained = async () => {
    while ((await storage.outbox.depth()).some(({ entries }) => entries > 0))
      await new Promise((r) => setTimeout(r, 200));
  };
  const children = Array.from({ length: workers }, () =>
    fork(fileURLToPath(new URL("postgres-worker.ts", import.meta.url)), [JSON.stringify(start)]),
  );
  await Promise.all(children.map((child) => once(child, "message")));
  // Work that does not count: caches, plans, compiled code of each process.
  await fill(delivery, pixelId, (workers * count) / 2);
  await drained();
  for (const destinationId of DESTINATIONS) await storage.outbox.pause({ destinationId }, "filling");
  await fill(delivery, pixelId, count);
  const cost = async () => {
    const own = await Promise.all(children.map((child) => ask(child, "cost")));
    return own.reduce((total, ms) => total + ms, treeCpuMs(server.pid));
  };
  const before = await cost();
  for (const destinationId of DESTINATIONS) await storage.outbox.resume({ destinationId }, "filling");
  await drained();
  const after = await cost();
  await Promise.all(children.map((child) => ask(child, "end")));
  await pool.end();
  return after - before;
}

async function fill(delivery: ReturnType<typeof deliveryOn>, pixelId: string, count: number): Promise<void> {
  const run = randomBytes(4).toString("hex");
  for (const destinationId of DESTINATIONS) {
    const group = { tenantId: `t${destinationId}`, destinationId, name: `events/${pixelId}`, exclusive: false };
    await delivery.open([{ ...group, credentialId: `conversions/${group.tenantId}/${destinationId}/1` }]);
  }
  let next = 0;
  const caller = async () => {
    for (let call = next++; call * PER_CALL < count; call = next++) {
      const destinationId = DESTINATIONS[call % DESTINATIONS.length] as string;
      const place = { tenantId: `t${destinationId}`, destinationId };
      await delivery.append(events(pixelId, `${run}-${call}`, PER_CALL).map((item) => ({ ...item, ...place })));
    }
  };
  await Promise.all(Array.from({ length: 4 }, caller));
}

async function ask(child: ChildProcess, what: "cost" | "end"): Promise<number> {
  const said = once(child, "message");
  child.send(what);
  const [answer] = (await said) as [number];
  return answer;
}

/** Of a process, its children and those that have ended; 0 where the system does not tell (there only workers count). */
function treeCpuMs(pid: number): number {
  let ticks = 0;
  try {
    for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      const fields = statOf(name);
      if (Number(name) === pid) ticks += sum(fields.slice(11, 15));
      else if (Number(fields[1]) === pid) ticks += sum(fields.slice(11, 13));
    }
  } catch {
    return 0;
  }
  return ticks * 10;
}

/** The fields behind the name, which may hold anything. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return [];
  }
}

const sum = (fields: string[]) => fields.reduce((total, field) => total + Number(field), 0);
