import { describe, expect, it } from "vitest";
import { storageError } from "../../src/storage/errors.ts";
import { storageFromRecords } from "../../src/storage/index.ts";
import type { Claim, MemberOp, Records, Storage } from "../../src/storage/ports.ts";
import { mapRecords } from "./map-records.ts";

/** `twice`: carried out, and answered with the conflict that a repetition by the adapter itself would meet. */
type Mode = "before" | "after" | "twice";
const MODES: readonly Mode[] = ["before", "after", "twice"];
const LEASE_MS = 1_000;

/** Records whose `at`-th call (of those on keys of that kind) fails once, before it did anything or after it did all. */
function failing(records: Records, at: number, mode: Mode, kind = /^/): Records & { calls(): number } {
  let calls = 0;
  const wrap = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      const fails = kind.test(String(args[0] ?? "")) && ++calls === at;
      if (fails && mode === "before") throw lost();
      const answer = await call(...args);
      const conditional = (args[2] as { ifVersion?: number } | undefined)?.ifVersion !== undefined;
      if (fails && mode === "twice" && conditional) throw storageError("version_conflict", "Changed.", "Read again.");
      if (fails && mode !== "twice") throw lost();
      return answer;
    };
  };
  return {
    get: wrap(records.get),
    put: wrap(records.put),
    delete: wrap(records.delete),
    list: wrap(records.list),
    now: wrap(records.now),
    calls: () => calls,
  };
}

const lost = () => storageError("unavailable", "The answer was lost.", "Repeat the call.");

/** A host that repeats what failed, each time as a process that knows nothing of the one before. */
function host(records: Records) {
  const create = () =>
    storageFromRecords(records, { name: "map", durability: "process", shared: "network", maxValueBytes: 65_536 });
  let storage = create();
  return async <T>(task: (storage: Storage) => Promise<T>): Promise<T> => {
    try {
      return await task(storage);
    } catch (error) {
      if ((error as { code?: string }).code !== "unavailable") throw error;
      storage = create();
      return task(storage);
    }
  };
}

const group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: true, credentialId: "c" };
const bytes = (text: string) => new TextEncoder().encode(text);
const entries = ["a", "b", "c", "e"].map((id) => ({
  id,
  group,
  priority: 0 as const,
  items: 1,
  payload: bytes(`payload of ${id}`),
  dedupeMs: 3_600_000,
}));

/** Four entries: two delivered, one dead, one tried again and buried. Answers what the host was told. */
async function queueLife(at: number, mode: Mode) {
  let now = Date.UTC(2026, 0, 1);
  const clock = () => now;
  const base = mapRecords(clock);
  const records = failing(base, at, mode);
  const call = host(records);
  const delivered: string[] = [];

  await call((storage) => storage.outbox.open([group]));
  await call((storage) => storage.outbox.append(entries));
  for (let claim = await next(2); claim; claim = await next(2)) {
    const held = claim;
    const outcomes = held.entries.map(({ id, progress }) => {
      if (id === "b") return { id, dead: [{ itemIndex: 0, reason: "bad", payload: bytes("b"), detail: bytes("why") }] };
      if (id === "c" && !progress) return { id, rest: { retryInMs: 5_000, progress: bytes("once") } };
      return { id };
    });
    const answer = await call((storage) => storage.outbox.settle(held, outcomes));
    expect(answer).toBe("settled");
    delivered.push(...outcomes.flatMap(({ id, ...rest }) => ("dead" in rest || "rest" in rest ? [] : [id])));
    if (outcomes.some(({ id }) => id === "c")) await call((s) => bury(s));
  }
  const again = await call((storage) => storage.outbox.append(entries));
  const letters = await call((storage) => storage.outbox.dead.list({ destinationId: "d", limit: 10 }));
  const [depth] = await call((storage) => storage.outbox.depth(["d"]));
  return { calls: records.calls(), delivered, again, letters: letters.items, depth };

  /** A claim whose answer was lost comes again when its lease is over. */
  async function next(maxItems: number): Promise<Claim | undefined> {
    const o = { owner: "test", leaseMs: LEASE_MS, maxItems, maxBytes: 1_000_000 };
    const claim = await call((storage) => storage.outbox.claim(o));
    if (claim) return claim;
    now += 5_000;
    return call((storage) => storage.outbox.claim(o));
  }

  async function bury(storage: Storage): Promise<void> {
    await storage.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 });
  }
}

