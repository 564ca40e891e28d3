import { patches } from "./mutant.ts";

const file = "memory/records.ts";

export const records = [
  ...patches(file, {
    "rules: with a clock given every statement uses its time": ["now() + o.ttlMs }", "Date.now() + o.ttlMs }"],
    "rules: values are bytes: any, none, and a part of a larger buffer": [
      "{ value: value.slice(), version,",
      "{ value: new Uint8Array(value.buffer.slice(0)), version,",
    ],
    "rules: a value is what it was when the call was made": ["{ value: value.slice(), version,", "{ value, version,"],
    "rules: ids are at most 200 bytes of any UTF-8: as record keys": [
      "const row = live(key);\n      return row &&",
      "const row = live(key.split('\\0')[0] ?? '');\n      return row &&",
    ],
    "records: get answers what put stored, and undefined for what is absent": [
      "return row && { key, value: row.value.slice(), version: row.version };",
      "return row && { key, value: row.value.slice(), version: row.version + 1 };",
    ],
    "records: expired is absent for get, swept or not": ["row.expiresAt > now() ? row", "row.expiresAt > 0 ? row"],
    "records: put without ifVersion writes whatever is there": [
      "rows.set(key, {",
      "if (found === 0 || o.ifVersion) rows.set(key, {",
    ],
    "records: put with ifVersion 0 wants the key not to exist": [
      "if (o.ifVersion !== undefined && o.ifVersion !== found)",
      "if (o.ifVersion && o.ifVersion !== found)",
    ],
    "records: an expired record does not exist for ifVersion": [
      "const found = live(key)?.version",
      "const found = rows.get(key)?.version",
    ],
    "records: put with ifVersion n wants the record to be at n": [
      "if (o.ifVersion !== undefined && o.ifVersion !== found)",
      "if (o.ifVersion !== undefined && o.ifVersion > 0 !== found > 0)",
    ],
    "records: of puts at once with one version exactly one wins": [
      "if (!rows.has(key)) sorted = undefined;",
      "await undefined; if (!rows.has(key)) sorted = undefined;",
    ],
    "records: a repeated put may meet its own first write as version_conflict": [
      "if (o.ifVersion !== undefined && o.ifVersion !== found)",
      "if (o.ifVersion !== undefined && o.ifVersion !== found && Buffer.compare(value, rows.get(key)?.value ?? value) !== 0)",
    ],
    "records: put without ttlMs never expires, also where the old value did": [
      "o.ttlMs === undefined ? Infinity",
      "o.ttlMs === undefined ? (rows.get(key)?.expiresAt ?? Infinity)",
    ],
    "records: put with ttlMs counts anew from now": [
      "Infinity : now() + o.ttlMs }",
      "Infinity : Math.min(rows.get(key)?.expiresAt ?? Infinity, now() + o.ttlMs) }",
    ],
    "records: versions are safe integers that rise with every put": ["++lastVersion", "++lastVersion + 0.5"],
    "records: a version is never used again after delete": [
      "const version = ++lastVersion;",
      "const version = found + 1;",
    ],
    "records: a version is never used again after expiry": [
      "const version = ++lastVersion;",
      "const version = found + 1;",
    ],
    "records: delete answers true, and false for what was absent or expired": [
      "const row = live(key);\n      if (row === undefined) return false;",
      "const row = rows.get(key);\n      if (row === undefined) return false;",
    ],
    "records: delete with ifVersion refuses another version": [
      "if (o.ifVersion !== undefined && o.ifVersion !== row.version)",
      "if (o.ifVersion !== undefined && o.ifVersion > row.version)",
    ],
    "records: list is in byte order of the UTF-8 key": [".sort(compareKeys)", ".sort()"],
    "records: list answers keys that begin with the prefix, whatever its characters": [
      "if (!key.startsWith(prefix) ||",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source that is put in the place of other source
      "if (!new RegExp(`^${prefix.replace(/[*?[]/g, '\\\\$&').replaceAll('_', '.')}`).test(key) ||",
    ],
    "records: list begins behind `after`, and fewer than the limit is the end": [
      "compareKeys(key, o.after) <= 0",
      "compareKeys(key, o.after) < 0",
    ],
    "records: list answers values and versions": [
      "page.push({ key, value: row.value.slice(), version: row.version })",
      "page.push({ key, value: new Uint8Array(), version: row.version })",
    ],
    "records: list leaves out what expired or was deleted, and fills the page": [
      "if (row.expiresAt > now()) continue;\n        rows",
      "if (row.expiresAt > 0) continue;\n        rows",
    ],
    "records: keys under ~ are not listed": ['!key.startsWith("~")', "true"],
    "records: list pages through many": [
      "if (page.length === o.limit) break;",
      "if (page.length === Math.min(o.limit, 99)) break;",
    ],
    "records: now is the engine's time, and runs": [
      "now: async () => now(),",
      "now: async () => Math.floor(now() / 1e6) * 1e6,",
    ],
    "records: watch, where there is one, tells of changes below the prefix": [
      "now: async () => now(),",
      'now: async () => now(),\n    async *watch() { yield "q/a"; },',
    ],
  }),
  ...patches("checks.ts", {
    "rules: what is too large is refused with too_large, and nothing of it is stored": [
      "if (value.byteLength > maxValueBytes) {",
      "if (value.byteLength > 2 * maxValueBytes) {",
    ],
    "rules: an entry and a value of the size the capabilities name are taken": [
      "if (entry.payload.byteLength > maxEntryBytes) {",
      "if (entry.payload.byteLength >= maxEntryBytes) {",
    ],
    "rules: ids are at most 200 bytes of any UTF-8: as entry ids": ["MAX_ID_BYTES = 200", "MAX_ID_BYTES = 199"],
  }),
  ...patches("memory/index.ts", {
    "rules: a closed storage refuses with closed": ["closed = true;", ""],
    "rules: migrate may be called again, and beside others": [
      "async migrate() {},",
      'async migrate() { await this.records.delete("k"); },',
    ],
    "rules: check answers findings": ['code: "durability_none"', 'code: ""'],
  }),
];
