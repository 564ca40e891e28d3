import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../src/storage/memory/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { sqlite } from "../src/storage/sqlite/index.ts";
import { deliveryOn, events } from "./delivery-host.ts";
import { atLeast, type Bench, perSecond, type Row } from "./row.ts";
import { type SimulatorProcess, startSimulator } from "./simulator.ts";

const PER_CALL = 100;
/** Requests of a web server that track at the same time. */
const CALLERS = 8;

/** How fast items get into entries, and events through the whole room: outbox, slots, HTTP, settle. */
export const rows: Bench = async ({ smoke }) => {
  const sim = await startSimulator();
  try {
    return [
      await preparing(smoke),
      await endToEnd("memory", memory(), sim, smoke ? 2_000 : 60_000),
      await onDisk((path) => endToEnd("SQLite", sqlite(path), sim, smoke ? 2_000 : 60_000)),
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

async function onDisk<T>(task: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "delivery-bench-"));
  try {
    return await task(join(directory, "outbox.db"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
