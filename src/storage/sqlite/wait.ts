import type { Outbox } from "../ports.ts";
import type { Connection } from "./connection.ts";
import { NEVER } from "./sql.ts";

/** How often a waiting worker looks whether another process has committed: one pragma, a few microseconds. */
const LOOK_MS = 100;

/**
 * `wait` returns at the next commit of any process, or when an entry that lingers or waits becomes due. Work that was
 * already due when the last claim found nothing does not end it: the caller had its reasons not to take it.
 */
export function waiter(connection: Connection) {
  let commits = 0;
  let last = { commits: -1, foreign: -1, at: 0 };
  connection.onCommit(() => commits++);
  const mark = () => ({ commits, foreign: connection.foreignCommits() });

  const wait: Outbox["wait"] = async ({ maxMs, signal }) => {
    const changed = () => last.commits !== commits || last.foreign !== connection.foreignCommits();
    if (signal.aborted || changed()) return;
    const until = await connection.read((sql, at) => {
      const due = sql.get<{ due_at: number | null }>("nextDue", last.at)?.due_at ?? NEVER;
      const lease = sql.get<{ lease_until: number | null }>("nextLease")?.lease_until ?? NEVER;
      last.at ||= at;
      return Math.min(due, lease) - at;
    });
    if (until <= 0 || signal.aborted || connection.closed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(end);
        clearInterval(look);
        forget();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const end = setTimeout(done, Math.min(maxMs, until));
      const look = setInterval(() => {
        if (connection.closed || changed()) done();
      }, LOOK_MS);
      const forget = connection.onCommit(done);
      signal.addEventListener("abort", done, { once: true });
    });
  };

  return {
    wait,
    foundNothing: {
      mark,
      since(before: { commits: number; foreign: number }) {
        last = { ...before, at: Date.now() };
      },
    },
  };
}
