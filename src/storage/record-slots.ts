import { createQueue, retryConflicts } from "./from-records/retry.ts";
import type { Record_, Records, Slots } from "./ports.ts";
import { blockSlots, emptySlotLog, reserveSlots, type SlotLog } from "./slot-log.ts";

const FORMAT = 1;
/** A limiter nobody used this long is forgotten: every window has passed. */
const TTL_MS = 3_600_000;

/**
 * Slots on records: a record for each limit, changed by compare-and-set. Where another process is faster in one of
 * several limits, what was taken in the others is lost: every limit is kept, some slots go unused.
 */
export function recordSlots(records: Records): Slots {
  const queue = createQueue();

  function change<T>(keys: readonly string[], apply: (logs: SlotLog[], now: number) => T): Promise<T> {
    const names = [...new Set(keys)].map((key) => `~limiter/${encodeURIComponent(key)}`);
    return alone([...names].sort(), async () => {
      // Together: on an engine far away each call counts, and what others wrote meanwhile the write finds.
      const [now, ...found] = await Promise.all([records.now(), ...names.map((name) => records.get(name))]);
      const logs = found.map((record) => (record ? decode(record) : emptySlotLog()));
      const before = logs.map(text);
      const answer = apply(logs, now);
      for (const [index, name] of names.entries()) {
        const log = logs[index] ?? emptySlotLog();
        // Nothing was given: there is nothing to write.
        if (text(log) === before[index]) continue;
        const ttlMs = Math.max(TTL_MS, log.windowMs + SLACK_MS, log.blockedUntil - now + SLACK_MS);
        await records.put(name, encode(log), { ifVersion: found[index]?.version ?? 0, ttlMs });
      }
      return answer;
    });
  }

  /** One after the other in this process, in each limit; in the order of names, so that no two wait for each other. */
  function alone<T>([name, ...others]: readonly string[], task: () => Promise<T>): Promise<T> {
    return name === undefined ? retryConflicts(task) : queue(name, () => alone(others, task));
  }

  return {
    reserve: (scopes, want) =>
      change(
        scopes.map(({ key }) => key),
        (logs, now) => reserveSlots(logs, scopes, want, now),
      ),
    block: (key, forMs) =>
      change([key], ([log], now) => {
        if (log) blockSlots(log, now + forMs);
      }),
  };
}

const SLACK_MS = 60_000;

const text = (log: SlotLog): string => JSON.stringify(log);

function encode(log: SlotLog): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(text(log), "utf8")]);
}

function decode({ value }: Record_): SlotLog {
  return JSON.parse(Buffer.from(value.subarray(1)).toString("utf8")) as SlotLog;
}
