import { unknownGroup } from "../errors.ts";
import type { Appended, NewEntry } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { Frame, whole } from "./frame.ts";
import { groupKey } from "./groups.ts";
import type { Places } from "./places.ts";

/** One script a partition: all of its entries or none. */
export async function appendEntries(engine: Engine, places: Places, entries: readonly NewEntry[]): Promise<Appended[]> {
  if (engine.options.partitions === 1) return script(engine, 0, entries);
  // Before the first wait: what the caller does with its bytes afterwards changes nothing.
  const copies = entries.map((entry) => ({ ...entry, payload: entry.payload.slice() }));
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
      const part = indices.map((index) => copies[index] as NewEntry);
      const appended = await script(engine, number, part);
      for (const [at, index] of indices.entries()) answers[index] = appended[at] as Appended;
    }),
  );
  return answers;
}

async function script(engine: Engine, number: number, entries: readonly NewEntry[]): Promise<Appended[]> {
  const groups = new Map<string, number>();
  /** Entries by id within their group, and for each entry which of those it is: an id that comes twice is sent once. */
  const known = new Map<string, number>();
  const places: number[] = [];
  const sent: NewEntry[] = [];
  const frame = new Frame();
  for (const entry of entries) {
    const { id, payload, priority, items, delayMs = 0, position = "-", dedupeMs = 0 } = entry;
    const key = groupKey(entry.group);
    const group = groups.get(key) ?? groups.size + 1;
    groups.set(key, group);
    const name = `${group} ${id}`;
    const place = known.get(name) ?? sent.length;
    places.push(place);
    if (place < sent.length) continue;
    known.set(name, place);
    sent.push(entry);
    const sizes = `${Buffer.byteLength(id)} ${payload.byteLength}`;
    frame.add(`${group} ${sizes} ${whole(delayMs)} ${position} ${priority} ${items} ${whole(dedupeMs)}\n`, id, payload);
  }
  const args = [frame.bytes(`${sent.length}\n`), ...groups.keys()];
  const answer = (await engine.run("append", engine.partition("outbox", number), args)) as Buffer | number;
  if (typeof answer === "number") {
    const key = [...groups.keys()][answer];
    const { group } = entries.find((entry) => groupKey(entry.group) === key) ?? (entries[0] as NewEntry);
    throw unknownGroup(group.destinationId, group.name);
  }
  const [first = "", ...duplicates] = answer.toString("latin1").split("\n");
  const before = new Map(duplicates.map((line) => line.split(" ").map(Number) as [number, number]));
  const answered = new Set<number>();
  return places.map((place) => {
    const position = before.get(place) ?? sent[place]?.position ?? Number(first) + place;
    const again = before.has(place) || answered.has(place);
    answered.add(place);
    return { status: again ? "duplicate" : "stored", position };
  });
}
