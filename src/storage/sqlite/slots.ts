import { escapeText } from "../escape.ts";
import type { Slots } from "../ports.ts";
import { blockSlots, emptySlotLog, reserveSlots, type SlotLog } from "../slot-log.ts";
import type { Connection } from "./connection.ts";
import type { Transaction } from "./transaction.ts";

/** Slots need not survive a power loss: the machine is away for longer than any window. */
const LIGHT = { durable: false };

export function sqliteSlots(connection: Connection): Slots {
  return {
    reserve: (scopes, want) =>
      connection.write((tx) => {
        const logs = new Map(scopes.map(({ key }) => [key, load(tx, key)]));
        const reserved = reserveSlots(
          scopes.map(({ key }) => logs.get(key) ?? emptySlotLog()),
          scopes,
          want,
          tx.at,
        );
        if ("inMs" in reserved) for (const [key, log] of logs) save(tx, key, log);
        return reserved;
      }, LIGHT),
    block: (key, forMs) =>
      connection.write((tx) => {
        const log = load(tx, key);
        blockSlots(log, tx.at + forMs);
        save(tx, key, log);
      }, LIGHT),
  };
}

interface Row {
  blocked_until: number;
  window_ms: number;
  per_window: number;
  times: Uint8Array;
}

function load(tx: Transaction, key: string): SlotLog {
  const row = tx.sql.get<Row>("slotLog", escapeText(key));
  if (!row) return emptySlotLog();
  const times = [...new Float64Array(row.times.slice().buffer)];
  return { times, blockedUntil: row.blocked_until, windowMs: row.window_ms, perWindow: row.per_window };
}

function save(tx: Transaction, key: string, log: SlotLog): void {
  const times = new Uint8Array(Float64Array.from(log.times).buffer);
  tx.run("saveSlotLog", escapeText(key), Math.ceil(log.blockedUntil), Math.ceil(log.windowMs), log.perWindow, times);
}
