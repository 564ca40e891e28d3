import type { Clock } from "../clock.ts";
import type { Record_, Records } from "../storage/ports.ts";
import { decode } from "./codec.ts";
import { DigestTable } from "./digest-table.ts";
import { headKey, type Tombstone, tombstonesKey } from "./tombstones.ts";

/** One small record per tenant that has tombstones: readers look at it instead of at all of them. */
export interface TombstoneHead {
  /** How many were ever set. */
  count: number;
  /** The last of them: digest and time. */
  recent: [digest: string, atMs: number][];
}

interface Known {
  table: DigestTable;
  /** `count` of the head that the table holds at least. */
  count: number;
  /** Version of that head; 0: there was none. */
  version: number;
  /** Monotonic. */
  checkedAt: number;
  loadedAt: number;
}

/** Expired tombstones leave the table with a full load. */
const RELOAD_MS = 24 * 3_600_000;
const PAGE = 1_000;

export interface TombstoneCache {
  /** The tenant's digests: at once while they are younger than `refreshMs`, else a promise. */
  table(tenantId: string): DigestTable | Promise<DigestTable>;
  /** After a write of this process. */
  refresh(tenantId: string): Promise<DigestTable>;
  forget(tenantId: string): void;
}

/**
 * Digests of tombstones in memory: all of a tenant's are read once, afterwards one small record tells what came. Under
 * traffic the answer is at hand, refreshed in the background at half of `refreshMs`.
 */
export function createTombstoneCache(options: {
  records: Records;
  clock: Clock;
  refreshMs: number;
  maxTenants?: number;
}): TombstoneCache {
  const { records, clock, refreshMs, maxTenants = 10_000 } = options;
  const known = new Map<string, Known>();
  const loading = new Map<string, Promise<DigestTable>>();

  function table(tenantId: string): DigestTable | Promise<DigestTable> {
    const entry = known.get(tenantId);
    if (entry === undefined) return load(tenantId);
    const age = clock.monotonic() - entry.checkedAt;
    if (age >= refreshMs) return load(tenantId);
    // A failure is seen by the first caller past refreshMs; until then what is known holds.
    if (age >= refreshMs / 2 && !loading.has(tenantId)) load(tenantId).catch(() => {});
    return entry.table;
  }

  function load(tenantId: string): Promise<DigestTable> {
    const running = loading.get(tenantId);
    if (running) return running;
    const started = loadNow(tenantId).finally(() => {
      if (loading.get(tenantId) === started) loading.delete(tenantId);
    });
    loading.set(tenantId, started);
    return started;
  }

  async function loadNow(tenantId: string): Promise<DigestTable> {
    // Before the reads: what is known is as old as the moment it was asked for.
    const checkedAt = clock.monotonic();
    const before = known.get(tenantId);
    const record = await records.get(headKey(tenantId));
    const entry = before && follow(before, record, checkedAt) ? before : await loadAll(tenantId, record, checkedAt);
    entry.checkedAt = Math.max(entry.checkedAt, checkedAt);
    known.delete(tenantId);
    known.set(tenantId, entry);
    if (known.size > maxTenants) known.delete(known.keys().next().value ?? "");
    return entry.table;
  }

  /** Adds what is new to a table. `false`: too much is, or it is time to drop expired ones. */
  function follow(entry: Known, record: Record_ | undefined, nowMs: number): boolean {
    if (nowMs - entry.loadedAt >= RELOAD_MS) return false;
    if ((record?.version ?? 0) === entry.version) return true;
    if (!record) return false;
    const { count, recent } = decode<TombstoneHead>(record.value);
    const missed = count - entry.count;
    if (missed < 0 || missed > recent.length) return false;
    for (const [digest, atMs] of recent.slice(recent.length - missed)) entry.table.set(digest, atMs);
    entry.count = count;
    entry.version = record.version;
    return true;
  }

  async function loadAll(tenantId: string, head: Record_ | undefined, checkedAt: number): Promise<Known> {
    const table = new DigestTable();
    const prefix = tombstonesKey(tenantId);
    let page: Record_[] = [];
    do {
      const after: string | undefined = page.at(-1)?.key;
      page = await records.list(prefix, { ...(after ? { after } : {}), limit: PAGE });
      for (const { key, value } of page) table.set(key.slice(prefix.length), latest(decode<Tombstone>(value)));
    } while (page.length === PAGE);
    const count = head ? decode<TombstoneHead>(head.value).count : 0;
    return { table, count, version: head?.version ?? 0, checkedAt, loadedAt: checkedAt };
  }

  return {
    table,
    async refresh(tenantId) {
      // One that runs may have looked before the write.
      await loading.get(tenantId)?.catch(() => {});
      return load(tenantId);
    },
    forget(tenantId) {
      known.delete(tenantId);
    },
  };
}

const latest = ({ all = 0, destinations = {} }: Tombstone): number => Math.max(all, ...Object.values(destinations));
