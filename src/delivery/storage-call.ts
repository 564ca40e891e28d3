import type { Clock } from "../clock.ts";
import { isSnapchatError, SnapchatError } from "../errors.ts";
import type { StorageError } from "../storage/ports.ts";
import { nextDelay, type Random } from "./backoff.ts";

const CODES = new Set([
  "version_conflict",
  "unknown_group",
  "too_large",
  "unavailable",
  "throttled",
  "capability_missing",
  "closed",
  "corrupt",
]);

export function isStorageError(error: unknown): error is StorageError {
  return (
    error instanceof Error &&
    typeof (error as Partial<StorageError>).code === "string" &&
    CODES.has((error as StorageError).code) &&
    typeof (error as Partial<StorageError>).retryable === "boolean"
  );
}

/** Somebody else was faster. */
export function isVersionConflict(error: unknown): boolean {
  return isStorageError(error) && error.code === "version_conflict";
}

export interface StorageCallOptions {
  clock: Clock;
  random: Random;
  /** Gives up after this long. Milliseconds. */
  maxMs: number;
  signal?: AbortSignal | undefined;
}

/** Repeats a call to the engine while it says that a repeat may help. What is left when time is up is thrown. */
export async function storageCall<T>(call: () => Promise<T>, options: StorageCallOptions): Promise<T> {
  const { clock, random, signal } = options;
  const end = clock.monotonic() + options.maxMs;
  let delay: number | undefined;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isStorageError(error) || !error.retryable || signal?.aborted) throw error;
      delay = error.retryAfterMs ?? nextDelay(delay, random, { minMs: 20, maxMs: 2_000 });
      if (clock.monotonic() + delay > end) throw error;
      await clock.sleep(delay, signal);
    }
  }
}

/** What a caller of this package sees of a storage failure: ours stay as they are, an engine's gets a code and a fix. */
export function storageFailure(error: unknown): unknown {
  if (isSnapchatError(error) || !isStorageError(error)) return error;
  const retry = error.retryable;
  return new SnapchatError({
    code: `storage_${error.code}`,
    kind: retry ? "retry" : error.code === "too_large" ? "fix_data" : "fix_configuration",
    message: `The storage engine refused the call (${error.code}).`,
    fix: retry ? "Call again later; nothing was acknowledged." : "See docs/storage-adapter.md for this code.",
    details: { code: error.code, retryable: retry },
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
