import type { DeadLetter, Group, Target } from "../ports.ts";
import { type Entry, type GroupState, makeWait, type OpenClaim, type Tenant, unqueue } from "./group.ts";

export interface Dead extends Omit<DeadLetter, "ageMs" | "group"> {
  seq: number;
  diedAt: number;
  group: GroupState;
}

/** All an outbox in memory knows. */
export interface OutboxState {
  tenants: Map<string, Tenant>;
  groups: Map<string, GroupState>;
  /** The last fence of every group there ever was. */
  fences: Map<string, number>;
  claims: Map<string, OpenClaim>;
  dead: Map<number, Dead>;
  pauses: Map<string, { target: Target; reason: string }>;
  lastSeq: number;
  lastDead: number;
  /** Turns of all tenants so far. */
  turn: number;
  /** Virtual time of the last turn. */
  virtualFloor: number;
}

export function createState(): OutboxState {
  return {
    tenants: new Map(),
    groups: new Map(),
    fences: new Map(),
    claims: new Map(),
    dead: new Map(),
    pauses: new Map(),
    lastSeq: 0,
    lastDead: 0,
    turn: 0,
    virtualFloor: 0,
  };
}

export function groupKey(group: Pick<Group, "destinationId" | "name">): string {
  return JSON.stringify([group.destinationId, group.name]);
}

export function isMeant(target: Target, group: Group): boolean {
  if ("credentialId" in target) return target.credentialId === group.credentialId;
  return target.destinationId === group.destinationId && (target.group === undefined || target.group === group.name);
}

export function targeted(state: OutboxState, target: Target): GroupState[] {
  return [...state.groups.values()].filter(({ group }) => isMeant(target, group));
}

/** Leases that ran out: their entries are claimable again, the claim may still settle until one of them is taken. */
export function expireLeases(state: OutboxState, at: number): void {
  for (const claim of state.claims.values()) {
    if (claim.leaseUntil > at) continue;
    if (claim.state === "settled") state.claims.delete(claim.id);
    if (claim.state !== "open") continue;
    claim.state = "expired";
    for (const entry of claim.entries) makeWait(claim.group, entry, claim.leaseUntil);
  }
}

/** From now on the claim can neither settle nor be extended. */
export function lose(state: OutboxState, claim: OpenClaim | undefined): void {
  if (!claim || claim.state === "settled") return;
  claim.state = "lost";
  claim.group.claims.delete(claim);
  state.claims.delete(claim.id);
}

/** The entry is gone; its id still answers "duplicate" for the time it asked for. */
export function leave(group: GroupState, entry: Entry, at: number): void {
  forget(group, entry);
  if (entry.dedupeMs > 0) group.left.set(entry.id, { position: entry.position, until: at + entry.dedupeMs });
  // Swept from the front, faster than they come, so that the map cannot grow without bound.
  let swept = 0;
  for (const [id, gone] of group.left) {
    if (gone.until > at || ++swept > 4) break;
    group.left.delete(id);
  }
}

export function forget(group: GroupState, entry: Entry): void {
  unqueue(group, entry);
  group.entries.delete(entry.id);
  group.items -= entry.items;
  group.bytes -= entry.payload.byteLength;
}

export function addDead(
  state: OutboxState,
  group: GroupState,
  entry: Entry,
  item: { itemIndex: number; reason: string; payload: Uint8Array; detail: Uint8Array },
  at: number,
): void {
  const seq = ++state.lastDead;
  state.dead.set(seq, {
    id: String(seq),
    seq,
    entryId: entry.id,
    itemIndex: item.itemIndex,
    group,
    reason: item.reason,
    diedAt: at,
    claims: entry.claims,
    position: entry.position,
    payload: item.payload.slice(),
    detail: item.detail.slice(),
  });
}
