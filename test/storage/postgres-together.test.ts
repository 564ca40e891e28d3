import { afterAll, describe, expect, it } from "vitest";
import type { Group, Storage } from "../../src/storage/ports.ts";
import { seeded } from "../delivery/support.ts";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");
const LEASE_MS = 400;

interface History {
  /** Ids stored, by group. */
  stored: Map<string, Set<string>>;
  /** How often each was settled for good. */
  gone: Map<string, number>;
  violations: string[];
}

describe.skipIf(!url)("workers on connections of their own", () => {
  const pool = connect(url ?? "", { max: 16 });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  it("append, claim, stall, give back, bury and settle at once: nothing lost, nothing twice, no call that the others break", async () => {
    const storage = await schemas.open();
    const random = seeded(4);
    const groups = Array.from(
      { length: 12 },
      (_, n): Group => ({
        tenantId: `t${n % 4}`,
        destinationId: `d${n % 6}`,
        name: `g${n}`,
        exclusive: n % 3 === 0,
        credentialId: `c${n % 5}`,
      }),
    );
    await storage.outbox.open(groups);
    const history: History = { stored: new Map(), gone: new Map(), violations: [] };
    let appending = true;
    const appenders = Array.from({ length: 3 }, (_, n) => appendAll(storage, groups, history, random, `a${n}`));
    const workers = Array.from({ length: 8 }, (_, n) => work(storage, history, random, `w${n}`, () => appending));
    await Promise.all(appenders);
    appending = false;
    await Promise.all(workers);

    const stored = [...history.stored.values()].flatMap((ids) => [...ids]);
    const dead = (
      await Promise.all(groups.map(({ destinationId }) => storage.outbox.dead.list({ destinationId, limit: 5_000 })))
    ).flatMap(({ items }) => items.map(({ entryId }) => entryId));
    expect(history.violations).toEqual([]);
    expect(stored.filter((id) => (history.gone.get(id) ?? 0) + (dead.includes(id) ? 1 : 0) !== 1)).toEqual([]);
    expect(stored.length).toBeGreaterThan(500);
    const depths = await storage.outbox.depth();
    expect(depths.map(({ entries, items, bytes }) => [entries, items, bytes])).toEqual(depths.map(() => [0, 0, 0]));
    await schemas.giveBack(storage);
  }, 120_000);

  it("a worker that waits wakes when a group's hold is over, and when another process has appended", async () => {
    const storage = await schemas.open();
    const { outbox } = storage;
    const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };
    const entry = { group, priority: 0, items: 1, payload: new Uint8Array(1) } as const;
    await outbox.open([group]);
    await outbox.append([
      { ...entry, id: "a" },
      { ...entry, id: "b" },
    ]);
    const claim = () => outbox.claim({ owner: "w", leaseMs: 60_000, maxItems: 1, maxBytes: 1e6 });
    const signal = new AbortController().signal;
    const first = await claim();
    if (!first) throw new Error("nothing is due");
    await outbox.settle(first, [{ id: "a" }], { holdGroupMs: 400 });
    const next = async () => {
      const began = performance.now();
      for (;;) {
        const found = await claim();
        if (found) return { id: found.entries[0]?.id, afterMs: performance.now() - began };
        await outbox.wait({ maxMs: 30_000, signal });
      }
    };
    const held = await next();
    expect(held.id).toBe("b");
    expect(held.afterMs).toBeLessThan(10_000);
    const waiting = next();
    await schemas.reopen(storage).outbox.append([{ ...entry, id: "from elsewhere" }]);
    const other = await waiting;
    expect(other.id).toBe("from elsewhere");
    expect(other.afterMs).toBeLessThan(10_000);
    await schemas.giveBack(storage);
  });

  it("an append that a purge did not see is taken away, and the counts stay right", async () => {
    const storage = await schemas.open();
    const { outbox } = storage;
    const group = { tenantId: "t", destinationId: "d", name: "g", exclusive: false, credentialId: "c" };
    const entry = { group, priority: 0, items: 1, payload: new Uint8Array(1) } as const;
    await outbox.open([group]);
    await outbox.append([{ ...entry, id: "a" }]);
    const host = await pool.connect();
    await host.query("BEGIN");
    await outbox.append([{ ...entry, id: "late" }], { tx: host });
    while (!(await outbox.purge("d", { limit: 100 })));
    await host.query("COMMIT");
    host.release();
    expect(await outbox.depth(["d"])).toEqual([]);
    await outbox.open([group]);
    expect(await outbox.claim({ owner: "w", leaseMs: 1_000, maxItems: 10, maxBytes: 1e6 })).toBeUndefined();
    expect(await outbox.depth(["d"])).toMatchObject([{ entries: 0, items: 0, bytes: 0 }]);
    expect((await outbox.append([{ ...entry, id: "late" }]))[0]?.status).toBe("stored");
    expect(await outbox.depth(["d"])).toMatchObject([{ entries: 1 }]);
    await schemas.giveBack(storage);
  });
});

