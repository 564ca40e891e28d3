import type { Clock } from "snapchat-destination";

/** A clock that runs as the machine's does and can be put forward: sleeps that end on the way end at once. */
export function runningClock(): Clock & { forward(ms: number): void } {
  let shift = 0;
  const sleepers = new Set<() => void>();
  const monotonic = () => performance.now() + shift;
  return {
    now: () => Date.now() + shift,
    monotonic,
    sleep(ms, signal) {
      const until = monotonic() + ms;
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          sleepers.delete(look);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const look = () => {
          if (monotonic() >= until) end();
        };
        const timer = setTimeout(end, ms);
        signal?.addEventListener("abort", end, { once: true });
        sleepers.add(look);
      });
    },
    forward(ms) {
      shift += ms;
      for (const look of [...sleepers]) look();
    },
  };
}
