import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../src/storage/memory/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { sqlite } from "../src/storage/sqlite/index.ts";
import { fairnessOf, simulateTurns } from "../test/delivery/turns/simulate.ts";
import { deliveryOn, events } from "./delivery-host.ts";
import type { Plot } from "./plot.ts";
import { atLeast, atMost, type Bench, perSecond, type Row } from "./row.ts";
import { type SimulatorProcess, startSimulator } from "./simulator.ts";

const PER_CALL = 100;
/** Requests of a web server that track at the same time. */
const CALLERS = 8;

/** How fast items get into entries, and events through the whole room: outbox, slots, HTTP, settle. */
export const rows: Bench = async ({ smoke }) => {
  // First: the collector clears up after what ran before it, for seconds, and that is not the worker's.
  const quiet = await onDisk((path) => idle(sqlite(path), smoke ? 200 : 10_000));
  const sim = await startSimulator();
  try {
    return [
      quiet,
      await preparing(smoke),
      await endToEnd("memory", memory(), sim, smoke ? 2_000 : 60_000),
      await onDisk((path) => endToEnd("SQLite", sqlite(path), sim, smoke ? 2_000 : 60_000)),
      ...(await turns(smoke)),
    ];
  } finally {
    await sim.end();
  }
};

async function preparing(smoke: boolean): Promise<Row> {
  const delivery = deliveryOn(memory(), { conversions: "http://127.0.0.1", token: "t" });
  const items = events("pixel-1", "p", 2_000);
  const value = await perSecond(items.length, smoke ? 50 : 1_000, () => delivery.prepareEntries(items));
  return {
    name: "delivery: items into sealed entries",
    value,
    unit: "items/s",
    goals: [atLeast(200_000)],
  };
}

/** Appended in calls of 100, eight at a time, while the worker delivers to a simulator in another process. */
async function endToEnd(name: string, storage: Storage, sim: SimulatorProcess, count: number): Promise<Row> {
  await storage.migrate();
  const delivery = deliveryOn(storage, { conversions: sim.endpoints.conversions, token: sim.token });
  const destinationId = `bench-${name}`;
  await delivery.open([
    {
      tenantId: "acme",
      destinationId,
      name: `events/${sim.pixelId}`,
      exclusive: false,
      credentialId: "conversions/acme/d/1",
    },
  ]);
  const items = events(sim.pixelId, `${name}-${Date.now()}`, count).map((item) => ({ ...item, destinationId }));
  const worker = delivery.startWorker({ concurrency: 4 });
  const started = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const from = next;
      next += PER_CALL;
      await delivery.append(items.slice(from, from + PER_CALL));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  while (delivery.counters.delivered < count) await new Promise((resolve) => setTimeout(resolve, 5));
  const value = (count / (performance.now() - started)) * 1_000;
  await worker.stop();
  await storage.close();
  const { requests } = delivery.counters;
  return {
    name: `delivery: append to simulator over HTTP, ${name} (${requests} requests)`,
    value,
    unit: "events/s",
    goals: [atLeast(15_000)],
  };
}

/** What a worker costs that has nothing to do, with a thousand destinations that are quiet. */
async function idle(storage: Storage, ms: number): Promise<Row> {
  await storage.migrate();
  const delivery = deliveryOn(storage, { conversions: "http://127.0.0.1", token: "t" });
  await delivery.open(
    Array.from({ length: 1_000 }, (_, n) => ({
      tenantId: `t${n}`,
      destinationId: `d${n}`,
      name: "events/p",
      exclusive: false,
      credentialId: `conversions/t${n}/d${n}/1`,
    })),
  );
  const worker = delivery.startWorker();
  await new Promise((resolve) => setTimeout(resolve, ms / 10));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { user, system } = process.cpuUsage(before);
  await worker.stop();
  await storage.close();
  return {
    name: "delivery: a worker with nothing to do, SQLite, 1,000 destinations",
    value: (user + system) / 10 / ms,
    unit: "% of a core",
    goals: [atMost(1)],
  };
}

/** Invariant 7 in virtual time: 1,000 tenants that wait, one with 100 times the work, 200 requests a second. */
async function turns(smoke: boolean): Promise<Row[]> {
  const size = smoke ? { tenants: 50, seconds: 12 } : { tenants: 1_000, seconds: 110 };
  const options = { ...size, perSecond: smoke ? 100 : 200, noisy: 100, workers: 2 };
  const result = await simulateTurns(options);
  const { leastShare, longestWait } = fairnessOf(result, options);
  const name = `delivery: ${size.tenants} tenants, one with 100 × the work`;
  return [
    {
      name: `${name}: least share of C/K in 20 turns`,
      value: leastShare,
      unit: "of C/K",
      goals: [atLeast(0.5)],
      isCount: true,
      plot: turnsPlot(result.sentAt, options),
    },
    {
      name: `${name}: longest wait`,
      value: longestWait,
      unit: "turns of K/C",
      goals: [atMost(2)],
      isCount: true,
    },
  ];
}

function turnsPlot(
  sentAt: readonly number[][],
  options: { tenants: number; perSecond: number; seconds: number },
): Plot {
  const seconds = Array.from({ length: options.seconds + 1 }, (_, second) => second);
  const counts = seconds.map((second) => sentAt.map((times) => times.filter((time) => time <= second).length));
  const line = (name: string, of: (counts: readonly number[]) => number) => ({
    name,
    points: counts.map((count, second) => [second, of(count)] as const),
  });
  return {
    file: "turns",
    title: `${options.tenants} waiting tenants, ${options.perSecond} requests a second, two workers, virtual time`,
    x: "seconds",
    y: "requests of one tenant",
    lines: [
      line("the one with 100 times the work", ([noisy]) => noisy ?? 0),
      line("fastest of the others", ([, ...others]) => Math.max(...others)),
      line("slowest of the others", ([, ...others]) => Math.min(...others)),
    ],
  };
}

async function onDisk<T>(task: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "delivery-bench-"));
  try {
    return await task(join(directory, "outbox.db"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
