import type { Depth } from "../ports.ts";
import type { Engine } from "./engine.ts";
import type { Places } from "./places.ts";
import { together } from "./together.ts";

/** Destinations of one call: a few milliseconds of Redis's one thread. */
const PAGE = 200;

type Row = [
  destination: Buffer,
  entries: number,
  items: number,
  bytes: number,
  age: number,
  reasons: Buffer[],
  dead: Buffer[],
];

/** Counts are kept by every call, so they are exact. */
export function depths(engine: Engine, places: Places): (destinationIds?: string[]) => Promise<Depth[]> {
  const ofSome = together(async (questions: readonly string[][]) => {
    const found = new Map((await read([...new Set(questions.flat())])).map((depth) => [depth.destinationId, depth]));
    return questions.map((ids) => [...new Set(ids)].flatMap((id) => found.get(id) ?? []));
  });
  return (destinationIds) => (destinationIds ? ofSome(destinationIds) : read(undefined));

  async function read(destinationIds: string[] | undefined): Promise<Depth[]> {
    const found: Depth[] = [];
    for (const [number, ids] of await byPartition(engine, places, destinationIds)) {
      for (let from = 0; from < ids.length; from += PAGE) {
        const page = ids.slice(from, from + PAGE);
        const rows = (await engine.run("depth", engine.partition("outbox", number), page)) as Row[];
        found.push(...rows.map(readDepth));
      }
    }
    return found;
  }
}

async function byPartition(
  engine: Engine,
  places: Places,
  destinationIds: string[] | undefined,
): Promise<Map<number, string[]>> {
  const parts = new Map<number, string[]>();
  if (!destinationIds) {
    for (const number of engine.numbers) {
      const all = (await engine.run("destinations", engine.partition("outbox", number), [])) as Buffer[];
      parts.set(
        number,
        all.map((id) => id.toString()),
      );
    }
    return parts;
  }
  const placeOf = await places.find(destinationIds);
  for (const id of new Set(destinationIds)) {
    const number = placeOf(id);
    if (number !== undefined) parts.set(number, [...(parts.get(number) ?? []), id]);
  }
  return parts;
}

function readDepth([destination, entries, items, bytes, oldestAgeMs, reasons, counts]: Row): Depth {
  const dead: Record<string, number> = {};
  for (let at = 0; at < counts.length; at += 2) dead[String(counts[at])] = Number(counts[at + 1]);
  return {
    destinationId: destination.toString(),
    entries,
    items,
    bytes,
    oldestAgeMs,
    paused: [...new Set(reasons.map(String))].sort(),
    dead,
  };
}
