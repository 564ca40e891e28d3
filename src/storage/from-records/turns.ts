import { claimable, dueAt, expireLeases, type GroupState } from "./group.ts";

interface Tenant {
  virtualTime: number;
  turns: number;
  servedAt: number;
}

/** A group that a claim may take from, and how. */
export interface Turn {
  group: GroupState["group"];
  oldest: boolean;
  /** The turn was not used. */
  giveBack(): void;
}

/**
 * Whose turn it is. Kept in each process: a record that every claim of every process changes would be the slowest part.
 * Processes that serve the same tenants give each of them the same number of turns, so their sum does, too.
 */
export function createTurns() {
  const tenants = new Map<string, Tenant>();
  let floor = 0;
  let turn = 0;

  const tenantOf = (id: string): Tenant => {
    // Where nobody was served yet, no name goes before another.
    const tenant = tenants.get(id) ?? { virtualTime: 0, turns: 0, servedAt: Math.random() - 1 };
    tenants.set(id, tenant);
    return tenant;
  };

  /** Of the tenants with a due entry the one with the smallest virtual time; in it the most urgent or oldest entry's group. */
  function next(states: Iterable<GroupState>, at: number, skip: ReadonlySet<string>): Turn | undefined {
    const due = new Map<string, GroupState[]>();
    for (const state of states) {
      if (skip.has(state.group.credentialId) || state.entries.length === 0) continue;
      expireLeases(state, at);
      if (dueAt(state, at) > at) continue;
      const own = due.get(state.group.tenantId);
      if (own) own.push(state);
      else due.set(state.group.tenantId, [state]);
    }
    let best: { tenant: Tenant; groups: GroupState[] } | undefined;
    for (const [id, groups] of due) {
      const tenant = tenantOf(id);
      const order = best ? tenant.virtualTime - best.tenant.virtualTime || tenant.servedAt - best.tenant.servedAt : -1;
      if (order < 0) best = { tenant, groups };
    }
    if (!best) return undefined;
    const { tenant } = best;
    const oldest = tenant.turns % 4 === 3;
    const group = mostUrgent(best.groups, at, oldest);
    if (!group) return undefined;
    count(tenant);
    return {
      group: group.group,
      oldest,
      giveBack() {
        tenant.virtualTime--;
        tenant.turns--;
      },
    };
  }

  /** One turn more. A tenant that was away starts where the others are, not where it left. */
  function count(tenant: Tenant): void {
    floor = Math.max(floor, tenant.virtualTime);
    tenant.virtualTime = floor + 1;
    tenant.turns++;
    tenant.servedAt = ++turn;
  }

  return {
    next,
    giveBack(tenantId: string) {
      const tenant = tenantOf(tenantId);
      tenant.virtualTime--;
      tenant.turns--;
    },
  };
}

function mostUrgent(groups: readonly GroupState[], at: number, oldest: boolean): GroupState | undefined {
  let best: { state: GroupState; priority: number; order: number } | undefined;
  for (const state of groups) {
    for (const { priority, order } of claimable(state, at)) {
      const before = best ? (oldest ? 0 : priority - best.priority) || order - best.order : -1;
      if (before < 0) best = { state, priority, order };
    }
  }
  return best?.state;
}
