import type { Outbox } from "../ports.ts";
import type { Engine } from "./engine.ts";

/** How often a waiting worker looks whether another process has changed something: one small script a partition. */
const LOOK_MS = 250;

/**
 * `wait` returns at the next change by any process, or when an entry that lingers or waits becomes due. Work that was
 * already due when the last claim found nothing does not end it: the caller had its reasons not to take it.
 */
export function waiter(engine: Engine) {
  const sleepers = new Set<() => void>();
  /** Changes by this process, and how many of them there were before the last claim that found nothing. */
  let changes = 0;
  let seen = -1;
  /** Changes by anybody in each partition, as that claim saw them. */
  let counts: readonly number[] = [];
  let seenAt = new Map<number, number>();

  const sleep = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        sleepers.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      sleepers.add(done);
      signal.addEventListener("abort", done, { once: true });
    });

  /** For how long nothing is to be expected; 0: something has changed. */
  const quiet = async (): Promise<number> => {
    const looks = engine.numbers.map(async (number) => {
      const since = seenAt.get(number) ?? 0;
      const answer = await engine.run("peek", engine.partition("outbox", number), [since]);
      const [count, now, next] = answer as [number, number, number];
      if (!seenAt.has(number)) seenAt.set(number, now);
      return count === counts[number] ? next : 0;
    });
    return Math.min(...(await Promise.all(looks)));
  };

  const wait: Outbox["wait"] = async ({ maxMs, signal }) => {
    const end = performance.now() + maxMs;
    for (;;) {
      const left = end - performance.now();
      if (signal.aborted || engine.closed || seen !== changes || left <= 0) return;
      const next = await quiet();
      if (next <= 0 || signal.aborted || seen !== changes) return;
      await sleep(Math.min(LOOK_MS, next, left), signal);
    }
  };

  return {
    wait,
    wake() {
      changes++;
      for (const done of [...sleepers]) done();
    },
    mark: () => changes,
    foundNothing(mark: number, counted: readonly number[]) {
      seen = mark;
      counts = counted;
      seenAt = new Map();
    },
  };
}
