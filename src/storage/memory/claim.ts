import type { Claim, Outbox } from "../ports.ts";
import {
  dueAt,
  type Entry,
  fill,
  type GroupState,
  inPositionOrder,
  inPriorityOrder,
  type OpenClaim,
  positionBarrier,
  promote,
  standsFor,
  type Tenant,
  unqueue,
  updateReadyAt,
} from "./group.ts";
import { expireLeases, groupKey, lose, type OutboxState } from "./state.ts";

export function claimEntries(state: OutboxState, o: Parameters<Outbox["claim"]>[0], at: number): Claim | undefined {
  expireLeases(state, at);
  const isDue = (group: GroupState) => !o.skipCredentials?.includes(group.group.credentialId) && dueAt(group, at) <= at;
  const tenant = nextTenant(state, isDue);
  if (!tenant) return undefined;
  const oldest = tenant.turns % 4 === 3;
  const group = nextGroup(tenant, isDue, oldest, at);
  if (!group) return undefined;

  const strict = group.group.exclusive;
  const barrier = strict ? positionBarrier(group, at) : undefined;
  const candidates = strict || oldest ? inPositionOrder(group, barrier) : inPriorityOrder(group);
  const entries = fill(candidates, { ...o, strict });
  const claim = take(state, group, entries, at + o.leaseMs);
  updateReadyAt(group, at);
  countTurn(state, tenant);
  return {
    id: claim.id,
    fence: group.fence,
    group: { ...group.group },
    entries: entries.map((entry) => ({
      id: entry.id,
      payload: entry.payload.slice(),
      items: entry.items,
      position: entry.position,
      claims: entry.claims,
      ageMs: at - entry.createdAt,
      ...(entry.progress ? { progress: entry.progress.slice() } : {}),
    })),
  };
}

/** Of the tenants with a due entry the one with the smallest virtual time; of equals the one served longest ago. */
function nextTenant(state: OutboxState, isDue: (group: GroupState) => boolean): Tenant | undefined {
  let best: Tenant | undefined;
  for (const tenant of state.tenants.values()) {
    if (best && (tenant.virtualTime - best.virtualTime || tenant.servedAt - best.servedAt) >= 0) continue;
    for (const group of tenant.groups) {
      if (!isDue(group)) continue;
      best = tenant;
      break;
    }
  }
  return best;
}

/** The group of the tenant's most urgent or oldest due entry. */
function nextGroup(
  tenant: Tenant,
  isDue: (group: GroupState) => boolean,
  oldest: boolean,
  at: number,
): GroupState | undefined {
  let best: { group: GroupState; entry: Entry } | undefined;
  for (const group of tenant.groups) {
    if (!isDue(group)) continue;
    promote(group, at);
    const entry = standsFor(group, oldest);
    if (!entry) continue;
    const order = best ? (oldest ? 0 : entry.priority - best.entry.priority) || entry.seq - best.entry.seq : -1;
    if (order < 0) best = { group, entry };
  }
  return best?.group;
}

function take(state: OutboxState, group: GroupState, entries: Entry[], leaseUntil: number): OpenClaim {
  // A claim whose entry is taken by this one, in an exclusive group every other claim, can no longer settle.
  if (group.group.exclusive) for (const other of [...group.claims]) lose(state, other);
  for (const entry of entries) lose(state, entry.claim);
  group.fence++;
  state.fences.set(groupKey(group.group), group.fence);
  const id = `${groupKey(group.group)}#${group.fence}`;
  const claim: OpenClaim = { id, group, entries, leaseUntil, state: "open" };
  for (const entry of entries) {
    unqueue(group, entry);
    entry.place = "claimed";
    entry.claim = claim;
    entry.claims++;
  }
  state.claims.set(id, claim);
  group.claims.add(claim);
  return claim;
}

/** One turn more. A tenant that was away starts where the others are, not where it left. */
function countTurn(state: OutboxState, tenant: Tenant): void {
  state.virtualFloor = Math.max(state.virtualFloor, tenant.virtualTime);
  tenant.virtualTime = state.virtualFloor + 1;
  tenant.turns++;
  tenant.servedAt = ++state.turn;
}
