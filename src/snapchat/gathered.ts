import type { Clock } from "../clock.ts";
import { isStorageConflict } from "../destinations/failure.ts";
import { decode, encode } from "../people/codec.ts";
import type { Records } from "../storage/ports.ts";

/** Facts that are gathered in memory and merged into one record each now and then: counts and times, never in the way. */
export interface Gathered<T> {
  /** Takes note. Written at most a minute later, if this process lives that long. */
  add(key: string, change: (pending: T | undefined) => T): void;
  /** What is stored and what this process has not written yet, merged. */
  read(key: string): Promise<T | undefined>;
  /** Writes everything. What fails stays for the next time. */
  flush(): Promise<void>;
  /** Drops what is pending and stored. */
  forget(key: string): Promise<void>;
}

export interface GatheredOptions<T> {
  records: Records;
  clock: Clock;
  /** Both sides hold facts of the same key. Neither is changed. */
  merge(stored: T, pending: T): T;
  ttlMs: number;
}

const EVERY_MS = 60_000;
/** Keys in memory; more are written early. */
const MOST = 10_000;
const TRIES = 10;

export function createGathered<T>({ records, clock, merge, ttlMs }: GatheredOptions<T>): Gathered<T> {
  let pending = new Map<string, T>();
  let dueAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  async function write(key: string, own: T): Promise<void> {
    for (let tries = 1; ; tries++) {
      const record = await records.get(key);
      const value = record ? merge(decode<T>(record.value), own) : own;
      try {
        await records.put(key, encode(value), { ifVersion: record?.version ?? 0, ttlMs });
        return;
      } catch (error) {
        if (!isStorageConflict(error) || tries === TRIES) throw error;
      }
    }
  }

  async function flushNow(): Promise<void> {
    const writing = pending;
    pending = new Map();
    dueAt = clock.monotonic() + EVERY_MS;
    for (const [key, own] of writing) {
      try {
        await write(key, own);
      } catch {
        const since = pending.get(key);
        pending.set(key, since === undefined ? own : merge(own, since));
      }
    }
  }

  function flush(): Promise<void> {
    running ??= flushNow().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    add(key, change) {
      pending.set(key, change(pending.get(key)));
      if (clock.monotonic() >= dueAt || pending.size > MOST) void flush();
    },
    async read(key) {
      await running;
      const record = await records.get(key);
      const own = pending.get(key);
      if (!record) return own;
      const stored = decode<T>(record.value);
      return own === undefined ? stored : merge(stored, own);
    },
    async flush() {
      await running;
      await flush();
    },
    async forget(key) {
      pending.delete(key);
      await running;
      await records.delete(key);
    },
  };
}
