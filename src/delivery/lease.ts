import type { Clock } from "../clock.ts";
import type { Claim, Outbox } from "../storage/ports.ts";

export interface Lease {
  /** Another claim has taken over: nothing more may be sent or settled. */
  readonly lost: boolean;
  /** Until the engine may give the entries to another, counted from before the claim or the last renewal was asked for. */
  remainingMs(): number;
  /** Renews unless at least `ms` are left. False: lost, or not renewable in time; do not send. */
  ensure(ms: number): Promise<boolean>;
  /** Ends the renewals. */
  end(): void;
}

export interface LeaseOptions {
  outbox: Pick<Outbox, "extend">;
  clock: Clock;
  leaseMs: number;
  renewEveryMs: number;
  /** Monotonic time before the claim was asked for. */
  claimedAtMs: number;
  /** Called once when another claim has taken over. */
  onLost(): void;
}

/** Keeps a claim while it is worked on. */
export function holdLease(claim: Claim, options: LeaseOptions): Lease {
  const { outbox, clock, leaseMs, renewEveryMs, claimedAtMs, onLost } = options;
  let lost = false;
  const ended = new AbortController();
  let endsAt = claimedAtMs + leaseMs;
  let renewing: Promise<boolean> | undefined;

  const remainingMs = () => endsAt - clock.monotonic();

  function renew(): Promise<boolean> {
    renewing ??= extend().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function extend(): Promise<boolean> {
    const asked = clock.monotonic();
    try {
      if (await outbox.extend(claim, leaseMs)) {
        endsAt = Math.max(endsAt, asked + leaseMs);
        return true;
      }
      if (!lost) onLost();
      lost = true;
      return false;
    } catch {
      // Not known whether it is extended: what is left of the old lease still counts.
      return false;
    }
  }

  async function keep(): Promise<void> {
    while (!ended.signal.aborted && !lost) {
      await clock.sleep(renewEveryMs, ended.signal);
      if (!ended.signal.aborted) await renew();
    }
  }
  void keep();

  return {
    get lost() {
      return lost;
    },
    remainingMs,
    async ensure(ms) {
      if (lost) return false;
      if (remainingMs() >= ms) return true;
      await renew();
      return !lost && remainingMs() >= ms;
    },
    end: () => ended.abort(),
  };
}
