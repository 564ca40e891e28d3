import type { DeadLetter, Outbox, Page, Target } from "../ports.ts";
import { type GroupState, updateReadyAt } from "./group.ts";
import { addDead, expireLeases, forget, isMeant, leave, lose, type OutboxState, targeted } from "./state.ts";

const NOTHING = new Uint8Array();

export function updatePaused(state: OutboxState, group: GroupState): void {
  group.paused = [...state.pauses.values()].some((pause) => isMeant(pause.target, group.group));
}

export function setPause(state: OutboxState, target: Target, reason: string, on: boolean): void {
  const key = JSON.stringify(
    "credentialId" in target ? [target.credentialId, reason] : [target.destinationId, target.group ?? null, reason],
  );
  if (on) state.pauses.set(key, { target: { ...target }, reason });
  else state.pauses.delete(key);
  for (const group of targeted(state, target)) updatePaused(state, group);
}

export function listDead(state: OutboxState, o: Parameters<Outbox["dead"]["list"]>[0], at: number): Page<DeadLetter> {
  const items: DeadLetter[] = [];
  const before = o.after === undefined ? Infinity : Number(o.after);
  for (const letter of [...state.dead.values()].reverse()) {
    if (letter.seq >= before || letter.group.group.destinationId !== o.destinationId) continue;
    if (o.reason !== undefined && letter.reason !== o.reason) continue;
    if (o.maxAgeMs !== undefined && at - letter.diedAt > o.maxAgeMs) continue;
    if (items.length === o.limit) return { items, after: items.at(-1)?.id ?? "" };
    const { seq: _, diedAt, group, ...rest } = letter;
    items.push({ ...rest, group: { ...group.group }, ageMs: at - diedAt });
  }
  return { items };
}

export function deleteDead(state: OutboxState, o: { destinationId: string; ids: string[] }): number {
  let deleted = 0;
  for (const id of o.ids) {
    const letter = state.dead.get(Number(id));
    if (letter?.group.group.destinationId === o.destinationId && state.dead.delete(letter.seq)) deleted++;
  }
  return deleted;
}

/** Unclaimed entries become dead letters whole. True when none is left. */
export function buryEntries(
  state: OutboxState,
  target: Target,
  reason: string,
  o: { olderThanMs?: number; limit: number },
  at: number,
): boolean {
  expireLeases(state, at);
  let buried = 0;
  for (const group of targeted(state, target)) {
    for (const entry of [...group.entries.values()]) {
      if (entry.place === "claimed") continue;
      if (o.olderThanMs !== undefined && at - entry.createdAt <= o.olderThanMs) continue;
      if (buried === o.limit) return false;
      lose(state, entry.claim);
      addDead(
        state,
        group,
        entry,
        { itemIndex: -1, reason, payload: entry.payload, detail: entry.progress ?? NOTHING },
        at,
      );
      leave(group, entry, at);
      updateReadyAt(group, at);
      buried++;
    }
  }
  return true;
}

export function expireDead(state: OutboxState, o: { deadOlderThanMs: number; limit: number }, at: number): boolean {
  let expired = 0;
  for (const letter of state.dead.values()) {
    if (at - letter.diedAt <= o.deadOlderThanMs) continue;
    if (expired === o.limit) return false;
    state.dead.delete(letter.seq);
    expired++;
  }
  return true;
}

/** Forgets a destination, a part per call. True when nothing is left. */
export function purgeDestination(state: OutboxState, destinationId: string, limit: number, at: number): boolean {
  let removed = 0;
  for (const [key, group] of state.groups) {
    if (group.group.destinationId !== destinationId) continue;
    for (const entry of [...group.entries.values()]) {
      if (removed === limit) return false;
      lose(state, entry.claim);
      forget(group, entry);
      updateReadyAt(group, at);
      removed++;
    }
    for (const letter of [...state.dead.values()]) {
      if (letter.group !== group) continue;
      if (removed === limit) return false;
      state.dead.delete(letter.seq);
      removed++;
    }
    group.tenant.groups.delete(group);
    state.groups.delete(key);
  }
  for (const [key, { target }] of state.pauses) {
    if ("destinationId" in target && target.destinationId === destinationId) state.pauses.delete(key);
  }
  return true;
}
