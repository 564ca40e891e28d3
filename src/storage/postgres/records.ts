import { checkId, checkValue, MAX_KEY_BYTES } from "../checks.ts";
import { versionConflict } from "../errors.ts";
import { endOfPrefix, escapeText, unescapeText } from "../escape.ts";
import type { Records } from "../ports.ts";
import type { Database } from "./database.ts";

interface Row {
  key: string;
  value: Uint8Array;
  version: unknown;
}

/** Keys under it are not listed. */
const UNLISTED = "~";

export function postgresRecords(db: Database, maxValueBytes: number): Records {
  return {
    async get(key) {
      const [row] = await db.call<Row>("record_get", [db.clock(), escapeText(key)]);
      return row && { key, value: row.value, version: Number(row.version) };
    },

    async put(key, value, o = {}) {
      checkValue(key, value, maxValueBytes);
      const [row] = await db.call<{ known: unknown; version: unknown }>("record_put", [
        db.clock(),
        escapeText(key),
        Buffer.from(value),
        o.ifVersion ?? null,
        o.ttlMs === undefined ? null : Math.ceil(o.ttlMs),
      ]);
      if (row?.version == null) throw versionConflict(key, o.ifVersion ?? 0, Number(row?.known));
      return Number(row.version);
    },

    async delete(key, o = {}) {
      const found = Number(await db.ask("record_delete", db.clock(), escapeText(key), o.ifVersion ?? null));
      if (found === 0) return false;
      if (o.ifVersion !== undefined && found !== o.ifVersion) throw versionConflict(key, o.ifVersion, found);
      return true;
    },

    async list(prefix, o) {
      checkId("record key", prefix, MAX_KEY_BYTES);
      const from = escapeText(prefix);
      const end = endOfPrefix(from);
      const rows = await db.call<Row>("record_list", [
        db.clock(),
        from,
        end === "" || end > UNLISTED ? UNLISTED : end,
        o.after === undefined ? "" : escapeText(o.after),
        o.limit,
      ]);
      return rows.map((row) => ({ key: unescapeText(row.key), value: row.value, version: Number(row.version) }));
    },

    now: async () => Number(await db.ask("engine_ms", db.clock())),
  };
}