function expectBalance({ delivered, again, letters, depth }: Awaited<ReturnType<typeof queueLife>>): void {
  const told = letters.map(({ entryId, reason, payload }) => `${entryId} ${reason} ${Buffer.from(payload)}`);
  expect([...delivered, ...told].sort()).toEqual(["a", "b bad b", "c dropped payload of c", "e"]);
  expect(again.map(({ status }) => status)).toEqual(["duplicate", "duplicate", "duplicate", "duplicate"]);
  expect(depth).toMatchObject({ entries: 0, items: 0, bytes: 0, dead: { bad: 1, dropped: 1 } });
}

describe("storageFromRecords, whose process ends at any call to the engine", () => {
  it("balances when none fails", async () => expectBalance(await queueLife(0, "before")));

  it.each(MODES)("loses nothing, doubles nothing: the call fails %s it was carried out", async (mode) => {
    const { calls } = await queueLife(0, mode);
    for (let at = 1; at <= calls; at++) {
      await queueLife(at, mode)
        .then(expectBalance)
        .catch((error: unknown) => {
          throw new Error(`call ${at} of ${calls}`, { cause: error });
        });
    }
  });

  it.each(MODES)(
    "keeps a state that is too large for one value: the call fails %s it was carried out",
    async (mode) => {
      const ids = Array.from({ length: 300 }, (_, n) => `${n}-`.padEnd(200, "x"));
      const life = async (at: number) => {
        let now = Date.UTC(2026, 0, 1);
        const records = failing(
          mapRecords(() => now),
          at,
          mode,
          /^\$\/[cg]\//,
        );
        const call = host(records);
        await call((storage) => storage.outbox.open([group]));
        const many = ids.map((id) => ({ id, group, priority: 0 as const, items: 1, payload: bytes(id) }));
        await call((storage) => storage.outbox.append(many));
        const settled: string[] = [];
        for (let empty = 0; empty < 2; ) {
          const o = { owner: "test", leaseMs: LEASE_MS, maxItems: 100, maxBytes: 1_000_000 };
          const claim = await call((storage) => storage.outbox.claim(o));
          if (!claim) {
            empty++;
            now += 2 * LEASE_MS;
            continue;
          }
          const outcomes = claim.entries.map(({ id }) => ({ id }));
          if ((await call((storage) => storage.outbox.settle(claim, outcomes))) === "settled")
            settled.push(...claim.entries.map(({ id }) => id));
        }
        expect(settled.sort()).toEqual([...ids].sort());
        return records.calls();
      };
      const calls = await life(0);
      expect(calls).toBeGreaterThan(20);
      for (let at = 1; at <= calls; at++) {
        await life(at).catch((error: unknown) => {
          throw new Error(`call ${at} of ${calls}`, { cause: error });
        });
      }
    },
  );

  it.each(MODES)("keeps every member when blocks are split: the call fails %s it was carried out", async (mode) => {
    const segment = { tenantId: "t", destinationId: "d", link: "s" };
    const pages = [0, 1].map((page) =>
      Array.from(
        { length: 900 },
        (_, n): MemberOp => ({ op: "add", kind: 0, hash: hashOf(900 * page + n), position: 1 }),
      ),
    );
    const life = async (at: number) => {
      const records = failing(mapRecords(), at, mode);
      const call = host(records);
      for (const [fence, ops] of pages.entries()) {
        const sent = new Uint8Array(113).fill(255);
        expect(await call((storage) => storage.members!.commit(segment, ops, { fence, sent }))).toBe("committed");
      }
      expect(await call((storage) => storage.members!.count(segment, {}))).toBe(1_800);
      return records.calls();
    };
    const calls = await life(0);
    for (let at = 1; at <= calls; at++) {
      await life(at).catch((error: unknown) => {
        throw new Error(`call ${at} of ${calls}`, { cause: error });
      });
    }
  });
});

function hashOf(n: number): Uint8Array {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, Math.imul(n, 2_654_435_761) >>> 0);
  new DataView(hash.buffer).setUint32(28, n);
  return hash;
}
