import type { Group } from "../ports.ts";
import { Sorted } from "./sorted.ts";

export interface Entry {
  id: string;
  /** Order of appending, over all groups. */
  seq: number;
  position: number;
  priority: number;
  items: number;
  payload: Uint8Array;
  createdAt: number;
  dueAt: number;
  dedupeMs: number;
  claims: number;
  progress: Uint8Array | undefined;
  place: "ready" | "waiting" | "claimed";
  /** The claim that took it last, kept after its lease so that it can still settle. */
  claim: OpenClaim | undefined;
}

export interface OpenClaim {
  id: string;
  group: GroupState;
  entries: Entry[];
  leaseUntil: number;
  state: "open" | "expired" | "settled" | "lost";
}

export interface Tenant {
  id: string;
  virtualTime: number;
  /** Claims so far; every fourth one takes the oldest. */
  turns: number;
  /** When its last turn was, counted in turns of all: breaks ties. */
  servedAt: number;
  groups: Set<GroupState>;
}

export interface GroupState {
  group: Group;
  tenant: Tenant;
  entries: Map<string, Entry>;
  /** Ready entries by priority, each lane by position. */
  ready: Sorted<Entry>[];
  /** Entries that wait for their own time: a retry. */
  waiting: Sorted<Entry>;
  /** The earliest time of a ready entry: before it the whole group lingers. */
  readyAt: number;
  holdUntil: number;
  paused: boolean;
  fence: number;
  claims: Set<OpenClaim>;
  /** Ids that have left and still answer "duplicate". */
  left: Map<string, { position: number; until: number }>;
  items: number;
  bytes: number;
}

const byPosition = (a: Entry, b: Entry) => a.position - b.position || a.seq - b.seq;
const byDueTime = (a: Entry, b: Entry) => a.dueAt - b.dueAt || a.seq - b.seq;

export function createGroup(group: Group, tenant: Tenant, fence: number): GroupState {
  return {
    group,
    tenant,
    entries: new Map(),
    ready: [0, 1, 2, 3].map(() => new Sorted(byPosition)),
    waiting: new Sorted(byDueTime),
    readyAt: Infinity,
    holdUntil: 0,
    paused: false,
    fence,
    claims: new Set(),
    left: new Map(),
    items: 0,
    bytes: 0,
  };
}

export function makeReady(group: GroupState, entry: Entry): void {
  entry.place = "ready";
  group.ready[entry.priority]?.add(entry);
  group.readyAt = Math.min(group.readyAt, entry.dueAt);
}

export function makeWait(group: GroupState, entry: Entry, dueAt: number): void {
  entry.place = "waiting";
  entry.dueAt = dueAt;
  group.waiting.add(entry);
}

/** Takes the entry out of its queue; it stays in `entries`. */
export function unqueue(group: GroupState, entry: Entry): void {
  if (entry.place === "ready") group.ready[entry.priority]?.delete(entry);
  if (entry.place === "waiting") group.waiting.delete(entry);
}

/** Entries whose own time is over join the ready ones. */
export function promote(group: GroupState, now: number): void {
  for (let entry = group.waiting.first(); entry && entry.dueAt <= now; entry = group.waiting.first()) {
    group.waiting.delete(entry);
    makeReady(group, entry);
  }
}

export function updateReadyAt(group: GroupState, now: number): void {
  group.readyAt = Infinity;
  for (const lane of group.ready) {
    for (const entry of lane) {
      group.readyAt = Math.min(group.readyAt, entry.dueAt);
      if (group.readyAt <= now) return;
    }
  }
}

/** When the group is due: at once or earlier if the answer is not after `now`. */
export function dueAt(group: GroupState, now: number): number {
  if (group.paused || group.entries.size === 0) return Infinity;
  const own = Math.min(group.readyAt, group.waiting.first()?.dueAt ?? Infinity);
  let at = Math.max(own, group.holdUntil);
  if (group.group.exclusive) {
    for (const claim of group.claims) if (claim.state === "open") at = Math.max(at, claim.leaseUntil);
    const barrier = positionBarrier(group, now);
    if (barrier && !firstByPosition(group, barrier)) at = Math.max(at, barrier.dueAt);
  }
  return at;
}

/** In an exclusive group: the waiting entry nothing may overtake. */
export function positionBarrier(group: GroupState, now: number): Entry | undefined {
  let barrier: Entry | undefined;
  for (const entry of group.waiting) {
    if (entry.dueAt > now && (!barrier || byPosition(entry, barrier) < 0)) barrier = entry;
  }
  return barrier;
}

function firstByPosition(group: GroupState, before: Entry): Entry | undefined {
  for (const lane of group.ready) {
    const entry = lane.first();
    if (entry && byPosition(entry, before) < 0) return entry;
  }
  for (const entry of group.waiting) if (byPosition(entry, before) < 0) return entry;
  return undefined;
}

/** Ready entries lane by lane: the lowest priority number first. */
export function* inPriorityOrder(group: GroupState): Iterable<Entry> {
  for (const lane of group.ready) yield* lane;
}

/** Ready entries by position whatever their priority, up to one that may not be overtaken. */
export function* inPositionOrder(group: GroupState, barrier: Entry | undefined): Iterable<Entry> {
  const lanes = group.ready.map((lane) => lane[Symbol.iterator]());
  const heads = lanes.map((lane) => lane.next());
  for (;;) {
    let best = -1;
    for (const [index, head] of heads.entries()) {
      const other = heads[best];
      if (!head.done && (!other || other.done || byPosition(head.value, other.value) < 0)) best = index;
    }
    const head = heads[best];
    const lane = lanes[best];
    if (!head || head.done || !lane) return;
    if (barrier && byPosition(barrier, head.value) < 0) return;
    yield head.value;
    heads[best] = lane.next();
  }
}

/** The oldest and the most urgent ready entry: what a group stands for when its tenant's turn comes. */
export function standsFor(group: GroupState, oldest: boolean): Entry | undefined {
  let best: Entry | undefined;
  for (const lane of group.ready) {
    const first = lane.first();
    if (!first) continue;
    if (!oldest) return first;
    if (!best || first.seq < best.seq) best = first;
  }
  return best;
}

/** As many as fit, at least one. One that was claimed five times without a settle comes alone. */
export function fill(candidates: Iterable<Entry>, o: { maxItems: number; maxBytes: number; strict: boolean }): Entry[] {
  const taken: Entry[] = [];
  let items = 0;
  let bytes = 0;
  for (const entry of candidates) {
    const alone = entry.claims >= 5;
    if (taken.length > 0) {
      if (alone && o.strict) break;
      if (alone) continue;
      if (items + entry.items > o.maxItems || bytes + entry.payload.byteLength > o.maxBytes) break;
    }
    taken.push(entry);
    items += entry.items;
    bytes += entry.payload.byteLength;
    if (alone) break;
  }
  return taken.sort(byPosition);
}
