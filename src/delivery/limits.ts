import type { Clock } from "../clock.ts";
import type { Slots } from "../storage/ports.ts";
import { nextDelay, type Random } from "./backoff.ts";
import type { LimitScope, RequestRecord } from "./interfaces.ts";
import { createSlotCalls } from "./slot-calls.ts";

/** A time at which one request may leave, on the monotonic clock. */
export interface Slot {
  /** Not before. */
  fromMs: number;
  /** Void after. */
  toMs: number;
}

export type Reservation = { slot: Slot } | { retryInMs: number; blockedBy: string };

export interface Limits {
  /** Asks every scope for one slot. Known to be full: answered without asking. */
  reserve(scopes: readonly LimitScope[]): Promise<Reservation>;
  /** A 429: no request of the limit leaves before then, in any process, and fewer from then on. Answers the wait. */
  refused(scopes: readonly LimitScope[], retryAfterMs: number | undefined): Promise<number>;
  /** An answer that was not a 429, with what its headers say. */
  observed(scopes: readonly LimitScope[], rateLimit: RequestRecord["rateLimit"]): Promise<void>;
  /** Until a scope is known to have nothing free. */
  blockedForMs(scopes: readonly LimitScope[]): number;
  /** Limits that are lowered or blocked now. */
  lowered(): LoweredLimit[];
}

/** A limit that Snapchat's answers have lowered. */
export interface LoweredLimit {
  key: string;
  /** What 429s have left of it: 0.5 is half. Comes back by a tenth every 10 s. */
  factor: number;
  /** What the headers of the last answer leave until their window ends. */
  perSecond?: number;
  /** Nothing leaves before then. Milliseconds. */
  blockedForMs: number;
}

export interface LimitsOptions {
  slots: Slots;
  clock: Clock;
  random: Random;
  /** The part of each limit that background work may use. Default 0.9. */
  share?: number;
}

/** A slot is void this long after its time. Of an engine that is far away: later, and there are fewer of them. */
export const SLOT_VOID_MS = 250;
/** Lowered limits come back in steps this long. */
const RECOVERY_STEP_MS = 10_000;
const LOWEST = 0.1;
/** Parts that a window is paced in. */
const STEPS = 10;

interface State {
  /** What 429s have left of the limit. */
  factor: number;
  /** What the headers leave until the window starts anew: requests a millisecond. */
  headers: { perMs: number; untilMs: number } | undefined;
  /** Since when the limit comes back. */
  changedAt: number;
  refusedAt: number;
  blockedUntil: number;
  delayMs: number | undefined;
}

