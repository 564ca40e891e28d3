import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSealer } from "../src/auth/index.ts";
import { ConversionsClient, prepareEvent } from "../src/capi/index.ts";
import { createDelivery, type Delivery, type EventItem } from "../src/delivery/index.ts";
import { Secret } from "../src/errors.ts";
import { memory } from "../src/storage/memory/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { sqlite } from "../src/storage/sqlite/index.ts";
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

function deliveryOn(storage: Storage, { conversions, token }: { conversions: string; token: string }): Delivery {
  return createDelivery({
    storage,
    sealer: createSealer({ keys: [randomBytes(32).toString("base64")] }),
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "conversions_token",
        token: new Secret(token),
        version: 1,
        limits: { events: [{ key: id, perWindow: 1_000, windowMs: 1_000 }], segments: [] },
      }),
      refused: async () => "pause",
    },
    events: new ConversionsClient({ endpoints: { conversions } }),
  });
}

function events(assetId: string, run: string, count: number): EventItem[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, n): EventItem => {
    const prepared = prepareEvent(
      {
        event_name: "PURCHASE",
        event_time: Math.floor(nowMs / 1_000),
        event_id: `${run}-${n}`,
        action_source: "WEB",
        event_source_url: `https://shop.example/orders/${n}`,
        user_data: {
          em: `person${n}@shop.example`,
          client_ip_address: "203.0.113.7",
          client_user_agent: "Mozilla/5.0",
        },
        custom_data: { value: 12.5, currency: "EUR", transaction_id: `order-${run}-${n}` },
      } as never,
      { nowMs },
    );
    if (!prepared.ok) throw new Error(prepared.reason);
    return {
      type: "event",
      tenantId: "acme",
      destinationId: "d",
      assetId,
      json: prepared.json,
      eventId: `${run}-${n}`,
      orderId: prepared.orderId,
      eventName: "PURCHASE",
      eventTime: prepared.eventTime,
      subjects: [n.toString(16).padStart(32, "0")],
      acceptedAtMs: nowMs,
    };
  });
}

async function onDisk<T>(task: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "delivery-bench-"));
  try {
    return await task(join(directory, "outbox.db"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
