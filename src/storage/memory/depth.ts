import type { Depth } from "../ports.ts";
import { isMeant, type OutboxState } from "./state.ts";

export function depths(state: OutboxState, destinationIds: readonly string[] | undefined, at: number): Depth[] {
  const found = new Map<string, Depth>();
  const depthOf = (destinationId: string): Depth | undefined => {
    if (destinationIds && !destinationIds.includes(destinationId)) return undefined;
    const known = found.get(destinationId);
    if (known) return known;
    const empty = { destinationId, entries: 0, items: 0, bytes: 0, oldestAgeMs: 0, paused: [], dead: {} };
    found.set(destinationId, empty);
    return empty;
  };
  for (const group of state.groups.values()) {
    const depth = depthOf(group.group.destinationId);
    if (!depth) continue;
    depth.entries += group.entries.size;
    depth.items += group.items;
    depth.bytes += group.bytes;
    // A Map keeps the order of adding: the first entry is the oldest.
    const [oldest] = group.entries.values();
    if (oldest) depth.oldestAgeMs = Math.max(depth.oldestAgeMs, at - oldest.createdAt);
    const reasons = [...state.pauses.values()].filter(({ target }) => isMeant(target, group.group));
    depth.paused = [...new Set([...depth.paused, ...reasons.map(({ reason }) => reason)])].sort();
  }
  for (const letter of state.dead.values()) {
    const depth = depthOf(letter.group.group.destinationId);
    if (depth) depth.dead[letter.reason] = (depth.dead[letter.reason] ?? 0) + 1;
  }
  return [...found.values()];
}
