import type { Group, MemberOp, Storage } from "../../storage/ports.ts";
import type { StorageKitOptions } from "./options.ts";

/** How long and how hard is measured. */
export interface BenchStorageOptions {
  /** How long each row is measured. Milliseconds; default 2,000. */
  rowMs?: number;
  /** Calls in flight at a time. Default 8. */
  callers?: number;
}

/** One kind of work. Plain JSON. */
export interface BenchRow {
  name: string;
  /** What is counted: entries, records, slots, operations. */
  unit: string;
  perSecond: number;
  /** How long a call took. Milliseconds. */
  p50Ms: number;
  p99Ms: number;
  calls: number;
}

/** What was measured. */
export interface StorageBench {
  storage: string;
  rows: BenchRow[];
}

const PAYLOAD_BYTES = 1_000;

/**
 * Measures the calls that delivery lives on, on a storage of its own: what an engine costs, and what a change of an
 * adapter did to it. Figures of two engines compare only when they come from one machine and one run.
 *
 * @example
 * ```ts
 * import { memory } from "snapchat-destination/memory";
 * import { benchStorage } from "snapchat-destination/testing";
 *
 * const { rows } = await benchStorage({ create: async () => memory(), destroy: (storage) => storage.close() });
 * console.table(rows);
 * ```
 */
export async function benchStorage(
  options: Pick<StorageKitOptions, "create" | "destroy">,
  o: BenchStorageOptions = {},
): Promise<StorageBench> {
  const storage = await options.create({});
  try {
    const rows: BenchRow[] = [];
    for (const work of WORK) {
      const row = await work(storage, { rowMs: o.rowMs ?? 2_000, callers: o.callers ?? 8 });
      if (row) rows.push(row);
    }
    return { storage: storage.name, rows };
  } finally {
    await options.destroy(storage);
  }
}

type Timing = Required<BenchStorageOptions>;
type Work = (storage: Storage, timing: Timing) => Promise<BenchRow | undefined>;

const WORK: readonly Work[] = [
  (storage, timing) => appending("append, one entry a call", storage, timing, 1),
  (storage, timing) => appending("append, 100 entries of one group a call", storage, timing, 100),
  (storage, timing) => appending("append, 100 entries of 100 groups a call", storage, timing, 100, 100),
  delivering,
  changing,
  reserving,
  committing,
];

function group(name: string, index = 0): Group {
  const id = `${name} ${index}`;
  return { tenantId: id, destinationId: id, name: "events/bench", exclusive: false, credentialId: id };
}

const entry = (id: string, { destinationId, name }: Group) => ({
  id,
  group: { destinationId, name },
  priority: 0 as const,
  items: 1,
  payload: new Uint8Array(PAYLOAD_BYTES).fill(7),
});

async function appending(name: string, storage: Storage, timing: Timing, perCall: number, groups = 1) {
  const list = Array.from({ length: groups }, (_, index) => group(name, index));
  await storage.outbox.open(list);
  return measure({ name, unit: "entries", ...timing }, async (call) => {
    const entries = Array.from({ length: perCall }, (_, n) => entry(`${call}-${n}`, list[n % groups] as Group));
    return (await storage.outbox.append(entries)).length;
  });
}

/** What the appends before this left is claimed and settled, a hundred at a time, and filled up again. */
async function delivering(storage: Storage, timing: Timing) {
  const own = group("claim and settle");
  await storage.outbox.open([own]);
  return measure({ name: "claim and settle, 100 entries a claim", unit: "entries", ...timing }, async (call) => {
    const claim = await storage.outbox.claim({ owner: "bench", leaseMs: 60_000, maxItems: 100, maxBytes: 10_000_000 });
    if (!claim) {
      await storage.outbox.append(Array.from({ length: 100 }, (_, n) => entry(`${call}-${n}`, own)));
      return 0;
    }
    await storage.outbox.settle(
      claim,
      claim.entries.map(({ id }) => ({ id })),
    );
    return claim.entries.length;
  });
}

async function changing({ records }: Storage, timing: Timing) {
  const value = new Uint8Array(500).fill(7);
  return measure({ name: "records: put with a version, and get", unit: "records", ...timing }, async (call) => {
    const key = `bench/${call}`;
    const ifVersion = await records.put(key, value, { ifVersion: 0 });
    await records.put(key, value, { ifVersion, ttlMs: 60_000 });
    await records.get(key);
    return 1;
  });
}

async function reserving({ slots }: Storage, timing: Timing) {
  if (!slots) return undefined;
  const scopes = ["token", "app"].map((key) => ({ key, perWindow: 1_000_000, windowMs: 1_000 }));
  return measure({ name: "slots: reserve one in two limits", unit: "slots", ...timing }, async () => {
    const answer = await slots.reserve(scopes, 1);
    return "inMs" in answer ? answer.inMs.length : 0;
  });
}

async function committing({ members }: Storage, timing: Timing) {
  if (!members) return undefined;
  const o = { name: "members: diff and commit, 1,000 operations a call", unit: "operations", ...timing };
  return measure(o, async (call) => {
    const segment = { tenantId: "bench", destinationId: "bench", link: `link-${call % 4}` };
    const ops = Array.from({ length: 1_000 }, (_, n): MemberOp => {
      return { op: "add", kind: 0, hash: hashOf(call * 1_000 + n), position: call };
    });
    const sent = await members.diff(segment, ops);
    await members.commit(segment, ops, { fence: 1, sent });
    return ops.length;
  });
}

function hashOf(n: number): Uint8Array {
  const hash = new Uint8Array(32);
  const view = new DataView(hash.buffer);
  for (let word = 0; word < 8; word++) view.setUint32(4 * word, Math.imul(n + word, 2_654_435_761) >>> 0);
  return hash;
}

/** Calls `task` by `callers` at a time until the time is over; it answers how much it has done. */
async function measure(
  { name, unit, rowMs, callers }: { name: string; unit: string } & Timing,
  task: (call: number) => Promise<number>,
): Promise<BenchRow> {
  const times: number[] = [];
  let done = 0;
  let calls = 0;
  const began = performance.now();
  const work = async () => {
    do {
      const from = performance.now();
      done += await task(calls++);
      times.push(performance.now() - from);
    } while (performance.now() - began < rowMs);
  };
  await Promise.all(Array.from({ length: callers }, work));
  const seconds = (performance.now() - began) / 1_000;
  times.sort((a, b) => a - b);
  const percentile = (share: number) => round(times[Math.floor((times.length - 1) * share)] ?? 0);
  return {
    name,
    unit,
    perSecond: Math.round(done / seconds),
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    calls: times.length,
  };
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