/** Slots in every limit a request falls under; limits that Snapchat's answers lower live. */
export function createLimits({ slots, clock, random, share = 0.9 }: LimitsOptions): Limits {
  const states = new Map<string, State>();

  function stateOf(key: string): State {
    let state = states.get(key);
    if (!state) {
      state = {
        factor: 1,
        headers: undefined,
        changedAt: 0,
        refusedAt: Number.NEGATIVE_INFINITY,
        blockedUntil: 0,
        delayMs: undefined,
      };
      states.set(key, state);
    }
    return state;
  }

  /** What is left of a limit now. */
  function factorOf(state: State): number {
    const steps = Math.floor((clock.monotonic() - state.changedAt) / RECOVERY_STEP_MS);
    state.factor = Math.min(1, state.factor + steps * 0.1);
    state.changedAt += steps * RECOVERY_STEP_MS;
    return state.factor;
  }

  function limitNow(scope: LimitScope, lateMs: number): LimitScope {
    const state = states.get(scope.key);
    let perWindow = scope.perWindow * share * (state ? factorOf(state) : 1);
    const headers = headersOf(state);
    if (headers) perWindow = Math.min(perWindow, headers.perMs * scope.windowMs);
    return paced({
      key: scope.key,
      perWindow: Math.max(1, Math.floor(perWindow)),
      windowMs: scope.windowMs + lateMs,
    });
  }

  const calls = createSlotCalls({ slots, clock, limitNow, goodForMs: SLOT_VOID_MS });

  const headersOf = (state: State | undefined) =>
    state?.headers && state.headers.untilMs > clock.monotonic() ? state.headers : undefined;

  const blockedForMs = (scopes: readonly LimitScope[]) => {
    const now = clock.monotonic();
    let longest = 0;
    for (const { key } of scopes) longest = Math.max(longest, (states.get(key)?.blockedUntil ?? 0) - now);
    return longest;
  };

  async function block(scope: LimitScope, forMs: number): Promise<void> {
    const state = stateOf(scope.key);
    state.blockedUntil = Math.max(state.blockedUntil, clock.monotonic() + forMs);
    await slots.block(scope.key, Math.ceil(forMs));
  }

  return {
    async reserve(scopes) {
      if (scopes.length === 0) return { slot: { fromMs: 0, toMs: Number.POSITIVE_INFINITY } };
      const blocked = blockedForMs(scopes);
      if (blocked > 0) return { retryInMs: blocked, blockedBy: longestBlocked(scopes, states) };
      const answer = await calls.ask(scopes);
      const { answeredAt } = answer;
      if ("inMs" in answer) {
        const { inMs, askedAt, lateMs } = answer;
        return { slot: { fromMs: answeredAt + inMs, toMs: askedAt + inMs + SLOT_VOID_MS + lateMs } };
      }
      const { retryInMs, blockedBy } = answer;
      const state = stateOf(blockedBy);
      state.blockedUntil = Math.max(state.blockedUntil, answeredAt + retryInMs);
      return { retryInMs, blockedBy };
    },
    async refused(scopes, retryAfterMs) {
      const scope = scopes[0];
      if (!scope) return retryAfterMs ?? 1_000;
      const state = stateOf(scope.key);
      const now = clock.monotonic();
      // Answers that were on their way together are one refusal.
      if (now - state.refusedAt > 1_000) {
        state.factor = Math.max(LOWEST, factorOf(state) / 2);
        state.delayMs = nextDelay(state.delayMs, random, { minMs: 1_000, maxMs: 60_000 });
      }
      state.changedAt = now;
      state.refusedAt = now;
      const forMs = Math.max(retryAfterMs ?? 0, state.delayMs ?? 1_000);
      await block(scope, forMs);
      return forMs;
    },
    async observed(scopes, rateLimit) {
      const scope = scopes[0];
      if (!scope) return;
      const state = states.get(scope.key);
      if (state) state.delayMs = undefined;
      if (!rateLimit || rateLimit.resetInMs <= 0) return;
      const { remaining, resetInMs } = rateLimit;
      if (remaining <= 0) return block(scope, resetInMs);
      const perMs = remaining / resetInMs;
      if (perMs >= scope.perWindow / scope.windowMs) return;
      stateOf(scope.key).headers = { perMs, untilMs: clock.monotonic() + resetInMs };
    },
    blockedForMs,
    lowered() {
      const now = clock.monotonic();
      return [...states]
        .map(([key, state]) => ({
          key,
          factor: factorOf(state),
          ...(headersOf(state) ? { perSecond: (headersOf(state)?.perMs ?? 0) * 1_000 } : {}),
          blockedForMs: Math.max(0, state.blockedUntil - now),
        }))
        .filter(({ factor, perSecond, blockedForMs: ms }) => factor < 1 || perSecond !== undefined || ms > 0);
    },
  };
}

/**
 * The same rate in smaller steps. A window's worth of slots at once, again at the start of the next window, would arrive
 * as two windows' worth in one where the first is a little late.
 */
function paced({ key, perWindow, windowMs }: LimitScope): LimitScope {
  const step = Math.max(1, Math.floor(perWindow / STEPS));
  return { key, perWindow: step, windowMs: Math.ceil((windowMs * step) / perWindow) };
}

function longestBlocked(scopes: readonly LimitScope[], states: Map<string, State>): string {
  let key = scopes[0]?.key ?? "";
  for (const scope of scopes) {
    if ((states.get(scope.key)?.blockedUntil ?? 0) > (states.get(key)?.blockedUntil ?? 0)) key = scope.key;
  }
  return key;
}
