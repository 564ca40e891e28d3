import type { Records } from "../storage/ports.ts";
import { decode, encode } from "./codec.ts";
import type { TombstoneHead } from "./tombstone-cache.ts";

/** 37 days in the queue and 30 as a dead letter: nothing that was accepted before can be left after that. Milliseconds. */
export const TOMBSTONE_TTL_MS = 67 * 86_400_000;

/** What was withdrawn, and when. Accepted at that time or before: not sent. */
export interface Tombstone {
  /** Everywhere: ms since 1970 on the engine's clock. */
  all?: number;
  /** From one destination only. */
  destinations?: Record<string, number>;
}

const part = encodeURIComponent;
export const tombstoneKey = (tenantId: string, digest: string): string => `tombstone/${part(tenantId)}/${digest}`;
export const tombstonesKey = (tenantId: string): string => `tombstone/${part(tenantId)}/`;
/** Says what is new since a reader last looked. */
export const headKey = (tenantId: string): string => `tombstones/${part(tenantId)}`;

/** Additions the head remembers; a reader that missed more reads all tombstones again. */
const RECENT = 256;
const TRIES = 50;

/** Sets tombstones and tells readers. Safe to repeat: the later time counts. */
export async function setTombstones(
  records: Records,
  tenantId: string,
  digests: readonly string[],
  o: { atMs: number; destinationId?: string },
): Promise<void> {
  for (const digest of digests) await setOne(records, tombstoneKey(tenantId, digest), o);
  const added = digests.map((digest): [string, number] => [digest, o.atMs]);
  await compareAndSet<TombstoneHead>(records, headKey(tenantId), (head) => ({
    count: (head?.count ?? 0) + added.length,
    recent: [...(head?.recent ?? []), ...added].slice(-RECENT),
  }));
}

function setOne(
  records: Records,
  key: string,
  { atMs, destinationId }: { atMs: number; destinationId?: string },
): Promise<void> {
  return compareAndSet<Tombstone>(records, key, (before = {}) =>
    destinationId === undefined
      ? { ...before, all: Math.max(before.all ?? 0, atMs) }
      : {
          ...before,
          destinations: {
            ...before.destinations,
            [destinationId]: Math.max(before.destinations?.[destinationId] ?? 0, atMs),
          },
        },
  );
}

/** Every write keeps the record for another full term. */
async function compareAndSet<T>(records: Records, key: string, change: (before: T | undefined) => T): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const record = await records.get(key);
    const value = encode(change(record && decode<T>(record.value)));
    try {
      await records.put(key, value, { ifVersion: record?.version ?? 0, ttlMs: TOMBSTONE_TTL_MS });
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "version_conflict" || attempt === TRIES) throw error;
    }
  }
}

export async function readTombstone(
  records: Records,
  tenantId: string,
  digest: string,
): Promise<Tombstone | undefined> {
  const record = await records.get(tombstoneKey(tenantId, digest));
  return record && decode<Tombstone>(record.value);
}

/** The time up to which nothing accepted may be sent to this destination; 0: no such time. */
export function withdrawnUntil(tombstone: Tombstone | undefined, destinationId: string): number {
  if (!tombstone) return 0;
  const own =
    tombstone.destinations && Object.hasOwn(tombstone.destinations, destinationId)
      ? tombstone.destinations[destinationId]
      : 0;
  return Math.max(tombstone.all ?? 0, own ?? 0);
}

export async function purgeTombstones(records: Records, tenantId: string): Promise<void> {
  for (;;) {
    const page = await records.list(tombstonesKey(tenantId), { limit: 500 });
    for (const { key } of page) await records.delete(key);
    if (page.length < 500) break;
  }
  await records.delete(headKey(tenantId));
}
