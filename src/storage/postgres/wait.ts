import type { Outbox } from "../ports.ts";
import type { Database } from "./database.ts";

/** How often a waiting worker looks whether another process has signalled something: one small query. */
const LOOK_MS = 250;

/**
 * `wait` returns when this process makes something due, when another one has, or when an entry that lingers or waits
 * becomes due. Work that was already due when the last claim found nothing does not end it. LISTEN would need a session
 * of its own, and NOTIFY takes a lock at commit that other commits wait for: a waiting process asks instead, once for
 * all its workers.
 */
export function waiter(db: Database) {
  let writes = 0;
  let last = { writes: -1, at: 0 };
  db.onWrite(() => writes++);

  let looking: Promise<{ at: number; dueAt: number }> | undefined;
  const look = () => {
    looking ??= db
      .call<{ at: unknown; due_at: unknown }>("next_due", [db.clock(), last.at])
      .then(([row]) => ({ at: Number(row?.at), dueAt: Number(row?.due_at) }))
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };

  const wait: Outbox["wait"] = async ({ maxMs, signal }) => {
    const end = performance.now() + maxMs;
    const wakes = () => signal.aborted || db.closed || last.writes !== writes;
    while (!wakes()) {
      const { at, dueAt } = await look();
      const left = end - performance.now();
      if (dueAt <= at || left <= 0 || wakes()) return;
      await pause(Math.min(left, LOOK_MS, dueAt - at), signal);
    }
  };

  const pause = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        forget();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      const forget = db.onWrite(done);
      signal.addEventListener("abort", done, { once: true });
    });

  return {
    wait,
    /** What this process had written before a claim that finds nothing. */
    mark: () => writes,
    foundNothing(mark: number, at: number): void {
      last = { writes: mark, at };
    },
  };
}
