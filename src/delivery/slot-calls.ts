import type { Clock } from "../clock.ts";
import type { Slots } from "../storage/ports.ts";
import type { LimitScope } from "./interfaces.ts";

/** What the engine said to a call for slots, and how long the call was on its way. Monotonic time. */
export type SlotAnswer =
  | { inMs: number; askedAt: number; answeredAt: number; lateMs: number }
  | { retryInMs: number; blockedBy: string; answeredAt: number };

export interface SlotCalls {
  /** One slot in every scope. Who asks for the same limits while a call is on its way shares the next one. */
  ask(scopes: readonly LimitScope[]): Promise<SlotAnswer>;
}

export interface SlotCallsOptions {
  slots: Slots;
  clock: Clock;
  /** What a limit is now, for slots that may be used this much later than one of an engine nearby. */
  limitNow: (scope: LimitScope, lateMs: number) => LimitScope;
  /** How long after its time a slot of an engine nearby is good. Milliseconds. */
  goodForMs: number;
}

/** Slots of one call, at most. */
const MOST = 100;
/** How many calls say how far away the engine is. */
const REMEMBERED = 5;

interface Waiting {
  scopes: readonly LimitScope[];
  resolve: (answer: SlotAnswer) => void;
  reject: (error: unknown) => void;
}

/**
 * Calls for slots. The engine's answer says when a slot is by its clock at some moment of the call, so a slot is known
 * no better than the call took. Where calls usually take longer than a slot is good for, slots are good for longer, and
 * are asked for in windows that are wider by as much: a request that leaves late is still inside its limit.
 */
export function createSlotCalls({ slots, clock, limitNow, goodForMs }: SlotCallsOptions): SlotCalls {
  /** Present while a call for these limits is on its way: who waits for the next. */
  const lines = new Map<string, Waiting[]>();
  const tookMs: number[] = [];

  function lateMs(): number {
    const usual = tookMs.toSorted((a, b) => a - b)[(tookMs.length - 1) >> 1] ?? 0;
    return Math.max(0, Math.ceil(1.5 * usual) - goodForMs);
  }

  async function call(line: Waiting[]): Promise<void> {
    const batch = line.splice(0, MOST);
    const late = lateMs();
    const askedAt = clock.monotonic();
    try {
      const scopes = (batch[0]?.scopes ?? []).map((scope) => limitNow(scope, late));
      const given = await slots.reserve(scopes, batch.length);
      const answeredAt = clock.monotonic();
      tookMs.push(answeredAt - askedAt);
      if (tookMs.length > REMEMBERED) tookMs.shift();
      for (const [index, { resolve }] of batch.entries()) {
        if (!("inMs" in given)) resolve({ ...given, answeredAt });
        else if (index < given.inMs.length) {
          resolve({ inMs: given.inMs[index] ?? 0, askedAt, answeredAt, lateMs: late });
        }
      }
      if ("inMs" in given) line.unshift(...batch.slice(given.inMs.length));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async function work(limits: string, line: Waiting[]): Promise<void> {
    while (line.length > 0) await call(line);
    lines.delete(limits);
  }

  return {
    ask: (scopes) =>
      new Promise((resolve, reject) => {
        const limits = JSON.stringify(scopes);
        const line = lines.get(limits);
        const waiting = { scopes, resolve, reject };
        if (line) line.push(waiting);
        else {
          const first = [waiting];
          lines.set(limits, first);
          void work(limits, first);
        }
      }),
  };
}
