import { type Clock, systemClock } from "../clock.ts";
import { createEngineClock } from "../storage/engine-clock.ts";
import type { Records } from "../storage/ports.ts";

/** A clock that says what the storage engine's says: all processes agree, and a host whose clock is wrong judges no event by it. */
export interface EngineTime extends Clock {
  /** Before the engine was asked for the first time: resolves when it was, answer or not. Then `undefined`. */
  ready(): Promise<unknown> | undefined;
}

/** Within this the two clocks are one: what is left is the way of the question. */
const AGREEING_MS = 1_000;

/** `given`: a clock that the host brought; it is taken as it is. */
export function engineTime(records: Pick<Records, "now">, given: Clock | undefined): EngineTime {
  if (given) {
    return {
      now: () => given.now(),
      monotonic: () => given.monotonic(),
      sleep: (ms, signal) => given.sleep(ms, signal),
      ready: () => undefined,
    };
  }
  const engine = createEngineClock(records, systemClock);
  return {
    ...systemClock,
    now() {
      const own = systemClock.now();
      const engines = engine.known() ?? own;
      return Math.abs(engines - own) < AGREEING_MS ? own : Math.floor(engines);
    },
    ready: () => (engine.known() === undefined ? engine.now().catch(() => {}) : undefined),
  };
}
