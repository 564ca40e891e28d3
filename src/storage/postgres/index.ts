import { SnapchatError } from "../../errors.ts";
import { closedError } from "../errors.ts";
import type { Storage } from "../ports.ts";
import { refuseAfterClose } from "../refuse-after-close.ts";
import { check } from "./check.ts";
import { Database, type PostgresClient } from "./database.ts";
import { postgresJournal } from "./journal.ts";
import { postgresMembers } from "./members.ts";
import { migrate, schemaSql } from "./migrate.ts";
import { postgresOutbox } from "./outbox.ts";
import { postgresRecords } from "./records.ts";
import { postgresSlots } from "./slots.ts";

export type { PostgresClient } from "./database.ts";

/** Options of {@link postgres}. */
export interface PostgresOptions {
  /**
   * The schema that holds the tables and functions. It is created by the first migration and should hold nothing else.
   *
   * @default "snapchat"
   */
  schema?: string;
  /**
   * `false`: {@link Storage.migrate} changes nothing and rejects with `schema_outdated` where the schema is not up to
   * date; run the SQL of {@link postgresSchema} with your own tool and role.
   *
   * @default true
   */
  autoMigrate?: boolean;
  /**
   * What an acknowledged call survives. `"replicated"` where the server waits for a synchronous standby; `check()`
   * looks whether it does.
   *
   * @default "power-loss"
   */
  durability?: "power-loss" | "replicated";
  /** Time for tests; without it the server's own clock. */
  clock?: {
    /** Milliseconds since 1970. */
    now(): number;
  };
}

const MAX_ENTRY_BYTES = 8 * 1024 * 1024;
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/**
 * Storage in a Postgres database, for any number of processes on any number of machines. `client` is the host's: a `pg`
 * `Pool`, or a client of its own that nobody else uses; `close()` leaves it open. Every call is one statement and keeps
 * nothing in the session, so a pooler in transaction mode may stand in between.
 *
 * Calls reject with `schema_outdated` or `unavailable` (not retryable) until the schema is migrated, with
 * `not_our_database` for another program's schema and `schema_too_new` for one that a newer major version of the package
 * has written.
 *
 * @example
 * ```ts
 * import { postgres } from "snapchat-destination/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
 * const storage = postgres(pool);
 * await storage.migrate();
 * ```
 */
export function postgres(client: PostgresClient, options: PostgresOptions = {}): Storage {
  const schema = checkSchema(options.schema);
  const durability = options.durability ?? "power-loss";
  const db = new Database(client, schema, options.clock);
  const guard = <T extends object>(port: T): T =>
    refuseAfterClose(port, () => (db.closed ? closedError("Postgres") : undefined));
  return {
    portVersion: 1,
    name: "postgres",
    capabilities: {
      durability,
      shared: "network",
      transactions: true,
      wakes: true,
      maxEntryBytes: MAX_ENTRY_BYTES,
      maxValueBytes: MAX_VALUE_BYTES,
    },
    records: guard(postgresRecords(db, MAX_VALUE_BYTES)),
    outbox: guard(postgresOutbox(db, MAX_ENTRY_BYTES)),
    members: guard(postgresMembers(db)),
    journal: guard(postgresJournal(db)),
    slots: guard(postgresSlots(db)),
    migrate: () => migrate(db, schema, { auto: options.autoMigrate ?? true }),
    check: () => check(db, schema, durability),
    close: async () => db.close(),
  };
}

/**
 * The SQL that creates the schema or brings it up to date: one statement, which does nothing where there is nothing to
 * do, takes a lock so that it may run anywhere at any time, and only adds.
 *
 * @example
 * ```ts
 * import { postgresSchema } from "snapchat-destination/postgres";
 *
 * console.log(postgresSchema());
 * ```
 */
export function postgresSchema(options: Pick<PostgresOptions, "schema"> = {}): string {
  return `${schemaSql(checkSchema(options.schema))};\n`;
}

/** Postgres cuts longer names off without a word. */
const MAX_NAME_BYTES = 63;

function checkSchema(schema = "snapchat"): string {
  if (schema !== "" && Buffer.byteLength(schema) <= MAX_NAME_BYTES && !schema.includes("\0") && !schema.includes("$"))
    return schema;
  throw new SnapchatError({
    code: "invalid_schema",
    kind: "fix_configuration",
    message: "The name of the schema is empty, longer than 63 bytes or holds a character that is not taken.",
    fix: "Use a short name of letters, digits and underscores.",
  });
}
