import { checkEntries } from "../checks.ts";
import { unknownGroup } from "../errors.ts";
import { escapeText } from "../escape.ts";
import type { Appended, NewEntry, Outbox } from "../ports.ts";
import type { Database, PostgresClient } from "./database.ts";
import { pack, plainList, textList } from "./lists.ts";
import { hostTransaction } from "./transaction.ts";

interface Row {
  unknown: unknown;
  positions: string | null;
  duplicates: string | null;
}

export function appender(db: Database, maxEntryBytes: number): Outbox["append"] {
  return async (entries, o = {}) => {
    const tx = o.tx === undefined ? undefined : hostTransaction(o.tx);
    checkEntries(entries, maxEntryBytes);
    if (entries.length === 0) return [];
    const appended = await append(db, entries, tx);
    if (tx === undefined) db.wrote();
    return appended;
  };
}

async function append(db: Database, entries: readonly NewEntry[], tx: PostgresClient | undefined): Promise<Appended[]> {
  const groups: NewEntry["group"][] = [];
  const numbers = new Map<string, Map<string, number>>();
  const groupOf = entries.map(({ group }) => {
    let names = numbers.get(group.destinationId);
    if (!names) {
      names = new Map();
      numbers.set(group.destinationId, names);
    }
    let number = names.get(group.name);
    if (number === undefined) {
      number = groups.push(group);
      names.set(group.name, number);
    }
    return number;
  });
  const payloads = pack(entries.map(({ payload }) => payload));
  const values = [
    db.clock(),
    textList(groups.map(({ destinationId }) => escapeText(destinationId))),
    textList(groups.map(({ name }) => escapeText(name))),
    plainList(groupOf),
    textList(entries.map(({ id }) => escapeText(id))),
    plainList(entries.map(({ priority }) => priority)),
    plainList(entries.map(({ items }) => items)),
    payloads.offsets,
    payloads.sizes,
    payloads.bytes,
    plainList(entries.map(({ delayMs }) => Math.ceil(delayMs ?? 0))),
    plainList(entries.map(({ position }) => position)),
    plainList(entries.map(({ dedupeMs }) => Math.ceil(dedupeMs ?? 0))),
  ];
  const [row] = await db.call<Row>("entries_append", values, tx);
  if (row?.unknown != null) {
    const group = groups[Number(row.unknown) - 1];
    throw unknownGroup(group?.destinationId ?? "", group?.name ?? "");
  }
  const duplicates = new Set(split(row?.duplicates));
  return split(row?.positions).map((position, index) => ({
    status: duplicates.has(index + 1) ? "duplicate" : "stored",
    position,
  }));
}

function split(numbers: string | null | undefined): number[] {
  return numbers ? numbers.split(",").map(Number) : [];
}
