import type { SnapchatError } from "../../errors.ts";
import { storageError } from "../errors.ts";
import type { StorageError } from "../ports.ts";

type Failure = SnapchatError & StorageError;

/** A failure of the client or of Redis in the port's words. */
export function redisFailure(error: unknown, ended: boolean): Failure {
  if (ended) return clientClosed();
  const text = error instanceof Error ? error.message : String(error);
  // A script's failure carries the reason behind its own words.
  const code = /can't run this command/.test(text)
    ? "NOPERM"
    : /\b(OOM|MISCONF|READONLY|NOPERM|NOAUTH|WRONGPASS|WRONGTYPE|NOREPLICAS)\b/.exec(text)?.[1];
  const details = { redis: reasonOf(error, text) };
  switch (code) {
    case "OOM":
      return storageError(
        "throttled",
        "Redis has reached its maxmemory and takes no new work; the call stored nothing.",
        "Raise maxmemory, or let the queue drain: calls succeed again by themselves.",
        { details, retryAfterMs: 1_000 },
      );
    case "MISCONF":
      return storageError(
        "unavailable",
        "Redis cannot write to its disk and refuses writes; the call stored nothing.",
        "Look at the server's log and free disk space: calls succeed again by themselves.",
        { details },
      );
    case "READONLY":
    case "NOREPLICAS":
      return storageError(
        "unavailable",
        "The Redis server takes no writes at the moment: it is a replica, or lacks one.",
        "Connect to the master; during a failover calls succeed again by themselves.",
        { details },
      );
    case "NOPERM":
    case "NOAUTH":
    case "WRONGPASS":
      return missingRights(details);
    case "WRONGTYPE":
      return storageError(
        "corrupt",
        "A key of the storage holds something else: another program uses the same prefix.",
        "Give redis() a `prefix` of its own.",
        { details },
      );
    default:
      return storageError(
        "unavailable",
        "Redis did not carry out the call.",
        "Repeat the call; look at `details.redis` and at the client's connection.",
        { details },
      );
  }
}

export function missingRights(details: Record<string, string>): Failure {
  return Object.assign(
    storageError(
      "unavailable",
      "The Redis user may not do what storage needs.",
      "Give it the rights docs/redis.md lists; storage.check() names the missing ones.",
      { details },
    ),
    { kind: "fix_configuration" as const, retryable: false },
  );
}

export function noAnswer(timeoutMs: number): Failure {
  return storageError(
    "unavailable",
    `Redis did not answer within ${timeoutMs} ms.`,
    "Repeat the call: all calls are safe to repeat. Look at the server and at the client's connection.",
  );
}

function clientClosed(): Failure {
  return storageError(
    "closed",
    "The Redis client is not open.",
    "Connect the client before the first call, and close it after storage.close().",
  );
}

/** The first word of Redis's own, or the client's error code: never a command's values. */
function reasonOf(error: unknown, text: string): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  return /^[A-Z]{3,}\b/.exec(text)?.[0] ?? (error instanceof Error ? error.name : "Error");
}
