import { createDelivery, segmentGroup, writeSegmentLink } from "../src/delivery/index.ts";
import { Secret } from "../src/errors.ts";
import { sqlite } from "../src/sqlite/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { createFakeClock } from "../src/testing/index.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const MINUTE = 60_000;
const SEGMENTS_EACH = 20;
/** Shares of segments that change a minute, on both sides of where p99 passes 15 minutes. */
const BELOW = 0.022;
const ABOVE = 0.023;
/** Changes that the host tells in one call. */
const CHANGES_A_CALL = 20;

/**
 * From an event to Snapchat, over many tenants under one app's 20 requests a second, in virtual time. Background work takes
 * nine tenths of them, 1,080 a minute: when more than 1.8 % of 60,000 segments change a minute, they wait longer and longer
 * as long as that lasts. The last two shares stand on both sides of where p99 of an hour of it passes 15 minutes; an hour
 * is done with a tenth of the tenants under a tenth of the limit, 20 requests in ten seconds, which waits as long.
 */
export const rows: Bench = async ({ smoke }) => {
  const tenants = smoke ? 20 : 3_000;
  const all: Row[] = [];
  const loads = [
    { tenants, windowMs: 1_000, share: 0.01, minutes: smoke ? 2 : 4, most: 15 },
    { tenants, windowMs: 1_000, share: 0.017, minutes: 4, most: 15 },
    { tenants: tenants / 10, windowMs: 10_000, share: BELOW, minutes: 60, most: 15 },
    { tenants: tenants / 10, windowMs: 10_000, share: ABOVE, minutes: 60, most: undefined },
  ];
  for (const { most, ...load } of smoke ? loads.slice(0, 1) : loads) {
    const ages = await freshness(load);
    const percent = Number((load.share * 100).toFixed(2));
    const name = `event to Snapchat, ${load.tenants} × ${SEGMENTS_EACH} segments under 20 requests in ${load.windowMs / 1_000} s, ${percent} % of them change a minute for ${load.minutes} minutes`;
    const at = (part: number) => (ages[Math.min(ages.length - 1, Math.floor(ages.length * part))] ?? 0) / MINUTE;
    all.push({ name: `${name}, p50`, value: at(0.5), unit: "min", goals: [] });
    all.push({ name: `${name}, p99`, value: at(0.99), unit: "min", goals: most === undefined ? [] : [atMost(most)] });
  }
  return all;
};

async function freshness(o: { tenants: number; windowMs: number; share: number; minutes: number }): Promise<number[]> {
  const calls = { open: 0 };
  const clock = createFakeClock({
    async idle() {
      do await new Promise((resolve) => setImmediate(resolve));
      while (calls.open > 0);
    },
  });
  const engine = sqlite(":memory:", { clock });
  await engine.migrate();
  const storage = counted(engine, calls);
  storage.outbox.wait = ({ maxMs, signal }) => clock.sleep(Math.min(maxMs, 2_000), signal);
  const appendedAt = new Map<string, number>();
  const ages: number[] = [];
  const change = async (_segment: string, _kind: string, hashes: readonly string[]) => {
    for (const hash of hashes) ages.push(clock.monotonic() - (appendedAt.get(hash) ?? 0));
    await clock.sleep(300);
    return { accepted: hashes.length };
  };
  const delivery = createDelivery({
    storage,
    clock,
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "oauth",
        token: new Secret("token"),
        version: 1,
        limits: {
          events: [],
          segments: [
            { key: id, perWindow: 10, windowMs: 1_000 },
            { key: "app", perWindow: 20, windowMs: o.windowMs },
          ],
        },
      }),
      refused: async () => "retry",
    },
    segments: {
      members: { add: change, remove: change },
      segments: { create: async () => ({ id: "" }), async *list() {}, delete: async () => {} },
    },
  });
  const link = { key: "s", name: "S", adAccountId: "a", segmentId: "1", state: "ready" as const, generation: 0 };
  for (let t = 0; t < o.tenants; t++) {
    const refs = Array.from({ length: SEGMENTS_EACH }, (_, s) => ({
      tenantId: `t${t}`,
      destinationId: `d${t}`,
      link: `s${s}`,
    }));
    await Promise.all(refs.map((ref) => writeSegmentLink(storage.records, ref, link, 0)));
    await delivery.open(refs.map((ref) => segmentGroup(ref, `oauth/t${t}/c`)));
  }
  const worker = delivery.startWorker({ concurrency: o.windowMs > 1_000 ? 2 : 8 });
  const everyMs = MINUTE / (o.tenants * SEGMENTS_EACH * o.share);
  const total = Math.floor((o.minutes * MINUTE) / everyMs);
  for (let next = 0; next < total; ) {
    const until = Math.min(total, next + CHANGES_A_CALL);
    await clock.advance((until - next) * everyMs);
    const items = [];
    for (; next < until; next++) {
      const hash = (next + 1).toString(16).padStart(64, "0");
      appendedAt.set(hash, clock.monotonic());
      // Every segment in its turn, tenant by tenant, so that no two changes share a request by chance.
      const t = next % o.tenants;
      items.push({
        type: "member" as const,
        tenantId: `t${t}`,
        destinationId: `d${t}`,
        link: `s${Math.floor(next / o.tenants) % SEGMENTS_EACH}`,
        op: "add" as const,
        identifiers: [{ kind: 0 as const, hash }],
        subjects: [],
        acceptedAtMs: clock.now(),
      });
    }
    await clock.run(delivery.append(items));
  }
  while (ages.length < appendedAt.size) await clock.advance(MINUTE);
  await clock.run(worker.stop());
  await engine.close();
  return ages.sort((a, b) => a - b);
}

/** The same engine, and how many of its calls have not answered: virtual time stands still meanwhile. */
function counted(engine: Storage, calls: { open: number }): Storage {
  const port = <Port extends object>(own: Port): Port => {
    const copy = { ...own } as Record<string, unknown>;
    for (const [name, call] of Object.entries(own)) {
      if (typeof call !== "function") continue;
      copy[name] = async (...values: unknown[]) => {
        calls.open++;
        try {
          return await call.apply(own, values);
        } finally {
          calls.open--;
        }
      };
    }
    return copy as Port;
  };
  const { outbox, records, members, slots } = engine;
  return Object.assign(Object.create(engine) as Storage, {
    outbox: port(outbox),
    records: port(records),
    ...(members ? { members: port(members) } : {}),
    ...(slots ? { slots: port(slots) } : {}),
  });
}
