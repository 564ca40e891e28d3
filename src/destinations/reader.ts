import type { Clock } from "../clock.ts";
import type { Record_, Records } from "../storage/ports.ts";
import { decode, encode } from "./codec.ts";
import { type ActiveDestination, type StoredDestination, toActive } from "./destination.ts";
import { idsOf, keys } from "./keys.ts";
import type { StoredTenant, TenantStatus } from "./tenant.ts";

/** A tenant's destinations as the hot path needs them. */
export interface ActiveTenant {
  status: TenantStatus;
  /** Enabled ones only; none while the tenant is not active. */
  enabled: readonly ActiveDestination[];
  /** All of them, deleted ones excepted. */
  all: readonly ActiveDestination[];
}

export interface DestinationReader {
  /**
   * From memory, without a promise, while what is known is younger than `refreshMs`; else a promise.
   * Under traffic it stays synchronous: it is refreshed in the background at half of that age.
   */
  tenant(tenantId: string): ActiveTenant | Promise<ActiveTenant>;
  /** The enabled destinations of {@link DestinationReader.tenant}. */
  enabledDestinations(tenantId: string): readonly ActiveDestination[] | Promise<readonly ActiveDestination[]>;
  /** After a write of this process: tells other processes and drops what is known here. */
  changed(tenantId: string): Promise<void>;
  /** Listens to `records.watch` where the engine has it, until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
}

interface Known {
  tenant: ActiveTenant;
  /** Version of the stamp that was read before the destinations were. */
  stamp: number;
  /** Monotonic. */
  checkedAt: number;
  loadedAt: number;
}

const RELOAD_MS = 60_000;
const PAGE = 200;

/**
 * Reads each tenant's destinations once and afterwards only its stamp, a small record whose version moves with every
 * change. A full reload every minute is the net below.
 */
export function createReader(options: {
  records: Records;
  clock: Clock;
  refreshMs?: number;
  maxTenants?: number;
}): DestinationReader {
  const { records, clock, refreshMs = 2_000, maxTenants = 10_000 } = options;
  const known = new Map<string, Known>();
  const loading = new Map<string, Promise<ActiveTenant>>();
  /** Raised by every change here: a load that began before it must not be kept. */
  const generations = new Map<string, number>();

  function tenant(tenantId: string): ActiveTenant | Promise<ActiveTenant> {
    const entry = known.get(tenantId);
    if (entry === undefined) return refresh(tenantId);
    const age = clock.monotonic() - entry.checkedAt;
    if (age >= refreshMs) return refresh(tenantId);
    // The rejection is seen by the first caller past refreshMs; until then what is known holds.
    if (age >= refreshMs / 2 && !loading.has(tenantId)) refresh(tenantId).catch(() => {});
    return entry.tenant;
  }

  function refresh(tenantId: string): Promise<ActiveTenant> {
    const running = loading.get(tenantId);
    if (running) return running;
    const load = loadCurrent(tenantId).finally(() => {
      if (loading.get(tenantId) === load) loading.delete(tenantId);
    });
    loading.set(tenantId, load);
    return load;
  }

  async function loadCurrent(tenantId: string): Promise<ActiveTenant> {
    for (;;) {
      const generation = generations.get(tenantId) ?? 0;
      // Before the reads: what is known is as old as the moment it was asked for.
      const checkedAt = clock.monotonic();
      const before = known.get(tenantId);
      const stamp = (await records.get(keys.stamp(tenantId)))?.version ?? 0;
      const unchanged = before && before.stamp === stamp && checkedAt - before.loadedAt < RELOAD_MS;
      const entry = unchanged
        ? { ...before, checkedAt }
        : { tenant: await load(tenantId, before?.tenant), stamp, checkedAt, loadedAt: checkedAt };
      if ((generations.get(tenantId) ?? 0) !== generation) continue;
      known.delete(tenantId);
      known.set(tenantId, entry);
      if (known.size > maxTenants) forget(known.keys().next().value);
      return entry.tenant;
    }
  }

  function forget(tenantId: string | undefined): void {
    if (tenantId === undefined) return;
    known.delete(tenantId);
    generations.delete(tenantId);
  }

  async function load(tenantId: string, before: ActiveTenant | undefined): Promise<ActiveTenant> {
    const record = await records.get(keys.tenant(tenantId));
    const status = record ? decode<StoredTenant>(record.value).status : "active";
    const same = new Map(before?.all.map((destination) => [destination.id, destination]));
    const all: ActiveDestination[] = [];
    let page: Record_[] = [];
    do {
      const after: string | undefined = page.at(-1)?.key;
      page = await records.list(keys.destinations(tenantId), { ...(after ? { after } : {}), limit: PAGE });
      for (const { value, version } of page) {
        const stored = decode<StoredDestination>(value);
        if (stored.deleting) continue;
        const old = same.get(stored.id);
        all.push(old?.version === version ? old : toActive({ stored, version }));
      }
    } while (page.length === PAGE);
    if (
      before?.status === status &&
      before.all.length === all.length &&
      all.every((item, i) => item === before.all[i])
    ) {
      return before;
    }
    return { status, all, enabled: status === "active" ? all.filter(({ enabled }) => enabled) : [] };
  }

  function invalidate(tenantId: string): void {
    generations.set(tenantId, (generations.get(tenantId) ?? 0) + 1);
    loading.delete(tenantId);
    const entry = known.get(tenantId);
    if (entry) known.set(tenantId, { ...entry, stamp: -1, checkedAt: Number.NEGATIVE_INFINITY });
  }

  return {
    tenant,
    enabledDestinations(tenantId) {
      const found = tenant(tenantId);
      return found instanceof Promise ? found.then(({ enabled }) => enabled) : found.enabled;
    },
    async changed(tenantId) {
      invalidate(tenantId);
      await records.put(keys.stamp(tenantId), encode({}));
      invalidate(tenantId);
      await refresh(tenantId);
    },
    async watch(signal) {
      if (!records.watch) return;
      for await (const key of records.watch(keys.stamps, signal)) invalidate(idsOf(key).tenantId);
    },
  };
}
