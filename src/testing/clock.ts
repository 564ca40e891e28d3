import type { Clock } from "../clock.ts";

/** Options of {@link createFakeClock}. */
export interface FakeClockOptions {
  /** Where the wall clock starts, milliseconds since 1970. Default 2026-01-01T00:00:00Z. */
  nowMs?: number;
  /**
   * Resolves when what the test runs waits for nothing but this clock: time does not move before. Needed where something
   * else takes real time, such as a database. Default: what promises alone can do has been done.
   */
  idle?: () => Promise<void>;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time forward. Every sleep that ends on the way is woken at its own time, in order, and what it
   * starts has run until it waits for time again before the next one is woken.
   */
  advance(ms: number): Promise<void>;
  /** Advances from sleep to sleep until `promise` settles. Rejects if that takes longer than `maxMs` of fake time. */
  run<T>(promise: Promise<T>, options?: { maxMs?: number }): Promise<T>;
  /** Sets the wall clock off against monotonic time, as a machine does whose clock is put right. */
  jump(ms: number): void;
  /** How many sleeps are waiting: a test of a leak compares it before and after. */
  readonly sleeping: number;
}

interface Sleeper {
  at: number;
  order: number;
  wake(): void;
}

/**
 * A fake clock: deterministic, no real waiting.
 *
 * @example
 * ```ts
 * import { createFakeClock } from "snapchat-destination/testing";
 *
 * const clock = createFakeClock();
 * const woken = clock.sleep(60_000).then(() => clock.now());
 * await clock.advance(60_000);
 * await woken;
 * ```
 */
export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  const { nowMs: start = Date.UTC(2026, 0, 1), idle = everyPromise } = options;
  const sleepers: Sleeper[] = [];
  let elapsed = 0;
  let offset = 0;
  let order = 0;

  function insert(sleeper: Sleeper): void {
    let low = 0;
    let high = sleepers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = sleepers[middle] as Sleeper;
      if (other.at < sleeper.at || (other.at === sleeper.at && other.order < sleeper.order)) low = middle + 1;
      else high = middle;
    }
    sleepers.splice(low, 0, sleeper);
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = {
        at: elapsed + Math.max(0, ms),
        order: order++,
        wake() {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        const index = sleepers.indexOf(sleeper);
        if (index >= 0) sleepers.splice(index, 1);
        sleeper.wake();
      };
      signal?.addEventListener("abort", abort, { once: true });
      insert(sleeper);
    });
  }

  async function advance(ms: number): Promise<void> {
    const end = elapsed + ms;
    await idle();
    for (let next = sleepers[0]; next && next.at <= end; next = sleepers[0]) {
      sleepers.shift();
      elapsed = Math.max(elapsed, next.at);
      next.wake();
      await idle();
    }
    elapsed = end;
  }

  async function run<T>(promise: Promise<T>, { maxMs = 86_400_000 } = {}): Promise<T> {
    const end = elapsed + maxMs;
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    await idle();
    while (!settled) {
      const next = sleepers[0];
      if (!next) throw new Error("The promise waits for something other than this clock.");
      if (next.at > end) throw new Error(`The promise did not settle within ${maxMs} ms of fake time.`);
      await advance(next.at - elapsed);
    }
    return promise;
  }

  return {
    now: () => start + offset + Math.floor(elapsed),
    monotonic: () => elapsed,
    sleep,
    advance,
    run,
    jump(ms) {
      offset += ms;
    },
    get sleeping() {
      return sleepers.length;
    },
  };
}

/** Lets every promise that can go on without time go on: microtasks run to their end before an immediate does. */
function everyPromise(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
