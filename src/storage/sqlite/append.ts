import { unknownGroup } from "../errors.ts";
import { escapeText } from "../escape.ts";
import type { Appended, NewEntry } from "../ports.ts";
import type { GroupRow, Transaction } from "./transaction.ts";

export function appendEntries(tx: Transaction, entries: readonly NewEntry[]): Appended[] {
  const rows: GroupRow[] = [];
  for (const { group } of entries) {
    const row = tx.findGroup(escapeText(group.destinationId), escapeText(group.name));
    if (!row?.opened) throw unknownGroup(group.destinationId, group.name);
    rows.push(row);
  }
  return entries.map((entry, index) => appendEntry(tx, rows[index] as GroupRow, entry));
}

function appendEntry(tx: Transaction, group: GroupRow, entry: NewEntry): Appended {
  const id = escapeText(entry.id);
  const seq = tx.nextSeq();
  const position = entry.position ?? seq;
  if (tx.run("addId", group.gid, id, position, entry.dedupeMs ?? 0, tx.at) === 0) {
    const first = tx.sql.get<{ position: number }>("idPosition", group.gid, id);
    return { status: "duplicate", position: first?.position ?? position };
  }
  const dueAt = tx.at + (entry.delayMs ?? 0);
  const bytes = entry.payload.byteLength;
  tx.run("addEntry", seq, group.gid, id, position, entry.priority, dueAt, tx.at, entry.items, entry.payload);
  group.entries++;
  group.items += entry.items;
  group.bytes += bytes;
  group.ready_at = Math.min(group.ready_at, dueAt);
  tx.changed(group);
  return { status: "stored", position };
}
