import { SnapchatError } from "../../errors.ts";
import { notOurDatabase, schemaTooNew } from "../schema.ts";
import { type Database, literal, quote } from "./database.ts";
import { MIGRATIONS, type Migration, SCHEMA_MAJOR } from "./sql.ts";

const REPEATS = 20;
const REPEAT_AFTER_MS = 100;
/** How long a change of a table waits for the transactions on it; meanwhile others queue up behind it. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * One statement that creates or updates the schema, and does nothing where it is up to date. It takes a lock, so any
 * number of processes may run it at once; it may be run by hand, in psql or by a migration tool.
 */
export function schemaSql(schema: string, migrations: readonly Migration[] = MIGRATIONS): string {
  const path = `${quote(schema)}, pg_temp`;
  return `DO $snapchat_destination$
DECLARE
  _path text := current_setting('search_path');
  _patience text := current_setting('lock_timeout');
BEGIN
PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`snapchat-destination ${schema}`)}, 4242));
IF to_regnamespace(${literal(quote(schema))}) IS NULL THEN CREATE SCHEMA ${quote(schema)}; END IF;
PERFORM set_config('search_path', ${literal(path)}, true);
PERFORM set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true);
IF to_regclass('snapchat_migrations') IS NULL THEN
  CREATE TABLE snapchat_migrations (version integer PRIMARY KEY, major integer NOT NULL, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
END IF;
${migrations.map(migrationSql).join("")}
PERFORM set_config('search_path', _path, true);
PERFORM set_config('lock_timeout', _patience, true);
END $snapchat_destination$`;
}

function migrationSql({ version, name, sql }: Migration): string {
  return `
IF NOT EXISTS (SELECT FROM snapchat_migrations WHERE version = ${version}) THEN
${sql}
INSERT INTO snapchat_migrations (version, major, name) VALUES (${version}, ${SCHEMA_MAJOR}, ${literal(name)});
END IF;
`;
}

/** Brings the schema up to date; with `auto` false only looks whether it is. */
export async function migrate(
  db: Database,
  schema: string,
  o: { auto: boolean; migrations?: readonly Migration[] | undefined },
): Promise<void> {
  const migrations = o.migrations ?? MIGRATIONS;
  const last = migrations.at(-1)?.version ?? 0;
  for (let attempt = 0; ; attempt++) {
    const version = await currentVersion(db, schema);
    if (version >= last) return;
    if (!o.auto) throw outdated(version, last);
    try {
      await db.run(schemaSql(schema, migrations));
      return;
    } catch (error) {
      if (attempt === REPEATS || !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER_MS * (0.5 + Math.random())));
    }
  }
}

/** The last migration the schema has; 0 for none. Refuses another program's schema and a newer major. */
export async function currentVersion(db: Database, schema: string): Promise<number> {
  const [found] = await db.run(
    `SELECT to_regclass($1) IS NOT NULL AS ours, to_regclass($2) IS NOT NULL OR to_regclass($3) IS NOT NULL AS taken`,
    ["snapchat_migrations", "entries", "records"].map((table) => `${quote(schema)}.${quote(table)}`),
  );
  if (!found?.ours) {
    if (found?.taken) throw notOurDatabase("The Postgres schema holds another program's tables.");
    return 0;
  }
  const [newest] = await db.run(
    `SELECT coalesce(max(version), 0)::text AS version, coalesce(max(major), 0)::text AS major FROM ${quote(schema)}.snapchat_migrations`,
  );
  const major = Number(newest?.major);
  if (major > SCHEMA_MAJOR) throw schemaTooNew(major, SCHEMA_MAJOR);
  return Number(newest?.version);
}

/** A lock that was not to be had, a deadlock, or a session whose isolation level shows it the past. */
function isPassing(error: unknown): boolean {
  const state = (error as { details?: { postgres?: string } }).details?.postgres ?? "";
  return ["55P03", "40P01", "40001", "42P06", "42P07", "42710", "42723", "23505"].includes(state);
}

function outdated(found: number, wanted: number): SnapchatError {
  return new SnapchatError({
    code: "schema_outdated",
    kind: "fix_configuration",
    message: `The database has migration ${found}; this version of the package needs ${wanted}.`,
    fix: "Run the SQL that postgresSchema() prints, or leave `autoMigrate` on.",
    details: { found, wanted },
  });
}
