import { type ErrorDetails, type ErrorKind, SnapchatError } from "../errors.ts";
import type { StorageError } from "./ports.ts";

const KINDS: Record<StorageError["code"], ErrorKind> = {
  version_conflict: "retry",
  unknown_group: "bug",
  too_large: "fix_data",
  unavailable: "retry",
  throttled: "capacity",
  capability_missing: "fix_configuration",
  closed: "bug",
  corrupt: "fix_configuration",
};

/**
 * A failure in the words of the port: a {@link SnapchatError} that also says whether the same call may be repeated.
 *
 * @example
 * ```ts
 * import { storageError } from "snapchat-destination/storage";
 *
 * const error = storageError("throttled", "The table's capacity is used up.", "Wait, or raise it.", { retryAfterMs: 500 });
 * ```
 */
export function storageError(
  code: StorageError["code"],
  message: string,
  fix: string,
  o: { details?: ErrorDetails; retryAfterMs?: number } = {},
): SnapchatError & StorageError {
  const error = new SnapchatError({ code, kind: KINDS[code], message, fix, ...o });
  return Object.assign(error, { retryable: code === "unavailable" || code === "throttled" }) as SnapchatError &
    StorageError;
}

export function closedError(name: string): SnapchatError & StorageError {
  return storageError("closed", `The ${name} storage was closed.`, "Close storage after workers and calls have ended.");
}

export function versionConflict(key: string, expected: number, found: number): SnapchatError & StorageError {
  return storageError(
    "version_conflict",
    `The record is at version ${found}, not at ${expected}.`,
    "Read the record again, apply the change to what it says now, and put it with that version.",
    { details: { family: key.split("/", 1)[0], expected, found } },
  );
}

export function unknownGroup(destinationId: string, name: string): SnapchatError & StorageError {
  return storageError(
    "unknown_group",
    "An entry was appended to a group that was never opened.",
    "Call outbox.open() when the destination or segment link is saved.",
    { details: { destinationId, group: name } },
  );
}

export function missingTransactions(name: string): SnapchatError & StorageError {
  return storageError(
    "capability_missing",
    `The ${name} storage cannot append inside the host's own transaction.`,
    "Call without `tx`, or use the Postgres adapter.",
  );
}
