import type { Slots } from "./ports.ts";

/** What an engine keeps of one limit key. Times are the engine's milliseconds. */
export interface SlotLog {
  /** Slots given, ascending; the past ones that a window may still reach and the future ones. */
  times: number[];
  /** No new slot before this time. */
  blockedUntil: number;
  /** The widest window and the highest count asked for so far: how much of the past is kept. */
  windowMs: number;
  perWindow: number;
}

export type Scope = Parameters<Slots["reserve"]>[0][number];
export type Reserved = Awaited<ReturnType<Slots["reserve"]>>;

/** Slots are given at most this far ahead. */
export const SLOT_HORIZON_MS = 1_000;
/** A key of no slots at all (`perWindow` 0) is asked again after this long. */
export const CLOSED_RETRY_MS = 3_600_000;

export function emptySlotLog(): SlotLog {
  return { times: [], blockedUntil: 0, windowMs: 0, perWindow: 0 };
}

/**
 * Gives up to `want` slots that keep every scope, and writes them into the logs.
 * A slot is as early as all scopes allow, also between slots that were given for later.
 */
export function reserveSlots(logs: readonly SlotLog[], scopes: readonly Scope[], want: number, now: number): Reserved {
  const inMs: number[] = [];
  let from = now;
  for (let slot = 0; slot < want; slot++) {
    const found = earliest(logs, scopes, from);
    if (found.at > now + SLOT_HORIZON_MS) {
      if (slot > 0) break;
      const { blockedBy } = found;
      const wait = Math.min(found.at - SLOT_HORIZON_MS - now, CLOSED_RETRY_MS);
      return { retryInMs: Math.max(1, Math.ceil(wait)), blockedBy };
    }
    for (const log of new Set(logs)) insert(log.times, found.at);
    inMs.push(found.at - now);
    from = found.at;
  }
  for (const [index, scope] of scopes.entries()) trim(logs[index], scope, now);
  return { inMs };
}

/** Of two blocks the later end counts. */
export function blockSlots(log: SlotLog, until: number): void {
  log.blockedUntil = Math.max(log.blockedUntil, until);
}

function earliest(logs: readonly SlotLog[], scopes: readonly Scope[], from: number) {
  let at = from;
  let blockedBy = scopes[0]?.key ?? "";
  // Each scope moves the time forward only; a round in which none does has found it.
  for (let moved = true; moved; ) {
    moved = false;
    for (const [index, scope] of scopes.entries()) {
      const log = logs[index];
      if (log === undefined) continue;
      const next = free(log, scope, at);
      if (next > at) {
        at = next;
        blockedBy = scope.key;
        moved = true;
      }
    }
  }
  return { at, blockedBy };
}

/**
 * The first time from `at` on that one more slot fits. `perWindow` slots that lie within one window of each other forbid
 * every time that would lie within that window of all of them.
 */
function free(log: SlotLog, scope: Scope, at: number): number {
  const { times } = log;
  const { perWindow, windowMs } = scope;
  if (perWindow < 1) return Infinity;
  let candidate = Math.max(at, log.blockedUntil);
  for (let first = firstAfter(times, candidate - windowMs); first + perWindow <= times.length; first++) {
    const begin = times[first] ?? 0;
    const end = times[first + perWindow - 1] ?? 0;
    if (end - windowMs >= candidate) break;
    if (end - begin < windowMs && candidate < begin + windowMs) candidate = begin + windowMs;
  }
  return candidate;
}

function firstAfter(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(times: number[], time: number): void {
  if (time >= (times.at(-1) ?? 0)) times.push(time);
  else times.splice(firstAfter(times, time), 0, time);
}

/** The last `perWindow` past slots stay whatever their age: a later call may bring a wider window. */
function trim(log: SlotLog | undefined, scope: Scope, now: number): void {
  if (log === undefined) return;
  log.windowMs = Math.max(log.windowMs, scope.windowMs);
  log.perWindow = Math.max(log.perWindow, scope.perWindow);
  const outOfReach = firstAfter(log.times, now - log.windowMs);
  const spare = firstAfter(log.times, now) - log.perWindow;
  const drop = Math.min(outOfReach, spare);
  if (drop > 0) log.times.splice(0, drop);
}
