import { sqlite } from "../../src/sqlite/index.ts";
import { storageFromRecords } from "../../src/storage/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import type { KitClock } from "../../src/testing/storage-kit/index.ts";

/** `storageFromRecords` on the records of a SQLite file. Values as small as may be, so that states and blocks are split. */
export function recordsOverSqlite(path: string, clock?: KitClock): Storage {
  const base = sqlite(path, clock ? { clock } : {});
  return storageFromRecords(base.records, {
    name: "records of SQLite",
    durability: "power-loss",
    shared: "machine",
    maxValueBytes: 65_536,
    migrate: () => base.migrate(),
    check: () => base.check(),
    close: () => base.close(),
  });
}

/** By the name under which processes of tests look for an adapter. */
export { recordsOverSqlite as sqlite };
