import { checkEntries, checkGroup, outcomesById } from "../checks.ts";
import { missingTransactions } from "../errors.ts";
import { escapeText, unescapeText } from "../escape.ts";
import type { DeadLetter, Outbox } from "../ports.ts";
import { appendEntries } from "./append.ts";
import { buryEntries, purgeDestination } from "./bury.ts";
import { claimEntries } from "./claim.ts";
import type { Connection } from "./connection.ts";
import { depths } from "./depth.ts";
import { groupOf, openGroup, setPause } from "./groups.ts";
import { extendClaim, releaseClaim, settleClaim } from "./settle.ts";
import { waiter } from "./wait.ts";

interface DeadRow {
  seq: number;
  gid: number;
  entry_id: string;
  item_index: number;
  reason: string;
  died_at: number;
  claims: number;
  position: number;
  payload: Uint8Array;
  detail: Uint8Array;
}

export function sqliteOutbox(connection: Connection, maxEntryBytes: number): Outbox {
  const { wait, foundNothing } = waiter(connection);
  const depth = depths(connection);
  return {
    async open(groups) {
      groups.forEach(checkGroup);
      await connection.write((tx) => {
        for (const group of groups) openGroup(tx, group);
      });
    },

    async append(entries, o = {}) {
      if (o.tx !== undefined) throw missingTransactions("SQLite");
      checkEntries(entries, maxEntryBytes);
      if (entries.length === 0) return [];
      return connection.write((tx) => appendEntries(tx, entries));
    },

    async claim(o) {
      const before = foundNothing.mark();
      // Idle workers look without taking the write lock.
      const due = await connection.read((sql, at) => sql.get<{ due: number }>("anyDue", at)?.due === 1);
      const skip = new Set(o.skipCredentials?.map(escapeText));
      const claim = due ? await connection.write((tx) => claimEntries(tx, o, skip)) : undefined;
      if (!claim) foundNothing.since(before);
      return claim;
    },

    // A lease that a power loss takes back belonged to a process that the power loss ended.
    extend: (claim, leaseMs) => connection.write((tx) => extendClaim(tx, claim, leaseMs), { durable: false }),

    async settle(claim, outcomes, o = {}) {
      outcomesById(claim, outcomes);
      return connection.write((tx) => settleClaim(tx, claim, outcomes, o.holdGroupMs));
    },

    release: (claim, o = {}) => connection.write((tx) => releaseClaim(tx, claim, o.holdGroupMs)),

    pause: (target, reason) => connection.write((tx) => setPause(tx, target, reason, true)),
    resume: (target, reason) => connection.write((tx) => setPause(tx, target, reason, false)),

    wait,
    depth,

    dead: {
      list: (o) =>
        // Through the queue, because the group's data come from the transaction's cache.
        connection.write((tx) => {
          const before = o.after === undefined ? Number.MAX_SAFE_INTEGER : Number(o.after);
          const since = o.maxAgeMs === undefined ? 0 : tx.at - o.maxAgeMs;
          const reason = o.reason === undefined ? null : escapeText(o.reason);
          const rows = tx.sql.all<DeadRow>("listDead", escapeText(o.destinationId), before, reason, since, o.limit + 1);
          const items = rows.slice(0, o.limit).flatMap((row): DeadLetter[] => {
            const group = tx.group(row.gid);
            if (!group) return [];
            return [
              {
                id: String(row.seq),
                entryId: unescapeText(row.entry_id),
                itemIndex: row.item_index,
                group: groupOf(tx, group),
                reason: unescapeText(row.reason),
                ageMs: tx.at - row.died_at,
                claims: row.claims,
                position: row.position,
                payload: row.payload,
                detail: row.detail,
              },
            ];
          });
          const last = items.at(-1);
          return { items, ...(rows.length > o.limit && last ? { after: last.id } : {}) };
        }),
      delete: (o) =>
        connection.write((tx) => {
          let deleted = 0;
          for (const id of o.ids) {
            const seq = Number(id);
            if (Number.isSafeInteger(seq)) deleted += tx.run("removeDead", seq, escapeText(o.destinationId));
          }
          return deleted;
        }),
    },

    bury: (target, reason, o) => connection.write((tx) => buryEntries(tx, target, reason, o)),
    expire: (o) => connection.write((tx) => tx.run("expireDead", tx.at - o.deadOlderThanMs, o.limit) < o.limit),
    purge: (destinationId, o) => connection.write((tx) => purgeDestination(tx, destinationId, o.limit)),
  };
}
