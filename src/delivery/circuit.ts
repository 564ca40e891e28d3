import type { Clock } from "../clock.ts";
import { nextDelay, type Random } from "./backoff.ts";

export type Passage =
  /** Go. `probe`: the one request that finds out whether the asset answers again. */
  | { pass: true; probe: boolean }
  /** Not now. */
  | { pass: false; retryInMs: number };

export interface Circuits {
  enter(asset: string): Passage;
  /** How a request went. Answers "opened" or "closed" where that changed the circuit. */
  report(asset: string, ok: boolean): "opened" | "closed" | undefined;
  /** A probe that never left. */
  cancel(asset: string): void;
  open(): { asset: string; retryInMs: number }[];
}

export interface CircuitOptions {
  clock: Clock;
  random: Random;
  /** Failures in a row that open a circuit. Default 5. */
  threshold?: number;
  /** The longest time between two probes. Default 15 minutes. */
  maxMs?: number;
}

interface Circuit {
  failures: number;
  opensAt: number;
  delayMs: number | undefined;
  probing: boolean;
}

/** While somebody else's probe is out. */
const PROBE_WAIT_MS = 1_000;

/** A circuit for each asset: one that fails again and again is left alone, then tried with a single request. */
export function createCircuits({ clock, random, threshold = 5, maxMs = 900_000 }: CircuitOptions): Circuits {
  const circuits = new Map<string, Circuit>();

  return {
    enter(asset) {
      const circuit = circuits.get(asset);
      if (!circuit || circuit.failures < threshold) return { pass: true, probe: false };
      const waitMs = circuit.opensAt - clock.monotonic();
      if (waitMs > 0) return { pass: false, retryInMs: waitMs };
      if (circuit.probing) return { pass: false, retryInMs: PROBE_WAIT_MS };
      circuit.probing = true;
      return { pass: true, probe: true };
    },
    report(asset, ok) {
      const circuit = circuits.get(asset);
      if (ok) {
        circuits.delete(asset);
        return circuit && circuit.failures >= threshold ? "closed" : undefined;
      }
      const next = circuit ?? { failures: 0, opensAt: 0, delayMs: undefined, probing: false };
      next.failures++;
      next.probing = false;
      circuits.set(asset, next);
      if (next.failures < threshold) return undefined;
      next.delayMs = nextDelay(next.delayMs, random, { minMs: 5_000, maxMs });
      next.opensAt = clock.monotonic() + next.delayMs;
      return next.failures === threshold ? "opened" : undefined;
    },
    cancel(asset) {
      const circuit = circuits.get(asset);
      if (circuit) circuit.probing = false;
    },
    open() {
      const now = clock.monotonic();
      return [...circuits]
        .filter(([, circuit]) => circuit.failures >= threshold)
        .map(([asset, circuit]) => ({ asset, retryInMs: Math.max(0, circuit.opensAt - now) }));
    },
  };
}
