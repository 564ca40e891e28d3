import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { SQL } from "./sql.ts";
import { NEVER } from "./sql.ts";
import type { Statements } from "./statements.ts";

export interface GroupRow {
  gid: number;
  destination: string;
  name: string;
  opened: number;
  tid: number;
  exclusive: number;
  credential: string;
  fence: number;
  paused: number;
  hold_until: number;
  lease_until: number;
  ready_at: number;
  wait_at: number;
  due_at: number;
  entries: number;
  items: number;
  bytes: number;
}

export interface TenantRow {
  tid: number;
  tenant: string;
  virtual_time: number;
  turns: number;
  served_at: number;
  due_at: number;
}

interface Counters {
  seq: number;
  version: number;
  turn: number;
  floor: number;
}

/** Rows kept in memory between transactions; more than this and they are read again. */
const MAX_CACHED = 50_000;

/**
 * A write transaction. Group and tenant rows are read once, changed in memory and written back when it commits; they
 * stay cached as long as no other connection has committed.
 */
export class Transaction {
  readonly sql: Statements;
  /** The engine's time, milliseconds since 1970: one for the whole transaction. */
  at = 0;
  /** Changes made so far, in memory or in the database. */
  writes = 0;
  readonly #db: DatabaseSync;
  #dataVersion = -1;
  #counters: Counters = { seq: 0, version: 0, turn: 0, floor: 0 };
  #countersChanged = false;
  #gids = new Map<string, Map<string, number>>();
  #groups = new Map<number, GroupRow>();
  #tenants = new Map<number, TenantRow>();
  #changedGroups = new Set<GroupRow>();
  #changedTenants = new Set<TenantRow>();

  constructor(db: DatabaseSync, sql: Statements) {
    this.#db = db;
    this.sql = sql;
  }

  begin(at: number): void {
    const version = this.sql.get<{ data_version: number }>("dataVersion")?.data_version ?? 0;
    if (version !== this.#dataVersion || this.#groups.size + this.#tenants.size > MAX_CACHED) this.#forget();
    this.#dataVersion = version;
    this.at = at;
    this.writes = 0;
    if (this.#counters.seq < 0) this.#counters = this.sql.get<Counters>("counters") ?? this.#counters;
  }

  commit(): void {
    this.flush();
    const { seq, version, turn, floor } = this.#counters;
    if (this.#countersChanged) this.sql.run("saveCounters", seq, version, turn, floor);
    this.#db.exec("COMMIT");
    this.#countersChanged = false;
  }

  rollback(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    this.#forget();
  }

  run(name: keyof typeof SQL, ...values: SQLInputValue[]): number {
    this.writes++;
    return this.sql.run(name, ...values);
  }

  nextSeq(): number {
    return this.#count("seq");
  }

  nextVersion(): number {
    return this.#count("version");
  }

  nextTurn(): number {
    return this.#count("turn");
  }

  /** Virtual time of the last turn, at least `value`. */
  raiseFloor(value: number): number {
    if (value > this.#counters.floor) {
      this.#counters.floor = value;
      this.#countersChanged = true;
    }
    return this.#counters.floor;
  }

  findGroup(destination: string, name: string): GroupRow | undefined {
    const gid = this.#gids.get(destination)?.get(name);
    if (gid !== undefined) return this.group(gid);
    const row = this.sql.get<GroupRow>("group", destination, name);
    return row && this.#keep(row);
  }

  group(gid: number): GroupRow | undefined {
    const cached = this.#groups.get(gid);
    if (cached) return cached;
    const row = this.sql.get<GroupRow>("groupByGid", gid);
    return row && this.#keep(row);
  }

  tenant(tid: number): TenantRow | undefined {
    const cached = this.#tenants.get(tid);
    if (cached) return cached;
    const row = this.sql.get<TenantRow>("tenantByTid", tid);
    if (row) this.#tenants.set(tid, row);
    return row;
  }

  /** To be called after every change of a group row. */
  changed(group: GroupRow): void {
    this.writes++;
    this.#changedGroups.add(group);
  }

  changedTenant(tenant: TenantRow): void {
    this.writes++;
    this.#changedTenants.add(tenant);
  }

  /** Writes changed rows back, so that queries by `due_at` see them. */
  flush(): void {
    const tids = new Set<number>();
    for (const group of this.#changedGroups) {
      const due = dueAt(group, this);
      if (due !== group.due_at) {
        group.due_at = due;
        tids.add(group.tid);
      }
      this.sql.run("saveGroup", ...savedGroup(group));
    }
    this.#changedGroups.clear();
    for (const tid of tids) {
      const tenant = this.tenant(tid);
      const due = this.sql.get<{ due_at: number | null }>("tenantDueAt", tid)?.due_at ?? NEVER;
      if (!tenant || tenant.due_at === due) continue;
      tenant.due_at = due;
      this.#changedTenants.add(tenant);
    }
    for (const row of this.#changedTenants) {
      this.sql.run("saveTenant", row.virtual_time, row.turns, row.served_at, row.due_at, row.tid);
    }
    this.#changedTenants.clear();
  }

  #keep(row: GroupRow): GroupRow {
    let names = this.#gids.get(row.destination);
    if (!names) {
      names = new Map();
      this.#gids.set(row.destination, names);
    }
    names.set(row.name, row.gid);
    this.#groups.set(row.gid, row);
    return row;
  }

  #count(counter: "seq" | "version" | "turn"): number {
    this.#countersChanged = true;
    this.#counters[counter]++;
    return this.#counters[counter];
  }

  #forget(): void {
    this.#gids.clear();
    this.#groups.clear();
    this.#tenants.clear();
    this.#changedGroups.clear();
    this.#changedTenants.clear();
    this.#counters.seq = -1;
    this.#countersChanged = false;
  }
}

