import type { Storage } from "../ports.ts";
import { findings, IN_MEMORY_DATABASE } from "./check.ts";
import { Connection } from "./connection.ts";
import { engine } from "./engine.ts";
import { sqliteJournal } from "./journal.ts";
import { sqliteMembers } from "./members.ts";
import { sqliteOutbox } from "./outbox.ts";
import { sqliteRecords } from "./records.ts";
import { sqliteSlots } from "./slots.ts";

/** Options of {@link sqlite}. */
export interface SqliteOptions {
  /** Time for tests; without it the clock of SQLite, which is the machine's. */
  clock?: {
    /** Milliseconds since 1970. */
    now(): number;
  };
  /**
   * What an acknowledged call survives. `"power-loss"` waits for the disk at every commit; `"process"` is faster and
   * loses the last moments when the machine, not the process, fails.
   *
   * @default "power-loss"
   */
  durability?: "power-loss" | "process";
}

const MAX_ENTRY_BYTES = 8 * 1024 * 1024;
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/**
 * Storage in one SQLite file, for one process or a few on one machine. The file is created and migrated at first use, with
 * rights for its owner only. `":memory:"` is a database that ends with the process.
 *
 * Calls reject with `not_our_database` for another program's file and `schema_too_new` for a file a newer major version
 * of the package has written.
 *
 * @throws {SnapchatError} `sqlite_missing` (fix_configuration) where the runtime has no `node:sqlite`: Node before 22.13,
 * workerd.
 * @example
 * ```ts
 * import { sqlite } from "snapchat-destination/sqlite";
 *
 * const storage = sqlite("snapchat.db");
 * await storage.migrate();
 * ```
 */
export function sqlite(path: string, options: SqliteOptions = {}): Storage {
  engine();
  const inMemory = path === ":memory:" || path === "";
  const durability = options.durability ?? "power-loss";
  const connection = new Connection(path, { ...options, durability: inMemory ? "process" : durability });
  return {
    portVersion: 1,
    name: "sqlite",
    capabilities: {
      durability: inMemory ? "none" : durability,
      shared: inMemory ? "process" : "machine",
      transactions: false,
      wakes: true,
      maxEntryBytes: MAX_ENTRY_BYTES,
      maxValueBytes: MAX_VALUE_BYTES,
    },
    records: sqliteRecords(connection, MAX_VALUE_BYTES),
    outbox: sqliteOutbox(connection, MAX_ENTRY_BYTES),
    members: sqliteMembers(connection),
    journal: sqliteJournal(connection),
    slots: sqliteSlots(connection),
    async migrate() {
      await connection.open();
    },
    check: async () => {
      if (inMemory) return [IN_MEMORY_DATABASE];
      return connection.read(() => findings(connection, path, durability));
    },
    close: () => connection.close(),
  };
}
