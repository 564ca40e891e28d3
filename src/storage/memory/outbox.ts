import { checkEntries, checkGroup, outcomesById } from "../checks.ts";
import { missingTransactions, unknownGroup } from "../errors.ts";
import type { Claim, DeadLetter, Depth, Group, NewEntry, Outbox, Target } from "../ports.ts";
import {
  createGroup,
  dueAt,
  type Entry,
  fill,
  type GroupState,
  inPositionOrder,
  inPriorityOrder,
  makeReady,
  makeWait,
  type OpenClaim,
  positionBarrier,
  promote,
  standsFor,
  type Tenant,
  unqueue,
  updateReadyAt,
} from "./group.ts";

interface Dead extends Omit<DeadLetter, "ageMs" | "group"> {
  seq: number;
  diedAt: number;
  group: GroupState;
}

interface Pause {
  target: Target;
  reason: string;
}

const pauseKey = (target: Target, reason: string) =>
  JSON.stringify(
    "credentialId" in target ? [target.credentialId, reason] : [target.destinationId, target.group ?? null, reason],
  );

const groupKey = (group: Pick<Group, "destinationId" | "name">) => JSON.stringify([group.destinationId, group.name]);

/** The outbox in memory: the port's rules in their plainest form. Nothing survives the process. */
export function memoryOutbox(now: () => number, o: { name: string; maxEntryBytes: number }): Outbox {
  const tenants = new Map<string, Tenant>();
  const groups = new Map<string, GroupState>();
  const fences = new Map<string, number>();
  const claims = new Map<string, OpenClaim>();
  const dead = new Map<number, Dead>();
  const pauses = new Map<string, Pause>();
  const waiters = new Set<() => void>();
  let lastSeq = 0;
  let lastDead = 0;
  let turn = 0;
  let virtualFloor = 0;
  let changes = 0;
  let emptyAt = { changes: -1, now: 0 };

  const wake = () => {
    changes++;
    for (const waiter of [...waiters]) waiter();
  };

  const matches = (target: Target, group: Group) =>
    "credentialId" in target
      ? target.credentialId === group.credentialId
      : target.destinationId === group.destinationId && (target.group === undefined || target.group === group.name);

  const targeted = (target: Target) => [...groups.values()].filter((state) => matches(target, state.group));

  const updatePaused = (state: GroupState) => {
    state.paused = [...pauses.values()].some((pause) => matches(pause.target, state.group));
  };

  const openGroup = (group: Group) => {
    checkGroup(group);
    const key = groupKey(group);
    const tenant = tenants.get(group.tenantId) ?? {
      id: group.tenantId,
      virtualTime: 0,
      turns: 0,
      servedAt: 0,
      groups: new Set<GroupState>(),
    };
    tenants.set(tenant.id, tenant);
    let state = groups.get(key);
    if (!state) {
      state = createGroup({ ...group }, tenant, fences.get(key) ?? 0);
      groups.set(key, state);
    }
    state.tenant.groups.delete(state);
    tenant.groups.add(state);
    state.tenant = tenant;
    state.group = { ...group };
    updatePaused(state);
  };

  /** Leases that ran out: the entries are claimable again, the claim may still settle until one of them is taken. */
  const reap = (at: number) => {
    for (const claim of claims.values()) {
      if (claim.leaseUntil > at) continue;
      if (claim.state === "settled") claims.delete(claim.id);
      if (claim.state !== "open") continue;
      claim.state = "expired";
      for (const entry of claim.entries) makeWait(claim.group, entry, claim.leaseUntil);
    }
  };

  const lose = (claim: OpenClaim | undefined) => {
    if (!claim || claim.state === "settled") return;
    claim.state = "lost";
    claim.group.claims.delete(claim);
    claims.delete(claim.id);
  };

  const leave = (state: GroupState, entry: Entry) => {
    unqueue(state, entry);
    state.entries.delete(entry.id);
    state.items -= entry.items;
    state.bytes -= entry.payload.byteLength;
  };

  const remember = (state: GroupState, entry: Entry, at: number) => {
    const dedupeMs = dedupe.get(entry) ?? 0;
    if (dedupeMs > 0) state.left.set(entry.id, { position: entry.position, until: at + dedupeMs });
    // Swept from the front: as many as came, so that the map cannot grow without bound.
    let looked = 0;
    for (const [id, gone] of state.left) {
      if (gone.until > at || ++looked > 4) break;
      state.left.delete(id);
    }
  };
  const dedupe = new WeakMap<Entry, number>();

  const addDead = (
    state: GroupState,
    entry: Entry,
    item: { itemIndex: number; reason: string; payload: Uint8Array; detail: Uint8Array },
    at: number,
  ) => {
    const seq = ++lastDead;
    dead.set(seq, {
      id: String(seq).padStart(16, "0"),
      seq,
      entryId: entry.id,
      itemIndex: item.itemIndex,
      group: state,
      reason: item.reason,
      diedAt: at,
      claims: entry.claims,
      position: entry.position,
      payload: item.payload.slice(),
      detail: item.detail.slice(),
    });
  };

  const append = (entry: NewEntry, at: number) => {
    const state = groups.get(groupKey(entry.group));
    if (!state) throw unknownGroup(entry.group.destinationId, entry.group.name);
    const stored = state.entries.get(entry.id);
    if (stored) return { status: "duplicate", position: stored.position } as const;
    const gone = state.left.get(entry.id);
    if (gone && gone.until > at) return { status: "duplicate", position: gone.position } as const;
    const seq = ++lastSeq;
    const added: Entry = {
      id: entry.id,
      seq,
      position: entry.position ?? seq,
      priority: entry.priority,
      items: entry.items,
      payload: entry.payload.slice(),
      createdAt: at,
      dueAt: at + (entry.delayMs ?? 0),
      claims: 0,
      progress: undefined,
      place: "ready",
      claim: undefined,
    };
    if (entry.dedupeMs) dedupe.set(added, entry.dedupeMs);
    state.entries.set(added.id, added);
    state.items += added.items;
    state.bytes += added.payload.byteLength;
    makeReady(state, added);
    return { status: "stored", position: added.position } as const;
  };

  const isDue = (state: GroupState, at: number, skip: ReadonlySet<string>) =>
    !skip.has(state.group.credentialId) && dueAt(state, at) <= at;

  /** Of the tenants with a due entry the one with the smallest virtual time; of equals the one served longest ago. */
  const nextTenant = (at: number, skip: ReadonlySet<string>): Tenant | undefined => {
    let best: Tenant | undefined;
    for (const tenant of tenants.values()) {
      if (best && (tenant.virtualTime - best.virtualTime || tenant.servedAt - best.servedAt) >= 0) continue;
      for (const state of tenant.groups) {
        if (!isDue(state, at, skip)) continue;
        best = tenant;
        break;
      }
    }
    return best;
  };

  const nextGroup = (
    tenant: Tenant,
    at: number,
    skip: ReadonlySet<string>,
    oldest: boolean,
  ): GroupState | undefined => {
    let best: { state: GroupState; entry: Entry } | undefined;
    for (const state of tenant.groups) {
      if (!isDue(state, at, skip)) continue;
      promote(state, at);
      const entry = standsFor(state, oldest);
      if (!entry) continue;
      const order = best && ((oldest ? 0 : entry.priority - best.entry.priority) || entry.seq - best.entry.seq);
      if (order === undefined || order < 0) best = { state, entry };
    }
    return best?.state;
  };

  const end = (claim: Claim, holdGroupMs: number | undefined, at: number): OpenClaim | undefined => {
    const open = claims.get(claim.id);
    if (!open || open.state === "lost" || open.state === "settled") return undefined;
    if (holdGroupMs !== undefined) open.group.holdUntil = Math.max(open.group.holdUntil, at + holdGroupMs);
    for (const entry of open.entries) {
      unqueue(open.group, entry);
      entry.claim = undefined;
    }
    open.group.claims.delete(open);
    return open;
  };

  const backToReady = (state: GroupState, entry: Entry, at: number) => {
    entry.dueAt = Math.min(entry.dueAt, at);
    makeReady(state, entry);
  };

  return {
    async open(list) {
      for (const group of list) openGroup(group);
      wake();
    },

    async append(entries, options = {}) {
      if (options.tx !== undefined) throw missingTransactions(o.name);
      checkEntries(entries, o.maxEntryBytes);
      for (const { group } of entries) {
        if (!groups.has(groupKey(group))) throw unknownGroup(group.destinationId, group.name);
      }
      const at = now();
      const answers = entries.map((entry) => append(entry, at));
      wake();
      return answers;
    },

    async claim(options) {
      const at = now();
      reap(at);
      const skip = new Set(options.skipCredentials);
      const tenant = nextTenant(at, skip);
      const oldest = tenant !== undefined && tenant.turns % 4 === 3;
      const state = tenant && nextGroup(tenant, at, skip, oldest);
      if (!tenant || !state) {
        emptyAt = { changes, now: at };
        return undefined;
      }
      const strict = state.group.exclusive;
      const barrier = strict ? positionBarrier(state, at) : undefined;
      const candidates = strict || oldest ? inPositionOrder(state, barrier) : inPriorityOrder(state);
      const entries = fill(candidates, { ...options, strict });

      if (strict) for (const other of [...state.claims]) lose(other);
      state.fence++;
      fences.set(groupKey(state.group), state.fence);
      const claim: OpenClaim = {
        id: `${groupKey(state.group)}#${state.fence}`,
        group: state,
        entries,
        leaseUntil: at + options.leaseMs,
        state: "open",
      };
      for (const entry of entries) {
        lose(entry.claim);
        unqueue(state, entry);
        entry.place = "claimed";
        entry.claim = claim;
        entry.claims++;
      }
      claims.set(claim.id, claim);
      state.claims.add(claim);
      updateReadyAt(state, at);

      virtualFloor = Math.max(virtualFloor, tenant.virtualTime);
      tenant.virtualTime = virtualFloor + 1;
      tenant.turns++;
      tenant.servedAt = ++turn;
      return {
        id: claim.id,
        fence: state.fence,
        group: { ...state.group },
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
    },

    async extend(claim, leaseMs) {
      const open = claims.get(claim.id);
      if (!open || open.state === "lost" || open.state === "settled") return false;
      if (open.state === "expired") {
        for (const entry of open.entries) {
          unqueue(open.group, entry);
          entry.place = "claimed";
        }
        updateReadyAt(open.group, now());
        open.state = "open";
      }
      open.leaseUntil = now() + leaseMs;
      return true;
    },

    async settle(claim, outcomes, options = {}) {
      const byId = outcomesById(claim, outcomes);
      const at = now();
      if (claims.get(claim.id)?.state === "settled") return "settled";
      const open = end(claim, options.holdGroupMs, at);
      if (!open) return "lost";
      open.state = "settled";
      const state = open.group;
      for (const entry of open.entries) {
        const outcome = byId.get(entry.id);
        if (!outcome) {
          backToReady(state, entry, at);
          continue;
        }
        for (const item of outcome.dead ?? []) addDead(state, entry, item, at);
        if (outcome.rest) {
          entry.claims = 0;
          entry.progress = outcome.rest.progress.slice();
          makeWait(state, entry, at + outcome.rest.retryInMs);
        } else {
          leave(state, entry);
          remember(state, entry, at);
        }
      }
      updateReadyAt(state, at);
      wake();
      return "settled";
    },

    async release(claim, options = {}) {
      const at = now();
      const open = end(claim, options.holdGroupMs, at);
      if (!open) return;
      claims.delete(open.id);
      for (const entry of open.entries) {
        entry.claims--;
        backToReady(open.group, entry, at);
      }
      open.group.tenant.virtualTime--;
      open.group.tenant.turns--;
      updateReadyAt(open.group, at);
      wake();
    },

    async pause(target, reason) {
      pauses.set(pauseKey(target, reason), { target: { ...target }, reason });
      for (const state of targeted(target)) updatePaused(state);
    },

    async resume(target, reason) {
      pauses.delete(pauseKey(target, reason));
      for (const state of targeted(target)) updatePaused(state);
      wake();
    },

    wait: ({ maxMs, signal }) =>
      new Promise((resolve) => {
        const at = now();
        let next = Infinity;
        for (const state of groups.values()) {
          const due = dueAt(state, at);
          if (due > emptyAt.now) next = Math.min(next, due);
        }
        for (const claim of claims.values()) if (claim.state === "open") next = Math.min(next, claim.leaseUntil);
        if (signal.aborted || emptyAt.changes !== changes || next <= at) return resolve();
        const done = () => {
          clearTimeout(timer);
          waiters.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(maxMs, next - at));
        waiters.add(done);
        signal.addEventListener("abort", done, { once: true });
      }),

    async depth(destinationIds) {
      const at = now();
      const wanted = new Set(destinationIds);
      const found = new Map<string, Depth>();
      const depthOf = (destinationId: string): Depth => {
        const known = found.get(destinationId);
        if (known) return known;
        const empty = { destinationId, entries: 0, items: 0, bytes: 0, oldestAgeMs: 0, paused: [], dead: {} };
        found.set(destinationId, empty);
        return empty;
      };
      for (const state of groups.values()) {
        const { destinationId } = state.group;
        if (destinationIds && !wanted.has(destinationId)) continue;
        const depth = depthOf(destinationId);
        depth.entries += state.entries.size;
        depth.items += state.items;
        depth.bytes += state.bytes;
        const [oldest] = state.entries.values();
        if (oldest) depth.oldestAgeMs = Math.max(depth.oldestAgeMs, at - oldest.createdAt);
        for (const pause of pauses.values()) {
          if (matches(pause.target, state.group)) depth.paused = [...new Set([...depth.paused, pause.reason])].sort();
        }
      }
      for (const letter of dead.values()) {
        const { destinationId } = letter.group.group;
        if (destinationIds && !wanted.has(destinationId)) continue;
        const counts = depthOf(destinationId).dead;
        counts[letter.reason] = (counts[letter.reason] ?? 0) + 1;
      }
      return [...found.values()];
    },

    dead: {
      async list(options) {
        const at = now();
        const items: DeadLetter[] = [];
        const before = options.after === undefined ? Infinity : Number(options.after);
        for (const letter of [...dead.values()].reverse()) {
          if (letter.seq >= before || letter.group.group.destinationId !== options.destinationId) continue;
          if (options.reason !== undefined && letter.reason !== options.reason) continue;
          if (options.maxAgeMs !== undefined && at - letter.diedAt > options.maxAgeMs) continue;
          if (items.length === options.limit) return { items, after: items.at(-1)?.id ?? "" };
          const { seq: _, diedAt, group, ...rest } = letter;
          items.push({ ...rest, group: { ...group.group }, ageMs: at - diedAt });
        }
        return { items };
      },
      async delete(options) {
        let deleted = 0;
        for (const id of options.ids) {
          const seq = Number(id);
          if (dead.get(seq)?.group.group.destinationId === options.destinationId && dead.delete(seq)) deleted++;
        }
        return deleted;
      },
    },

    async bury(target, reason, options) {
      const at = now();
      reap(at);
      let buried = 0;
      for (const state of targeted(target)) {
        for (const entry of [...state.entries.values()]) {
          if (entry.place === "claimed") continue;
          if (options.olderThanMs !== undefined && at - entry.createdAt <= options.olderThanMs) continue;
          if (buried === options.limit) return false;
          lose(entry.claim);
          addDead(state, entry, { itemIndex: -1, reason, payload: entry.payload, detail: new Uint8Array() }, at);
          leave(state, entry);
          remember(state, entry, at);
          buried++;
        }
        updateReadyAt(state, at);
      }
      return true;
    },

    async expire(options) {
      const at = now();
      let expired = 0;
      for (const letter of dead.values()) {
        if (at - letter.diedAt <= options.deadOlderThanMs) continue;
        if (expired === options.limit) return false;
        dead.delete(letter.seq);
        expired++;
      }
      return true;
    },

    async purge(destinationId, options) {
      let removed = 0;
      for (const [key, state] of groups) {
        if (state.group.destinationId !== destinationId) continue;
        for (const entry of [...state.entries.values()]) {
          if (removed === options.limit) return false;
          lose(entry.claim);
          leave(state, entry);
          updateReadyAt(state, 0);
          removed++;
        }
        for (const letter of [...dead.values()]) {
          if (letter.group !== state) continue;
          if (removed === options.limit) return false;
          dead.delete(letter.seq);
          removed++;
        }
        state.tenant.groups.delete(state);
        groups.delete(key);
      }
      for (const [key, pause] of pauses) {
        if ("destinationId" in pause.target && pause.target.destinationId === destinationId) pauses.delete(key);
      }
      return true;
    },
  };
}
