import type { Clock } from "../clock.ts";
import { nextDelay, type Random } from "./backoff.ts";

export type Passage =
  /** Go, and say when it is over, whatever came of it. Repeated calls of `leave` count once. */
  | { pass: true; leave(): void }
  /** Not now. */
  | { pass: false; retryInMs: number };

export interface Circuits {
  enter(asset: string): Passage;
  /** How a request went. Answers "opened" or "closed" where that changed the circuit. */
  report(asset: string, ok: boolean): "opened" | "closed" | undefined;
  open(): { asset: string; retryInMs: number }[];
}

export interface CircuitOptions {
  clock: Clock;
  random: Random;
  /** Failures in a row that open a circuit. Default 5. */
  threshold?: number;
  /** The bounds of the time between two probes. Milliseconds. */
  retry: { minMs: number; maxMs: number };
}

interface Circuit {
  failures: number;
  opensAt: number;
  delayMs: number | undefined;
  /** How many may be under way at once. One while open: the probe. Doubled by each success after an outage. */
  room: number;
  inside: number;
}

/** While others have taken the room there is. */
const FULL_WAIT_MS = 1_000;
/** With this much room the outage is over. */
const WIDE = 32;

/**
 * A circuit for each asset: one that fails again and again is left alone, then tried with a single request, then let
 * back to full speed step by step.
 */
export function createCircuits({ clock, random, threshold = 5, retry }: CircuitOptions): Circuits {
  const circuits = new Map<string, Circuit>();

  return {
    enter(asset) {
      const circuit = circuits.get(asset);
      if (!circuit) return { pass: true, leave() {} };
      const waitMs = circuit.failures >= threshold ? circuit.opensAt - clock.monotonic() : 0;
      if (waitMs > 0) return { pass: false, retryInMs: waitMs };
      if (circuit.inside >= circuit.room) return { pass: false, retryInMs: FULL_WAIT_MS };
      circuit.inside++;
      let left = false;
      return {
        pass: true,
        leave() {
          if (!left) circuit.inside--;
          left = true;
        },
      };
    },
    report(asset, ok) {
      const circuit = circuits.get(asset);
      if (ok) {
        if (!circuit) return undefined;
        const wasOpen = circuit.failures >= threshold;
        circuit.failures = 0;
        circuit.room *= 2;
        if (circuit.room >= WIDE) circuits.delete(asset);
        return wasOpen ? "closed" : undefined;
      }
      const next = circuit ?? {
        failures: 0,
        opensAt: 0,
        delayMs: undefined,
        room: Number.POSITIVE_INFINITY,
        inside: 0,
      };
      const wasOpen = next.failures >= threshold;
      // One that is only just coming back is not given five more.
      next.failures = Number.isFinite(next.room) ? threshold : next.failures + 1;
      circuits.set(asset, next);
      if (next.failures < threshold) return undefined;
      next.room = 1;
      next.delayMs = nextDelay(next.delayMs, random, retry);
      next.opensAt = clock.monotonic() + next.delayMs;
      return wasOpen ? undefined : "opened";
    },
    open() {
      const now = clock.monotonic();
      return [...circuits]
        .filter(([, circuit]) => circuit.failures >= threshold)
        .map(([asset, circuit]) => ({ asset, retryInMs: Math.max(0, circuit.opensAt - now) }));
    },
  };
}
