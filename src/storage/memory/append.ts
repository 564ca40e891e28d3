import { checkGroup } from "../checks.ts";
import { unknownGroup } from "../errors.ts";
import type { Appended, Group, NewEntry } from "../ports.ts";
import { createGroup, type Entry, type GroupState, makeReady, type Tenant } from "./group.ts";
import { updatePaused } from "./keeping.ts";
import { groupKey, type OutboxState } from "./state.ts";

export function openGroup(state: OutboxState, group: Group): void {
  checkGroup(group);
  const key = groupKey(group);
  const tenant = openTenant(state, group.tenantId);
  const open = state.groups.get(key) ?? createGroup({ ...group }, tenant, state.fences.get(key) ?? 0);
  state.groups.set(key, open);
  open.tenant.groups.delete(open);
  tenant.groups.add(open);
  open.tenant = tenant;
  open.group = { ...group };
  updatePaused(state, open);
}

function openTenant(state: OutboxState, id: string): Tenant {
  const tenant = state.tenants.get(id) ?? { id, virtualTime: 0, turns: 0, servedAt: 0, groups: new Set<GroupState>() };
  state.tenants.set(id, tenant);
  return tenant;
}

export function appendEntries(state: OutboxState, entries: readonly NewEntry[], at: number): Appended[] {
  const groups = entries.map((entry) => {
    const group = state.groups.get(groupKey(entry.group));
    if (!group) throw unknownGroup(entry.group.destinationId, entry.group.name);
    return group;
  });
  return entries.map((entry, index) => appendEntry(state, groups[index] as GroupState, entry, at));
}

function appendEntry(state: OutboxState, group: GroupState, entry: NewEntry, at: number): Appended {
  const stored = group.entries.get(entry.id);
  if (stored) return { status: "duplicate", position: stored.position };
  const gone = group.left.get(entry.id);
  if (gone && gone.until > at) return { status: "duplicate", position: gone.position };
  const seq = ++state.lastSeq;
  const added: Entry = {
    id: entry.id,
    seq,
    position: entry.position ?? seq,
    priority: entry.priority,
    items: entry.items,
    payload: entry.payload.slice(),
    createdAt: at,
    dueAt: at + (entry.delayMs ?? 0),
    dedupeMs: entry.dedupeMs ?? 0,
    claims: 0,
    progress: undefined,
    place: "ready",
    claim: undefined,
  };
  group.entries.set(added.id, added);
  group.items += added.items;
  group.bytes += added.payload.byteLength;
  makeReady(group, added);
  return { status: "stored", position: added.position };
}
