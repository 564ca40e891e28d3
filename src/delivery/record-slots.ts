import type { Clock } from "../clock.ts";
import type { Record_, Records, Slots } from "../storage/ports.ts";
import { blockSlots, emptySlotLog, reserveSlots, type SlotLog } from "../storage/slot-log.ts";
import { nextDelay, type Random } from "./backoff.ts";
import { isStorageError } from "./storage-call.ts";

const FORMAT = 1;
/** A limiter nobody used this long is forgotten: every window has passed. */
const TTL_MS = 3_600_000;
const MAX_TRIES = 50;

/**
 * Slots on records, for engines without the slots port: a record for each limit, changed by compare-and-set. Where
 * another process is faster in one of several limits, what was taken in the others is lost: every limit is kept, some
 * slots go unused.
 */
export function createRecordSlots(records: Records, { clock, random }: { clock: Clock; random: Random }): Slots {
  async function change<T>(keys: readonly string[], apply: (logs: SlotLog[], now: number) => T): Promise<T> {
    const names = keys.map((key) => `~limiter/${encodeURIComponent(key)}`);
    let delay: number | undefined;
    for (let tries = 1; ; tries++) {
      const found = await Promise.all(names.map((name) => records.get(name)));
      const logs = found.map((record) => (record ? decode(record) : emptySlotLog()));
      const answer = apply(logs, await records.now());
      try {
        for (const [index, name] of names.entries()) {
          const value = encode(logs[index] ?? emptySlotLog());
          await records.put(name, value, { ifVersion: found[index]?.version ?? 0, ttlMs: TTL_MS });
        }
        return answer;
      } catch (error) {
        if (!isStorageError(error) || error.code !== "version_conflict" || tries === MAX_TRIES) throw error;
        delay = nextDelay(delay, random, { minMs: 2, maxMs: 100 });
        await clock.sleep(delay);
      }
    }
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

function encode(log: SlotLog): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(log), "utf8")]);
}

function decode({ value }: Record_): SlotLog {
  return JSON.parse(Buffer.from(value.subarray(1)).toString("utf8")) as SlotLog;
}
