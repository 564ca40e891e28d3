import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { storageError } from "snapchat-destination/storage";

const BUSY = 5;

/**
 * One writer at a time among all processes of the machine. Node has no `flock`; an empty SQLite database has one: the
 * operating system gives the lock back when its process dies, so `kill -9` leaves nothing to clean up.
 */
export function createLock(path: string, waitMs: number) {
  const db = new DatabaseSync(path, { timeout: 0 });
  return {
    async hold<T>(task: () => Promise<T>): Promise<T> {
      const end = performance.now() + waitMs;
      while (!taken(db)) {
        if (performance.now() > end) {
          throw storageError("unavailable", `No turn to write in ${waitMs} ms.`, "Look for a stopped process.");
        }
        await delay(1 + Math.random() * 4);
      }
      try {
        return await task();
      } finally {
        db.exec("COMMIT");
      }
    },
    close: () => db.close(),
  };
}

function taken(db: DatabaseSync): boolean {
  try {
    db.exec("BEGIN IMMEDIATE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === BUSY) return false;
    throw error;
  }
}
