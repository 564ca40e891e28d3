import { storageError } from "../errors.ts";
import { notOurDatabase } from "../schema.ts";

const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** A statement SQLite does not take: ours is wrong, and stays wrong. */
const REFUSED: ReadonlySet<number> = new Set([1, 19, 20, 21, 25]);

/** SQLite's primary result code of an error of `node:sqlite`; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** Another connection holds the lock: the same call succeeds later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** The failure in the port's words. Errors that are not SQLite's pass unchanged. */
export function sqliteFailure(error: unknown): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const details = { sqlite: (error as { errstr?: string }).errstr ?? String(code) };
  switch (code) {
    case BUSY:
    case LOCKED:
      return storageError(
        "unavailable",
        "The SQLite file stayed locked by another process.",
        "Repeat the call; keep other programs' transactions on this file short.",
        { details },
      );
    case FULL:
      return storageError(
        "unavailable",
        "The disk of the SQLite file is full; the call stored nothing.",
        "Free space on the disk; calls succeed again by themselves.",
        { details },
      );
    case READONLY:
      return permanent(
        "The SQLite file cannot be written.",
        "Give the process write access to the file and its directory.",
        details,
      );
    case CANTOPEN:
      return permanent(
        "The SQLite file cannot be opened.",
        "Check that its directory exists and that the process may write there.",
        details,
      );
    case NOTADB:
      return notOurDatabase("The file is not a SQLite database.");
    case CORRUPT:
      return storageError("corrupt", "The SQLite file is damaged.", "Restore it from a backup.", { details });
    default:
      if (REFUSED.has(code)) {
        return Object.assign(
          permanent(
            "SQLite refused a statement of this package.",
            "Report it with `details.sqlite` and the Node version; the call stored nothing.",
            details,
          ),
          { kind: "bug" },
        );
      }
      return storageError(
        "unavailable",
        "SQLite could not carry out the call.",
        "Look at `details.sqlite`; the call stored nothing.",
        {
          details,
        },
      );
  }
}

function permanent(message: string, fix: string, details: Record<string, string>) {
  return Object.assign(storageError("unavailable", message, fix, { details }), {
    kind: "fix_configuration",
    retryable: false,
  });
}
