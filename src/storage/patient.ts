import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { Records, StorageError } from "./ports.ts";

const REPEATS = 6;

/** Repeats what the engine calls retryable, with growing waits; then `storage_unavailable` (retry). */
export async function patiently<T>(clock: Clock, task: (repeated: boolean) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await task(attempt > 0);
    } catch (error) {
      const { retryable, retryAfterMs } = error as Partial<StorageError>;
      if (retryable !== true) throw error;
      if (attempt === REPEATS) throw unavailable(error as StorageError);
      await clock.sleep(retryAfterMs ?? 25 * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/**
 * Records with the patience that the port asks of its caller. A repeated conditional write that meets its own first one
 * is no conflict: it finds its bytes.
 */
export function patientRecords(records: Records, clock: Clock): Records {
  const patient: Records = {
    get: (key) => patiently(clock, () => records.get(key)),
    put: (key, value, o) =>
      patiently(clock, async (repeated) => {
        try {
          return await records.put(key, value, o);
        } catch (error) {
          if (!repeated || (error as Partial<StorageError>).code !== "version_conflict") throw error;
          const found = await records.get(key);
          if (found && sameBytes(found.value, value)) return found.version;
          throw error;
        }
      }),
    delete: (key, o) => patiently(clock, () => records.delete(key, o)),
    list: (prefix, o) => patiently(clock, () => records.list(prefix, o)),
    now: () => patiently(clock, () => records.now()),
  };
  const { watch } = records;
  if (watch) patient.watch = (prefix, signal) => watch.call(records, prefix, signal);
  return patient;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

const unavailable = (error: StorageError) =>
  new SnapchatError({
    code: "storage_unavailable",
    kind: "retry",
    message: `The storage did not answer (${error.code}).`,
    fix: "Repeat the call later; what it began is finished then or by the worker.",
    details: error instanceof SnapchatError ? error.details : {},
  });