function savedGroup(row: GroupRow): SQLInputValue[] {
  return [
    row.opened,
    row.tid,
    row.exclusive,
    row.credential,
    row.fence,
    row.paused,
    row.hold_until,
    row.lease_until,
    row.ready_at,
    row.wait_at,
    row.due_at,
    row.entries,
    row.items,
    row.bytes,
    row.gid,
  ];
}

/** When a claim may take the group, {@link NEVER} if nothing but a call can make it due. */
function dueAt(group: GroupRow, tx: Transaction): number {
  if (!group.opened || group.paused || group.entries === 0) return NEVER;
  let own = Math.min(group.ready_at, group.wait_at);
  if (own >= NEVER) return NEVER;
  if (group.exclusive) {
    const barrier = positionBarrier(tx, group);
    // A head that waits for its retry holds the group.
    if (barrier && !overtaken(tx, group, barrier)) own = barrier.due_at;
    own = Math.max(own, group.lease_until);
  }
  return Math.max(own, group.hold_until);
}

export interface Barrier {
  seq: number;
  position: number;
  due_at: number;
}

/** In an exclusive group: the waiting entry that nothing may overtake. */
export function positionBarrier(tx: Transaction, group: GroupRow): Barrier | undefined {
  if (!group.exclusive || group.wait_at >= NEVER) return undefined;
  return tx.sql.get<Barrier>("firstWaiting", group.gid, tx.at);
}

/** True if some ready or due entry comes before the barrier. */
function overtaken(tx: Transaction, group: GroupRow, barrier: Barrier): boolean {
  for (let priority = 0; priority < 4; priority++) {
    const first = tx.sql.get<Barrier>("firstOfPriority", group.gid, priority);
    if (first && (first.position - barrier.position || first.seq - barrier.seq) < 0) return true;
  }
  if (group.wait_at > tx.at) return false;
  const waiting = tx.sql.get<Barrier>("firstWaiting", group.gid, -1);
  return waiting !== undefined && (waiting.position - barrier.position || waiting.seq - barrier.seq) < 0;
}
