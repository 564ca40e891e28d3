import type { Outbox } from "../ports.ts";
import { dueAt } from "./group.ts";
import type { OutboxState } from "./state.ts";

/**
 * `wait` returns at the next change, or when an entry that lingers or waits becomes due. Work that was already due when
 * the last claim found nothing does not end it: the caller had its reasons not to take it.
 */
export function waiter(state: OutboxState, now: () => number) {
  const waiting = new Set<() => void>();
  let changes = 0;
  let nothing = { changes: -1, at: 0 };

  const nextDue = (at: number): number => {
    let next = Infinity;
    for (const group of state.groups.values()) {
      const due = dueAt(group, at);
      if (due > nothing.at) next = Math.min(next, due);
    }
    for (const claim of state.claims.values()) if (claim.state === "open") next = Math.min(next, claim.leaseUntil);
    return next - at;
  };

  const wait: Outbox["wait"] = ({ maxMs, signal }) =>
    new Promise((resolve) => {
      const dueInMs = nextDue(now());
      if (signal.aborted || nothing.changes !== changes || dueInMs <= 0) return resolve();
      const done = () => {
        clearTimeout(timer);
        waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(maxMs, dueInMs));
      waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });

  return {
    wait,
    foundNothing(at: number) {
      nothing = { changes, at };
    },
    wake() {
      changes++;
      for (const done of [...waiting]) done();
    },
  };
}
