import { escapeText, unescapeText } from "../escape.ts";
import type { Depth, Outbox } from "../ports.ts";
import type { Database } from "./database.ts";
import { textList } from "./lists.ts";

interface Row {
  destination: string;
  entries: unknown;
  items: unknown;
  bytes: unknown;
  oldest_ms: unknown;
  paused: unknown;
  dead: unknown;
}

/**
 * A call that tracks for 500 destinations asks for the depth of each: what is asked for at the same moment is one
 * query.
 */
export function depths(db: Database): Outbox["depth"] {
  let asked: { ids: Set<string>; answer: Promise<Map<string, Depth>> } | undefined;

  const together = (ids: readonly string[]): Promise<Map<string, Depth>> => {
    if (!asked) {
      const batch = new Set<string>();
      const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        asked = undefined;
        return read([...batch]);
      });
      asked = { ids: batch, answer };
    }
    for (const id of ids) asked.ids.add(id);
    return asked.answer;
  };

  const read = async (ids: readonly string[] | undefined): Promise<Map<string, Depth>> => {
    const rows = await db.call<Row>("outbox_depth", [db.clock(), ids ? textList(ids.map(escapeText)) : null]);
    return new Map(rows.map((row) => [unescapeText(row.destination), depthOf(row)]));
  };

  return async (destinationIds) => {
    if (!destinationIds) return [...(await read(undefined)).values()];
    const found = await together(destinationIds);
    return destinationIds.flatMap((id) => found.get(id) ?? []);
  };
}

function depthOf(row: Row): Depth {
  const paused = row.paused as string[];
  const dead = (typeof row.dead === "string" ? JSON.parse(row.dead) : row.dead) as Record<string, number>;
  return {
    destinationId: unescapeText(row.destination),
    entries: Number(row.entries),
    items: Number(row.items),
    bytes: Number(row.bytes),
    oldestAgeMs: Number(row.oldest_ms),
    paused: paused.map(unescapeText).sort(),
    dead: Object.fromEntries(Object.entries(dead).map(([reason, count]) => [unescapeText(reason), Number(count)])),
  };
}