async function appendAll(storage: Storage, groups: Group[], history: History, random: () => number, name: string) {
  for (let call = 0; call < 60; call++) {
    const entries = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, n) => {
      const group = groups[Math.floor(random() * groups.length)] as Group;
      // Some ids are offered twice, by whoever.
      const id =
        random() < 0.1 ? `twice ${Math.floor(random() * 40)} ${group.name}` : `${name} ${call} ${n} ${group.name}`;
      const delayMs = random() < 0.3 ? 50 : 0;
      return {
        id,
        group,
        priority: Math.floor(random() * 4) as 0 | 1 | 2 | 3,
        items: 1,
        payload: Buffer.from(id),
        delayMs,
        dedupeMs: 60_000,
      };
    });
    const answers = await storage.outbox.append(entries);
    for (const [index, { status }] of answers.entries()) {
      const { id, group } = entries[index] as (typeof entries)[number];
      const ids = history.stored.get(group.name) ?? new Set();
      history.stored.set(group.name, ids);
      if (status === "stored" && ids.has(id)) history.violations.push(`${id} was stored twice`);
      if (status === "stored") ids.add(id);
    }
  }
}

async function work(storage: Storage, history: History, random: () => number, owner: string, more: () => boolean) {
  const { outbox } = storage;
  for (let idle = 0; more() || idle < 40; ) {
    const claim = await outbox.claim({
      owner,
      leaseMs: LEASE_MS,
      maxItems: 1 + Math.floor(random() * 6),
      maxBytes: 10_000,
    });
    if (!claim) {
      idle++;
      await new Promise((resolve) => setTimeout(resolve, 25));
      continue;
    }
    idle = 0;
    const dice = random();
    if (dice < 0.06) continue; // It dies: the lease brings the entries back.
    if (dice < 0.12) await new Promise((resolve) => setTimeout(resolve, LEASE_MS * (0.8 + random())));
    if (dice > 0.97) await outbox.bury({ destinationId: claim.group.destinationId }, "dropped", { limit: 5 });
    if (dice > 0.9) {
      await outbox.release(claim, random() < 0.5 ? { holdGroupMs: 20 } : {});
      continue;
    }
    if (dice > 0.8) await outbox.extend(claim, LEASE_MS);
    const outcomes = claim.entries.flatMap(({ id }) => {
      const fate = random();
      if (fate < 0.1) return [];
      return [fate < 0.3 ? { id, rest: { retryInMs: Math.floor(random() * 30), progress: Buffer.from("p") } } : { id }];
    });
    const end = await outbox.settle(claim, outcomes, random() < 0.1 ? { holdGroupMs: 30 } : {});
    if (end === "lost") continue;
    for (const outcome of outcomes) {
      if (outcome.rest) continue;
      history.gone.set(outcome.id, (history.gone.get(outcome.id) ?? 0) + 1);
    }
  }
}
