import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { sqlite } from "../src/sqlite/index.ts";
import { againstRaw, type Raw } from "./against-raw.ts";
import { atLeast, atMost, type Bench, type Row } from "./row.ts";
import { type SimulatorProcess, startSimulator } from "./simulator.ts";
import { type Host, type Offered, openHost } from "./track-host.ts";

/** Requests of a web server that track at the same time. */
const CALLERS = 8;

/** `track` on SQLite at full sync, against preparing the same events and inserting the same rows, one after the other. */
export const rows: Bench = async ({ smoke }) => {
  const simulator = await startSimulator();
  try {
    return [
      ...(await onDisk((path) => tracking(path, simulator, smoke))),
      ...(await onDisk((path) => single(path, simulator, smoke))),
      await onDisk((path) => delivering(path, simulator, smoke ? 2_000 : 60_000)),
    ];
  } finally {
    await simulator.end();
  }
};

async function tracking(path: string, simulator: SimulatorProcess, smoke: boolean): Promise<Row[]> {
  const host = await openHost(sqlite(join(path, "ours.db")), simulator, smoke ? 5 : 500);
  const raw = await openRaw(join(path, "raw.db"));
  const one = host.tenantIds.slice(0, 1);
  const o = { rounds: smoke ? 1 : 7, events: smoke ? 200 : 15_000 };
  const few = await againstRaw(host, raw, { ...o, perCall: 100, tenantIds: one });
  const many = await againstRaw(host, raw, { ...o, perCall: smoke ? 5 : 500, tenantIds: host.tenantIds });
  const loop = await loopDelay(host, { calls: smoke ? 4 : 400 });
  await host.snapchat.close();
  raw.close();
  const called = "preparing and raw inserts";
  return [
    {
      name: "track, SQLite: 100 events of one tenant a call",
      value: few.ours,
      unit: "events/s",
      limit: few.raw,
      goals: [atLeast(0.7, "limit", called), atLeast(30_000)],
      profile: "the disk of this machine: the raw inserts, one sync a call, hardly reach the target themselves.",
    },
    {
      name: "track, SQLite: 500 events of 500 tenants a call",
      value: many.ours,
      unit: "events/s",
      limit: many.raw,
      goals: [atLeast(0.7, "limit", called)],
    },
    {
      name: "sealing: preparing 100 events, sealed, against plain",
      value: few.sealed,
      unit: "events/s",
      limit: few.plain,
      goals: [],
    },
    {
      name: `track, SQLite: event loop delay, p99, ${CALLERS} callers of 100 events`,
      value: loop,
      unit: "ms",
      goals: [atMost(20)],
    },
  ];
}

/** What the loop is late by while several callers track, p99. */
async function loopDelay(host: Host, { calls }: { calls: number }): Promise<number> {
  const one = host.tenantIds.slice(0, 1);
  const waiting = Array.from({ length: calls }, () => host.purchases(100, one));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let offered = waiting.pop(); offered; offered = waiting.pop()) await host.snapchat.track(offered);
    }),
  );
  delay.disable();
  return delay.percentile(99) / 1e6;
}

/** One event a call, one call after the other: how long a caller waits, against one raw transaction. */
async function single(path: string, simulator: SimulatorProcess, smoke: boolean): Promise<Row[]> {
  const host = await openHost(sqlite(join(path, "ours.db")), simulator, 1);
  const raw = await openRaw(join(path, "raw.db"));
  const times = { ours: [] as number[], raw: [] as number[] };
  const time = async (name: keyof typeof times, task: (offered: Offered[]) => unknown) => {
    const offered = host.purchases(1, host.tenantIds);
    const began = performance.now();
    await task(offered);
    times[name].push(performance.now() - began);
  };
  for (let n = 0; n < (smoke ? 20 : 3_000); n++) {
    await time("raw", async (offered) => raw.insert(await host.prepare(offered)));
    await time("ours", (offered) => host.snapchat.track(offered));
  }
  await host.snapchat.close();
  raw.close();
  const p = (share: number) => ({
    name: `track, SQLite: one event a call, p${share * 100}`,
    value: percentile(times.ours, share),
    unit: "ms",
    limit: percentile(times.raw, share),
    goals: [],
  });
  return [p(0.5), p(0.99)];
}

function percentile(values: number[], share: number): number {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
}

/** From `track` to the simulator's count, over HTTP, all of ours in this process. */
async function delivering(path: string, simulator: SimulatorProcess, count: number): Promise<Row> {
  const host = await openHost(sqlite(join(path, "ours.db")), simulator, 1);
  const waiting = Array.from({ length: count / 100 }, () => host.purchases(100, host.tenantIds));
  const before = await simulator.counted();
  const worker = host.snapchat.startWorker({ concurrency: 4 });
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let offered = waiting.pop(); offered; offered = waiting.pop()) await host.snapchat.track(offered);
    }),
  );
  while ((await host.snapchat.stats()).counters.delivered < count) await new Promise((r) => setTimeout(r, 5));
  const value = (count * 1_000) / (performance.now() - began);
  await worker.stop();
  const counted = (await simulator.counted()) - before;
  if (counted !== count) throw new Error(`${counted} of ${count} events were counted.`);
  await host.snapchat.close();
  return {
    name: "track to the simulator's count over HTTP, SQLite, one process",
    value,
    unit: "events/s",
    goals: [atLeast(15_000)],
    profile:
      "one process does everything: two fifths of its time are reading, deciding and preparing, a fifth is SQLite's " +
      "transactions and their syncs, a tenth collections; the rest is claiming, sending and settling. It grows with the " +
      "speed of a core.",
  };
}

/** The same tables and pragmas, and what nobody can leave out: a row per entry and one per id, a commit per call. */
async function openRaw(path: string): Promise<Raw> {
  const storage = sqlite(path);
  await storage.migrate();
  await storage.close();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000");
  const addId = db.prepare("INSERT INTO entry_ids (gid, id, position, dedupe_ms) VALUES (?, ?, ?, ?)");
  const addEntry = db.prepare(
    `INSERT INTO entries (seq, gid, id, position, priority, state, due_at, created_at, items, claims, payload)
     VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, 0, ?)`,
  );
  const gids = new Map<string, number>();
  let seq = 0;
  return {
    insert(entries) {
      const now = Date.now();
      db.exec("BEGIN IMMEDIATE");
      for (const { id, group, dedupeMs = 0, priority, delayMs = 0, items, payload } of entries) {
        const gid = gids.get(group.destinationId) ?? gids.size + 1;
        gids.set(group.destinationId, gid);
        seq++;
        addId.run(gid, id, seq, dedupeMs);
        addEntry.run(seq, gid, id, seq, priority, now + delayMs, now, items, payload);
      }
      db.exec("COMMIT");
    },
    close: () => db.close(),
  };
}

async function onDisk<T>(task: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "track-bench-"));
  try {
    return await task(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
