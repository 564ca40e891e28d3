import { unknownGroup } from "../errors.ts";
import type { Appended, NewEntry } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { Frame, whole } from "./frame.ts";
import { groupKey } from "./groups.ts";
import type { Places } from "./places.ts";

/** One script a partition: all of its entries or none. */
export async function appendEntries(engine: Engine, places: Places, entries: readonly NewEntry[]): Promise<Appended[]> {
  // Before the first wait: what the caller does with its bytes afterwards changes nothing.
  const copies = engine.options.partitions === 1 ? undefined : entries.map(copied);
  const single = copies ? undefined : script(engine, 0, entries);
  if (single) return single;
  const placeOf = await places.find(entries.map(({ group }) => group.destinationId));
  const parts = new Map<number, number[]>();
  for (const [index, { group }] of entries.entries()) {
    const number = placeOf(group.destinationId);
    if (number === undefined) throw unknownGroup(group.destinationId, group.name);
    parts.set(number, [...(parts.get(number) ?? []), index]);
  }
  const answers: Appended[] = [];
  await Promise.all(
    [...parts].map(async ([number, indices]) => {
      const part = indices.map((index) => (copies ?? entries)[index] as NewEntry);
      const appended = await script(engine, number, part);
      for (const [at, index] of indices.entries()) answers[index] = appended[at] as Appended;
    }),
  );
  return answers;
}

const copied = (entry: NewEntry): NewEntry => ({ ...entry, payload: entry.payload.slice() });

async function script(engine: Engine, number: number, entries: readonly NewEntry[]): Promise<Appended[]> {
  const groups = new Map<string, number>();
  const frame = new Frame();
  frame.add(`${entries.length}\n`);
  for (const { group, id, priority, items, delayMs = 0, position = "-", dedupeMs = 0, payload } of entries) {
    const key = groupKey(group);
    const place = groups.get(key) ?? groups.size + 1;
    groups.set(key, place);
    const sizes = `${Buffer.byteLength(id)} ${payload.byteLength}`;
    frame.add(`${place} ${sizes} ${whole(delayMs)} ${position} ${priority} ${items} ${whole(dedupeMs)}\n`, id, payload);
  }
  const args = [frame.bytes(), ...groups.keys()];
  const answer = (await engine.run("append", engine.partition("outbox", number), args)) as Buffer | number;
  if (typeof answer === "number") {
    const key = [...groups.keys()][answer];
    const { group } = entries.find((entry) => groupKey(entry.group) === key) ?? (entries[0] as NewEntry);
    throw unknownGroup(group.destinationId, group.name);
  }
  return answer
    .toString("latin1")
    .split("\n")
    .map((line) => ({ status: line.startsWith("1") ? "stored" : "duplicate", position: Number(line.slice(2)) }));
}
