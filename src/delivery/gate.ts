import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { LimitScope } from "./interfaces.ts";
import type { Lease } from "./lease.ts";
import type { Limits, Slot } from "./limits.ts";

export interface Gate {
  /** Resolves at the moment a request may leave. Rejects where none may: no slot soon enough, the claim lost, the worker stopped. */
  pass(): Promise<void>;
  /** Requests that passed. */
  readonly passed: number;
}

export interface GateOptions {
  clock: Clock;
  limits: Limits;
  scopes: readonly LimitScope[];
  lease: Lease;
  signal: AbortSignal;
  /** The slot that was reserved before the work began; the first request uses it. */
  first?: Slot;
  /** What the lease must still hold when a request is written: its deadline and the settle after it. */
  deadlineMs: number;
  /** Nothing leaves after this. Monotonic time. */
  notAfterMs?: number;
  /** How long an extra request may wait for its slot. Milliseconds. */
  patienceMs?: number;
  /** The slot itself lies no further ahead than this; one that does is lost. Milliseconds. Default: any. */
  slotWithinMs?: number;
}

const VOID_TRIES = 5;

/** Lets each request leave with a slot of every limit, in time, under the lease. */
export function createGate(options: GateOptions): Gate {
  const {
    clock,
    limits,
    scopes,
    lease,
    signal,
    deadlineMs,
    notAfterMs = Number.POSITIVE_INFINITY,
    patienceMs = 10_000,
    slotWithinMs = Number.POSITIVE_INFINITY,
  } = options;
  let slot = options.first;
  let passed = 0;

  async function nextSlot(until: number): Promise<Slot> {
    for (;;) {
      const reserved = await limits.reserve(scopes);
      if ("slot" in reserved) return reserved.slot;
      if (clock.monotonic() + reserved.retryInMs > until)
        throw refused("no slot is free soon enough", reserved.retryInMs);
      await clock.sleep(reserved.retryInMs, signal);
      if (signal.aborted) throw refused("the worker stopped", 0);
    }
  }

  return {
    async pass() {
      const until = clock.monotonic() + patienceMs;
      for (let tries = 0; tries < VOID_TRIES; tries++) {
        slot ??= await nextSlot(until);
        const waitMs = slot.fromMs - clock.monotonic();
        if (waitMs > slotWithinMs) throw refused("no slot is free soon enough", waitMs);
        if (waitMs > 0) await clock.sleep(waitMs, signal);
        if (signal.aborted) throw refused("the worker stopped", 0);
        if (!(await lease.ensure(deadlineMs))) throw refused("the claim is lost", 0);
        const { toMs } = slot;
        slot = undefined;
        // Whatever was awaited above may have outlived the slot; nothing is awaited from here to the write.
        if (clock.monotonic() > notAfterMs) throw refused("what was decided about it is out of date", 1_000);
        if (clock.monotonic() <= toMs && lease.remainingMs() >= deadlineMs) {
          passed++;
          return;
        }
      }
      throw refused("its slots were void before it was ready", 1_000);
    },
    get passed() {
      return passed;
    },
  };
}

function refused(why: string, retryAfterMs: number): SnapchatError {
  return new SnapchatError({
    code: "slot_refused",
    kind: "retry",
    message: `A request did not leave: ${why}.`,
    fix: "It is tried again by itself.",
    details: { sent: "no" },
    retryAfterMs,
  });
}
