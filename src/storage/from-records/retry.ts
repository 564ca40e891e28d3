import { storageError } from "../errors.ts";
import type { StorageError } from "../ports.ts";

const TRIES = 100;
const GIVE_UP_MS = 15_000;

export function isConflict(error: unknown): boolean {
  return (error as Partial<StorageError> | undefined)?.code === "version_conflict";
}

/** Repeats a read, change and write that another process was faster in. */
export async function retryConflicts<T>(task: () => Promise<T>): Promise<T> {
  const began = performance.now();
  for (let tries = 1; ; tries++) {
    try {
      return await task();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (tries === TRIES || performance.now() - began > GIVE_UP_MS) throw tooBusy();
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(50, 2 ** tries)));
  }
}

function tooBusy() {
  return storageError(
    "unavailable",
    "Other processes kept changing the same record; the call stored nothing.",
    "Repeat the call; with many processes on one group, run fewer or use an adapter with locks.",
  );
}

/** Runs what is given to one name one after the other: calls of one process need not fight each other. */
export function createQueue(): <T>(name: string, task: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return <T>(name: string, task: () => Promise<T>): Promise<T> => {
    const before = last.get(name) ?? Promise.resolve();
    const run = before.then(task, task);
    const settled = run
      .catch(() => {})
      .then(() => {
        if (last.get(name) === settled) last.delete(name);
      });
    last.set(name, settled);
    return run;
  };
}
