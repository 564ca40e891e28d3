import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../src/clock.ts";

/** A clock that runs, and that a test puts ahead. */
export interface ShiftedClock extends Clock {
  advance(ms: number): void;
}

export function shiftedClock(
  base: Pick<Clock, "now" | "monotonic"> = { now: () => Date.now(), monotonic: () => performance.now() },
): ShiftedClock {
  let shiftMs = 0;
  return {
    now: () => base.now() + shiftMs,
    monotonic: () => base.monotonic() + shiftMs,
    sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => {}),
    advance: (ms) => {
      shiftMs += ms;
    },
  };
}
