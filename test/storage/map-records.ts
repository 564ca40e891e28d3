import { storageError } from "../../src/storage/errors.ts";
import type { Record_, Records } from "../../src/storage/ports.ts";

/** The five functions on a Map, as the plainest engine would have them. Every call takes a turn of the event loop, as a network would. */
export function mapRecords(now: () => number = Date.now): Records {
  const rows = new Map<string, Record_ & { expiresAt: number }>();
  let lastVersion = 0;

  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const live = (key: string) => {
    const row = rows.get(key);
    return row && row.expiresAt > now() ? row : undefined;
  };
  const check = (key: string, ifVersion: number | undefined) => {
    const version = live(key)?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version)
      throw storageError("version_conflict", "Changed.", "Read again.");
  };

  return {
    async get(key) {
      await turn();
      const row = live(key);
      return row && { key, value: row.value.slice(), version: row.version };
    },
    async put(key, value, o = {}) {
      const copy = value.slice();
      await turn();
      check(key, o.ifVersion);
      const version = ++lastVersion;
      rows.set(key, { key, value: copy, version, expiresAt: o.ttlMs === undefined ? Infinity : now() + o.ttlMs });
      return version;
    },
    async delete(key, o = {}) {
      await turn();
      if (!live(key)) return false;
      check(key, o.ifVersion);
      return rows.delete(key);
    },
    async list(prefix, { after, limit }) {
      await turn();
      return [...rows.values()]
        .filter(({ key }) => key.startsWith(prefix) && !key.startsWith("~") && live(key))
        .map(({ key, value, version }) => ({ key, value: value.slice(), version, bytes: Buffer.from(key) }))
        .filter(({ bytes }) => after === undefined || Buffer.compare(bytes, Buffer.from(after)) > 0)
        .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
        .slice(0, limit)
        .map(({ bytes: _, ...record }) => record);
    },
    async now() {
      await turn();
      return now();
    },
  };
}
