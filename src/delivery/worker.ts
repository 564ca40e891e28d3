import { type Context, safeError } from "./context.ts";
import { work } from "./work.ts";

/** How much a worker takes in hand. */
export interface WorkerOptions {
  /** Claims worked on at the same time. Default 16. */
  concurrency?: number;
  /** Events appended through this instance wait this long for company. Milliseconds. */
  lingerMs?: number;
  /** Events of one request. Default and most 2,000. */
  maxBatch?: number;
  /** Payload bytes of all claims in hand. Default 64 MiB. */
  maxInFlightBytes?: number;
  /** Stops the worker. */
  signal?: AbortSignal;
  /** How long `stop()` lets requests finish; five seconds later it returns in any case. Milliseconds. Default 25,000. */
  stopWithinMs?: number;
}

/** A running worker. `await using worker = delivery.startWorker()` stops it at the end of the block (Node ≥ 24). */
export interface Worker {
  /** Takes no new work, lets what is under way finish within the bound, then ends it. Safe to repeat. */
  stop(): Promise<void>;
  /** The same as {@link Worker.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LoopOptions extends WorkerOptions {
  owner: string;
  /** For `drain`: ends at this monotonic time, or once nothing has been due for `quietMs` and nothing comes due soon. */
  until?: { atMs: number; quietMs: number };
  /** For how long nothing may be claimed; 0: go on. */
  pausedMs: () => Promise<number>;
}

export interface Loop extends Worker {
  /** Resolves when the loop has ended and nothing is in flight. */
  readonly ended: Promise<void>;
}

const MAX_CLAIM_BYTES = 4 * 1024 * 1024;
const MAX_CLAIM_ITEMS = 2_000;
const LONGEST_WAIT_MS = 5_000;
const LONGEST_FAULT_MS = 30_000;
/** `drain` stays for what it knows to be due again this soon: a short retry, the next slot of a limit. */
const SOON_MS = 1_000;
/** After its requests were ended, a claim has this long to say so. */
const SETTLE_WITHIN_MS = 5_000;

/** Claims, works, settles: up to `concurrency` claims at a time. */
export function startLoop(context: Context, options: LoopOptions): Loop {
  const { clock, storage, settings, counters, emit } = context;
  const { concurrency = 16, maxInFlightBytes = 64 * 1024 * 1024, stopWithinMs = 25_000, until } = options;
  const maxItems = Math.min(options.maxBatch ?? MAX_CLAIM_ITEMS, MAX_CLAIM_ITEMS);
  const stopping = new AbortController();
  const inFlight = new Map<Promise<void>, AbortController>();
  const skipped = new Map<string, number>();
  let bytes = 0;
  let dueSoonAt = 0;
  /** Wakes the loop where it waits. */
  let wake = () => {};

  const stopNow = () => {
    stopping.abort();
    wake();
  };
  if (options.signal?.aborted) stopNow();
  else options.signal?.addEventListener("abort", stopNow, { once: true });

  /** Credentials that have no slot now, and when the first of them may have one. */
  function skipping(): { ids: string[]; nextMs: number } {
    const now = clock.monotonic();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, end] of skipped) {
      if (end <= now) skipped.delete(id);
      else nextMs = Math.min(nextMs, end - now);
    }
    return { ids: [...skipped.keys()], nextMs };
  }

  async function claimOne(): Promise<boolean> {
    const claimedAtMs = clock.monotonic();
    const claim = await storage.outbox.claim({
      owner: options.owner,
      leaseMs: settings.leaseMs,
      maxItems,
      maxBytes: Math.min(MAX_CLAIM_BYTES, maxInFlightBytes - bytes),
      skipCredentials: skipping().ids,
    });
    if (!claim) return false;
    counters.claims++;
    const size = claim.entries.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
    bytes += size;
    const abort = new AbortController();
    const task: Promise<void> = work(context, claim, { claimedAtMs, abort })
      .then(({ skipCredentialMs, dueInMs = 0 }) => {
        const now = clock.monotonic();
        if (skipCredentialMs) skipped.set(claim.group.credentialId, now + skipCredentialMs);
        if (dueInMs <= SOON_MS) dueSoonAt = Math.max(dueSoonAt, now + dueInMs);
      })
      .finally(() => {
        bytes -= size;
        inFlight.delete(task);
        wake();
      });
    inFlight.set(task, abort);
    return true;
  }

  async function run(): Promise<void> {
    let faultMs = 0;
    let workedAt = clock.monotonic();
    while (!stopping.signal.aborted) {
      if (until && clock.monotonic() >= until.atMs) return;
      try {
        const pausedMs = await options.pausedMs();
        if (pausedMs > 0) {
          if (until) return;
          await clock.sleep(pausedMs, stopping.signal);
        } else if (inFlight.size >= concurrency || bytes >= maxInFlightBytes) {
          await untilOneEnds();
        } else if (await claimOne()) {
          workedAt = clock.monotonic();
        } else {
          if (inFlight.size > 0) workedAt = clock.monotonic();
          if (until && clock.monotonic() - Math.max(workedAt, dueSoonAt) >= until.quietMs) return;
          await idle();
        }
        faultMs = 0;
      } catch (error) {
        emit({ type: "worker_error", ...safeError(error) });
        faultMs = Math.min(LONGEST_FAULT_MS, Math.max(250, faultMs * 2));
        await clock.sleep(faultMs, stopping.signal);
      }
    }
  }

  async function untilOneEnds(): Promise<void> {
    const woken = new AbortController();
    wake = () => woken.abort();
    if (stopping.signal.aborted) return;
    await clock.sleep(until ? Math.max(0, until.atMs - clock.monotonic()) : LONGEST_WAIT_MS, woken.signal);
  }

  /** Until there may be work: the engine says so, a credential has a slot again, or a claim of ours ends. */
  async function idle(): Promise<void> {
    const woken = new AbortController();
    wake = () => woken.abort();
    if (stopping.signal.aborted) return;
    const maxMs = Math.min(LONGEST_WAIT_MS, skipping().nextMs, until?.quietMs ?? LONGEST_WAIT_MS);
    await storage.outbox.wait({ maxMs: Math.max(1, Math.ceil(maxMs)), signal: woken.signal });
  }

  const running = run();

  async function finish(): Promise<void> {
    await running;
    await endedWithin(until ? Math.max(0, until.atMs - clock.monotonic()) : stopWithinMs);
    // What is still out is ended; its outcome is unknown and stored as such. An engine that does not answer is left to
    // the leases.
    for (const abort of inFlight.values()) abort.abort();
    await endedWithin(SETTLE_WITHIN_MS);
    options.signal?.removeEventListener("abort", stopNow);
    await context.journal.flush();
  }

  async function endedWithin(ms: number): Promise<void> {
    const bound = new AbortController();
    await Promise.race([Promise.allSettled(inFlight.keys()), clock.sleep(ms, bound.signal)]);
    bound.abort();
  }

  let finishing: Promise<void> | undefined;
  const ended = () => {
    finishing ??= finish();
    return finishing;
  };

  const stop = () => {
    stopNow();
    return ended();
  };
  return {
    stop,
    [Symbol.asyncDispose]: stop,
    get ended() {
      return ended();
    },
  };
}
