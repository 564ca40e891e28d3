import { escapeText, unescapeText } from "../escape.ts";
import type { Depth } from "../ports.ts";
import type { Connection } from "./connection.ts";
import { reasonsOf } from "./groups.ts";
import type { Statements } from "./statements.ts";
import type { GroupRow } from "./transaction.ts";

/** Counts are kept per group by every call, so they are exact; only the oldest age is looked up. */
export function depths(connection: Connection): (destinationIds?: string[]) => Promise<Depth[]> {
  return (destinationIds) =>
    connection.read((sql, at) => {
      const found = new Map<string, Depth>();
      for (const row of groupRows(sql, destinationIds)) {
        const destinationId = unescapeText(row.destination);
        const depth = found.get(destinationId) ?? empty(destinationId);
        found.set(destinationId, depth);
        depth.entries += row.entries;
        depth.items += row.items;
        depth.bytes += row.bytes;
        if (row.entries > 0) depth.oldestAgeMs = Math.max(depth.oldestAgeMs, at - oldest(sql, row.gid, at));
        depth.paused = [...new Set([...depth.paused, ...reasonsOf({ sql }, row)])].sort();
      }
      const withDead =
        destinationIds?.map(escapeText) ??
        sql.all<{ destination: string }>("deadDestinations").map((row) => row.destination);
      for (const destination of withDead) {
        const counts = sql.all<{ reason: string; count: number }>("countDead", destination);
        if (counts.length === 0) continue;
        const destinationId = unescapeText(destination);
        const depth = found.get(destinationId) ?? empty(destinationId);
        found.set(destinationId, depth);
        for (const { reason, count } of counts) depth.dead[unescapeText(reason)] = count;
      }
      return [...found.values()];
    });
}

function groupRows(sql: Statements, destinationIds: string[] | undefined): GroupRow[] {
  const gids = destinationIds
    ? destinationIds.flatMap((id) => sql.all<{ gid: number }>("groupsOfDestination", escapeText(id)))
    : sql.all<{ gid: number }>("groupsAll");
  return gids.flatMap(({ gid }) => sql.get<GroupRow>("groupByGid", gid) ?? []);
}

function oldest(sql: Statements, gid: number, at: number): number {
  let oldest = sql.get<{ created_at: number | null }>("oldestWaiting", gid)?.created_at ?? at;
  for (let priority = 0; priority < 4; priority++) {
    oldest = Math.min(oldest, sql.get<{ created_at: number }>("firstOfPriority", gid, priority)?.created_at ?? at);
  }
  for (const claim of sql.all<{ state: number; oldest_at: number }>("claimsOfGroup", gid)) {
    if (claim.state === 0) oldest = Math.min(oldest, claim.oldest_at);
  }
  return oldest;
}

function empty(destinationId: string): Depth {
  return { destinationId, entries: 0, items: 0, bytes: 0, oldestAgeMs: 0, paused: [], dead: {} };
}
