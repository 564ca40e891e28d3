import { escapeText } from "../escape.ts";
import type { Target } from "../ports.ts";
import { expireLeases } from "./claim.ts";
import { refreshTimes, targeted } from "./groups.ts";
import { addDead, removeEntries } from "./settle.ts";
import { NEVER } from "./sql.ts";
import type { GroupRow, Transaction } from "./transaction.ts";

interface Unclaimed {
  seq: number;
  id: string;
  claim: number | null;
}

/** Unclaimed entries become dead letters whole. True when none is left. */
export function buryEntries(
  tx: Transaction,
  target: Target,
  reason: string,
  o: { olderThanMs?: number; limit: number },
): boolean {
  expireLeases(tx);
  // "Older than": an entry of exactly that age stays.
  const createdUntil = o.olderThanMs === undefined ? NEVER : tx.at - o.olderThanMs - 1;
  let left = o.limit;
  for (const group of targeted(tx, target)) {
    const found = tx.sql.all<Unclaimed>("unclaimed", group.gid, createdUntil, left + 1);
    const buried = found.slice(0, left);
    for (const { seq } of buried) {
      const entry = tx.sql.get<{ id: string; position: number; claims: number }>("entry", seq);
      const stored = tx.sql.get<{ payload: Uint8Array; progress: Uint8Array | null }>("entryPayload", seq);
      if (!entry || !stored) continue;
      const { payload, progress } = stored;
      addDead(tx, group, entry, { itemIndex: -1, reason, payload, detail: progress ?? new Uint8Array() });
    }
    remove(tx, group, buried);
    left -= buried.length;
    if (found.length > buried.length) return false;
  }
  return true;
}

/** Forgets a destination, a part per call. True when nothing is left. */
export function purgeDestination(tx: Transaction, destinationId: string, limit: number): boolean {
  const destination = escapeText(destinationId);
  let left = limit;
  const groups = targeted(tx, { destinationId });
  for (const group of groups) {
    const found = tx.sql.all<Unclaimed>("anyEntries", group.gid, left + 1);
    const removed = found.slice(0, left);
    remove(tx, group, removed);
    left -= removed.length;
    if (found.length > removed.length) return false;
    left -= tx.run("removeIds", group.gid, left);
    if (left <= 0) return false;
  }
  left -= tx.run("removeDeadOfDestination", destination, left);
  if (left <= 0) return false;
  tx.run("removePausesOfDestination", destination);
  for (const group of groups) {
    group.opened = 0;
    group.hold_until = 0;
    tx.changed(group);
  }
  return true;
}

function remove(tx: Transaction, group: GroupRow, entries: readonly Unclaimed[]): void {
  if (entries.length === 0) return;
  for (const cid of new Set(entries.map((entry) => entry.claim))) if (cid !== null) tx.run("removeClaim", cid);
  removeEntries(tx, group, entries);
  refreshTimes(tx, group);
}
