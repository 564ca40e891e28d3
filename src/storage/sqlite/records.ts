import { checkId, checkValue, MAX_KEY_BYTES } from "../checks.ts";
import { versionConflict } from "../errors.ts";
import { endOfPrefix, escapeText, unescapeText } from "../escape.ts";
import type { Records } from "../ports.ts";
import type { Connection } from "./connection.ts";
import { NEVER } from "./sql.ts";

interface Row {
  key: string;
  value: Uint8Array;
  version: number;
}

export function sqliteRecords(connection: Connection, maxValueBytes: number): Records {
  return {
    async get(key) {
      const row = await connection.read((sql, at) => sql.get<Row>("getRecord", escapeText(key), at));
      return row && { key, value: row.value, version: row.version };
    },

    async put(key, value, o = {}) {
      checkValue(key, value, maxValueBytes);
      const stored = escapeText(key);
      return connection.write((tx) => {
        if (o.ifVersion !== undefined) {
          const found = tx.sql.get<Row>("recordVersion", stored, tx.at)?.version ?? 0;
          if (found !== o.ifVersion) throw versionConflict(key, o.ifVersion, found);
        }
        const version = tx.nextVersion();
        tx.run("putRecord", stored, value, version, o.ttlMs === undefined ? NEVER : tx.at + o.ttlMs);
        if (o.ttlMs !== undefined) tx.run("sweepRecords", tx.at);
        return version;
      });
    },

    async delete(key, o = {}) {
      const stored = escapeText(key);
      return connection.write((tx) => {
        const found = tx.sql.get<Row>("recordVersion", stored, tx.at)?.version;
        if (found === undefined) return false;
        if (o.ifVersion !== undefined && found !== o.ifVersion) throw versionConflict(key, o.ifVersion, found);
        tx.run("deleteRecord", stored);
        return true;
      });
    },

    async list(prefix, o) {
      checkId("record key", prefix, MAX_KEY_BYTES);
      const from = escapeText(prefix);
      const rows = await connection.read((sql, at) =>
        sql.all<Row>(
          "listRecords",
          from,
          o.after === undefined ? "" : escapeText(o.after),
          endOfPrefix(from),
          at,
          o.limit,
        ),
      );
      return rows.map((row) => ({ key: unescapeText(row.key), value: row.value, version: row.version }));
    },

    now: () => connection.read((_sql, at) => at),
  };
}
