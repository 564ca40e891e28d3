import type { Finding } from "../ports.ts";
import type { Database } from "./database.ts";
import { currentVersion } from "./migrate.ts";
import { MIGRATIONS } from "./sql.ts";

interface Facts {
  synchronous_commit: string;
  fsync: string;
  full_page_writes: string;
  autovacuum: string;
  isolation: string;
  encoding: string;
  standby: boolean;
  synchronous_standby_names: string;
  now: unknown;
  role: string;
}

const FACTS = `SELECT current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS full_page_writes, current_setting('autovacuum') AS autovacuum,
  current_setting('default_transaction_isolation') AS isolation, pg_encoding_to_char(d.encoding) AS encoding,
  pg_is_in_recovery() AS standby, current_setting('synchronous_standby_names') AS synchronous_standby_names,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now, current_user::text AS role
  FROM pg_database d WHERE d.datname = current_database()`;

const USAGE = `SELECT has_schema_privilege(n.oid, 'USAGE') AS usage FROM pg_namespace n WHERE n.nspname = $1`;

const RIGHTS = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
  AND CASE c.relkind WHEN 'r' THEN NOT has_table_privilege(c.oid, 'SELECT') OR NOT has_table_privilege(c.oid, 'INSERT')
      OR NOT has_table_privilege(c.oid, 'UPDATE') OR NOT has_table_privilege(c.oid, 'DELETE')
    WHEN 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE') ELSE false END`;

const UNLOGGED = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relpersistence <> 'p'`;

const MAX_SKEW_MS = 1_000;

/** Settings of the server, the role and the schema that break a promise. */
export async function check(db: Database, schema: string, durability: "power-loss" | "replicated"): Promise<Finding[]> {
  const asked = Date.now();
  const [row] = await db.run(FACTS);
  const facts = row as unknown as Facts;
  const skewMs = Number(facts.now) - (asked + Date.now()) / 2;
  return [
    ...serverFindings(facts, durability),
    ...(Math.abs(skewMs) > MAX_SKEW_MS ? [clockSkew(skewMs)] : []),
    ...(db.timesOut === false ? [noQueryTimeout()] : []),
    ...(await schemaFindings(db, schema, facts.role)),
  ];
}

function serverFindings(facts: Facts, durability: "power-loss" | "replicated"): Finding[] {
  const found: Finding[] = [];
  const problem = (code: string, message: string, fix: string) =>
    found.push({ code, severity: "problem", message, fix });
  const warning = (code: string, message: string, fix: string) =>
    found.push({ code, severity: "warning", message, fix });
  if (facts.fsync === "off")
    problem("fsync_off", "fsync is off: a crash of the machine damages the database.", "Set fsync = on.");
  if (facts.full_page_writes === "off")
    problem(
      "full_page_writes_off",
      "full_page_writes is off: a power loss can leave half-written pages.",
      "Set full_page_writes = on, unless the file system writes pages atomically.",
    );
  if (facts.synchronous_commit === "off")
    problem(
      "synchronous_commit_off",
      "synchronous_commit is off for this role: the last moments of what track() acknowledged are lost when the server crashes.",
      "ALTER ROLE … SET synchronous_commit = on, or set it in the connection's options.",
    );
  if (durability === "replicated" && (facts.synchronous_standby_names === "" || facts.synchronous_commit === "local"))
    problem(
      "not_replicated",
      "The storage was told that commits are replicated, but no synchronous standby is waited for.",
      "Set synchronous_standby_names and synchronous_commit = on, or leave `durability` at power-loss.",
    );
  if (facts.standby) problem("standby", "The server is a standby and takes no writes.", "Connect to the primary.");
  if (facts.encoding !== "UTF8")
    problem(
      "encoding_not_utf8",
      `The database's encoding is ${facts.encoding}: ids with other characters are refused.`,
      "Use a database with encoding UTF8.",
    );
  if (facts.isolation !== "read committed")
    warning(
      "isolation_level",
      `default_transaction_isolation is "${facts.isolation}": calls at once fail and are repeated.`,
      "ALTER ROLE … SET default_transaction_isolation = 'read committed'.",
    );
  if (facts.autovacuum === "off")
    warning(
      "autovacuum_off",
      "autovacuum is off: the queue's tables grow with every entry that passes through.",
      "Set autovacuum = on.",
    );
  return found;
}

async function schemaFindings(db: Database, schema: string, role: string): Promise<Finding[]> {
  const [place] = await db.run(USAGE, [schema]);
  const missing = (await db.run(RIGHTS, [schema])).map(({ name }) => String(name));
  if (place && (place.usage !== true || missing.length > 0)) {
    const what = place.usage === true ? missing.join(", ") : "the schema";
    return [
      {
        code: "missing_rights",
        severity: "problem",
        message: `The role ${role} may not read and write ${what}.`,
        fix: `GRANT USAGE ON SCHEMA ${db.schema}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES and USAGE ON ALL SEQUENCES IN SCHEMA ${db.schema}.`,
      },
    ];
  }
  const version = await currentVersion(db, schema);
  const last = MIGRATIONS.at(-1)?.version ?? 0;
  if (version < last) {
    return [
      {
        code: version === 0 ? "schema_missing" : "schema_outdated",
        severity: "problem",
        message: `The schema ${schema} is at migration ${version}; this version of the package needs ${last}.`,
        fix: "Call storage.migrate(), or run the SQL that postgresSchema() prints.",
      },
    ];
  }
  const found: Finding[] = [];
  const unlogged = (await db.run(UNLOGGED, [schema])).map(({ name }) => String(name));
  if (unlogged.length > 0) {
    found.push({
      code: "unlogged_tables",
      severity: "problem",
      message: `Tables without a log are empty after a crash: ${unlogged.join(", ")}.`,
      fix: "ALTER TABLE … SET LOGGED.",
    });
  }
  return found;
}

function noQueryTimeout(): Finding {
  return {
    code: "no_query_timeout",
    severity: "warning",
    message: "The pool has no query_timeout: a call on a connection that broke without a word waits for many minutes.",
    fix: "Give the pool query_timeout (20 seconds) and connectionTimeoutMillis (5 seconds).",
  };
}

function clockSkew(skewMs: number): Finding {
  return {
    code: "clock_skew",
    severity: "warning",
    message: `The server's clock is ${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? "ahead of" : "behind"} this process's.`,
    fix: "Synchronise both machines' clocks; the server's is the one that counts.",
  };
}
