import { SnapchatError } from "../../errors.ts";
import { closedError, storageError } from "../errors.ts";

/** What Postgres or the driver said, without a word of the data: details of its errors hold keys and values. */
export function postgresFailure(error: unknown): unknown {
  if (error instanceof SnapchatError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : "";
  if (
    /after calling end|client was closed|has been closed|client has (?:already )?been (?:closed|released)/i.test(text)
  ) {
    return closedError("Postgres");
  }
  const state = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  const details = { postgres: state ?? (typeof code === "string" ? code : "no_sqlstate") };
  if (state === undefined) {
    return storageError(
      "unavailable",
      "The connection to Postgres failed.",
      "Look at the server and the network; what the call was doing is finished or undone, repeating it is safe.",
      { details },
    );
  }
  return bySqlState(state, details);
}

const REPEATABLE =
  "Repeat the call; the server has undone what it was doing, or finished it, and repeating is safe in both cases.";

function bySqlState(state: string, details: { postgres: string }): Error {
  switch (state) {
    case "3F000":
    case "42P01":
    case "42883":
      return schemaMissing(details);
    case "42501":
      return permanent("The Postgres role lacks a right that the storage needs.", "storage.check() names it.", details);
    case "25P02":
      return permanent(
        "The host's transaction had failed before; Postgres takes nothing more in it.",
        "Roll the transaction back and repeat it as a whole: nothing of the append was stored.",
        details,
        "bug",
      );
    case "25006":
      return storageError(
        "unavailable",
        "The Postgres server takes no writes: it is a standby, or the session is read-only.",
        "Connect to the primary. After a failover calls succeed again by themselves.",
        { details },
      );
    case "53100":
      return storageError(
        "unavailable",
        "The disk of the Postgres server is full; the call stored nothing.",
        "Free space; calls succeed again by themselves.",
        { details },
      );
    case "53300":
      return storageError(
        "throttled",
        "Postgres has no connection left.",
        "Make the pool smaller, or put a pooler in between.",
        { details },
      );
  }
  switch (state.slice(0, 2)) {
    case "XX":
      return storageError("corrupt", "Postgres reports damaged data.", "Look at the server's log; restore a backup.", {
        details,
      });
    // What a wrong call or a wrong schema brings about: the same call fails again.
    case "22":
    case "23":
    case "42":
      return permanent(
        "Postgres refused a statement of the storage.",
        "Report it with `details.postgres`.",
        details,
        "bug",
      );
    default:
      return storageError("unavailable", "Postgres could not carry out the call.", REPEATABLE, { details });
  }
}

export function schemaMissing(details: { postgres: string }): Error {
  return permanent(
    "The database does not hold this version's tables and functions.",
    "Call storage.migrate(), or run the SQL that postgresSchema() prints.",
    details,
    "fix_configuration",
  );
}

function permanent(
  message: string,
  fix: string,
  details: { postgres: string },
  kind: "fix_configuration" | "bug" = "fix_configuration",
): Error {
  return Object.assign(storageError("unavailable", message, fix, { details }), { kind, retryable: false });
}
