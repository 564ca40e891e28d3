import { checkId, checkValue, MAX_KEY_BYTES } from "../checks.ts";
import { versionConflict } from "../errors.ts";
import type { Records } from "../ports.ts";
import { compareKeys } from "./bytes.ts";

interface Row {
  value: Uint8Array;
  version: number;
  expiresAt: number;
}

/** Records in a Map. Versions come from one counter, so that none is ever given twice, whatever was deleted. */
export function memoryRecords(now: () => number, maxValueBytes: number): Records {
  const rows = new Map<string, Row>();
  let lastVersion = 0;
  let sorted: string[] | undefined;

  const live = (key: string): Row | undefined => {
    const row = rows.get(key);
    return row !== undefined && row.expiresAt > now() ? row : undefined;
  };

  return {
    async get(key) {
      const row = live(key);
      return row && { key, value: row.value.slice(), version: row.version };
    },
    async put(key, value, o = {}) {
      checkValue(key, value, maxValueBytes);
      const found = live(key)?.version ?? 0;
      if (o.ifVersion !== undefined && o.ifVersion !== found) throw versionConflict(key, o.ifVersion, found);
      if (!rows.has(key)) sorted = undefined;
      const version = ++lastVersion;
      rows.set(key, { value: value.slice(), version, expiresAt: o.ttlMs === undefined ? Infinity : now() + o.ttlMs });
      return version;
    },
    async delete(key, o = {}) {
      const row = live(key);
      if (row === undefined) return false;
      if (o.ifVersion !== undefined && o.ifVersion !== row.version)
        throw versionConflict(key, o.ifVersion, row.version);
      rows.delete(key);
      sorted = undefined;
      return true;
    },
    async list(prefix, o) {
      checkId("record key", prefix, MAX_KEY_BYTES);
      for (const [key, row] of rows) {
        if (row.expiresAt > now()) continue;
        rows.delete(key);
        sorted = undefined;
      }
      sorted ??= [...rows.keys()].filter((key) => !key.startsWith("~")).sort(compareKeys);
      const page = [];
      for (const key of sorted) {
        if (page.length === o.limit) break;
        if (!key.startsWith(prefix) || (o.after !== undefined && compareKeys(key, o.after) <= 0)) continue;
        const row = rows.get(key);
        if (row) page.push({ key, value: row.value.slice(), version: row.version });
      }
      return page;
    },
    now: async () => now(),
  };
}
