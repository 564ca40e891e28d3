import type { Group, Target } from "../ports.ts";

/** An entry without its payload. */
export interface EntryState {
  id: string;
  /** Of the payload's record. */
  key: string;
  /** Orders entries of all groups by age: milliseconds, with a fraction for what came in the same one. */
  order: number;
  position: number;
  priority: number;
  items: number;
  bytes: number;
  createdAt: number;
  dueAt: number;
  dedupeMs: number;
  claims: number;
  place: "ready" | "waiting" | "claimed";
  /** Fence of the claim that took it last, kept after its lease so that it can still settle. */
  fence?: number;
  /** Base64. */
  progress?: string;
}

export interface ClaimState {
  fence: number;
  until: number;
  state: "open" | "expired" | "settled";
  /** Keys of dead letters it wrote: visible because they stand here, until they say so themselves. */
  dead?: string[];
}

/** All a group is, in one record: whoever writes it at the version read has changed it alone. */
export interface GroupState {
  group: Group;
  /** The last position given. */
  position: number;
  fence: number;
  holdUntil: number;
  /** Reasons with the kind of their target in front. */
  paused: string[];
  /** In the order of appending. */
  entries: EntryState[];
  claims: ClaimState[];
  /** Dead letters by reason. */
  dead: [reason: string, count: number][];
}

export const ALONE_AFTER = 5;

export function emptyGroup(group: Group, from: { fence: number; position: number }): GroupState {
  return { group, ...from, holdUntil: 0, paused: [], entries: [], claims: [], dead: [] };
}

export function isMeant(target: Target, group: Group): boolean {
  if ("credentialId" in target) return target.credentialId === group.credentialId;
  return target.destinationId === group.destinationId && (target.group === undefined || target.group === group.name);
}

export const byPosition = (a: EntryState, b: EntryState): number => a.position - b.position || a.order - b.order;
const byLane = (a: EntryState, b: EntryState): number => a.priority - b.priority || byPosition(a, b);

/** Leases that ran out: their entries are claimable again, the claim may still settle until one of them is taken. */
export function expireLeases(state: GroupState, at: number): void {
  for (const claim of state.claims) {
    if (claim.until > at || claim.state !== "open") continue;
    claim.state = "expired";
    for (const entry of state.entries) {
      if (entry.fence !== claim.fence) continue;
      entry.place = "waiting";
      entry.dueAt = claim.until;
    }
  }
}

/** What a claim may take now, if the group is due. */
export function claimable(state: GroupState, at: number): EntryState[] {
  if (dueAt(state, at) > at) return [];
  return candidates(state, at);
}

/** When a claim may take something; Infinity if nothing but a call can make it so. */
export function dueAt(state: GroupState, at: number): number {
  if (state.paused.length > 0) return Infinity;
  let own = Infinity;
  for (const entry of state.entries) if (entry.place !== "claimed") own = Math.min(own, entry.dueAt);
  let due = Math.max(own, state.holdUntil);
  for (const claim of state.claims) {
    if (claim.state !== "open") continue;
    // A lease that runs out makes its entries due.
    if (state.group.exclusive) due = Math.max(own === Infinity ? claim.until : due, claim.until);
    else due = Math.min(due, Math.max(claim.until, state.holdUntil));
  }
  if (due <= at && state.group.exclusive && candidates(state, at).length === 0) {
    return Math.max(due, barrier(state, at)?.dueAt ?? Infinity);
  }
  return due;
}

/** In an exclusive group: the waiting entry that nothing may overtake. */
function barrier(state: GroupState, at: number): EntryState | undefined {
  let first: EntryState | undefined;
  for (const entry of state.entries) {
    if (entry.place === "waiting" && entry.dueAt > at && (!first || byPosition(entry, first) < 0)) first = entry;
  }
  return first;
}

/** Ready entries, and those whose own time is over; of an exclusive group those that overtake nothing. */
function candidates(state: GroupState, at: number): EntryState[] {
  const open = state.entries.filter(({ place, dueAt }) => place === "ready" || (place === "waiting" && dueAt <= at));
  const before = state.group.exclusive ? barrier(state, at) : undefined;
  return before ? open.filter((entry) => byPosition(entry, before) < 0) : open;
}

/** As many as fit, at least one. One that was claimed five times without a settle comes alone. */
export function fill(
  found: EntryState[],
  o: { maxItems: number; maxBytes: number; strict: boolean; oldest: boolean },
): EntryState[] {
  const taken: EntryState[] = [];
  let items = 0;
  let bytes = 0;
  for (const entry of found.sort(o.strict || o.oldest ? byPosition : byLane)) {
    const alone = entry.claims >= ALONE_AFTER;
    if (taken.length > 0) {
      if (alone && o.strict) break;
      if (alone) continue;
      if (items + entry.items > o.maxItems || bytes + entry.bytes > o.maxBytes) break;
    }
    taken.push(entry);
    items += entry.items;
    bytes += entry.bytes;
    if (alone) break;
  }
  return taken.sort(byPosition);
}

/** From now on claims of these fences can neither settle nor be extended. */
export function lose(state: GroupState, fences: ReadonlySet<number | undefined>): void {
  state.claims = state.claims.filter((claim) => claim.state === "settled" || !fences.has(claim.fence));
}

/** The claim, if no other has taken what it holds; its lease may be over. */
export function owned(state: GroupState, fence: number): ClaimState | undefined {
  return state.claims.find((claim) => claim.fence === fence && claim.state !== "settled");
}

export function backToReady(entry: EntryState, at: number): void {
  entry.place = "ready";
  entry.dueAt = Math.min(entry.dueAt, at);
  delete entry.fence;
}

export function countDead(state: GroupState, reason: string, by: number): void {
  const known = state.dead.find(([name]) => name === reason);
  if (known) known[1] = Math.max(0, known[1] + by);
  else if (by > 0) state.dead.push([reason, by]);
  state.dead = state.dead.filter(([, count]) => count > 0);
}
