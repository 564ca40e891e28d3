import { unescapeText } from "../escape.ts";
import type { Claim, Outbox } from "../ports.ts";
import { groupOf, refreshLease, refreshTimes } from "./groups.ts";
import { type Barrier, type GroupRow, positionBarrier, type TenantRow, type Transaction } from "./transaction.ts";

type ClaimOptions = Parameters<Outbox["claim"]>[0];

interface EntryRow {
  seq: number;
  id: string;
  position: number;
  created_at: number;
  items: number;
  claims: number;
  claim: number | null;
  progress: Uint8Array | null;
  payload: Uint8Array;
}

/** Waiting entries of a shared group that become ready in one claim. */
const PROMOTE = 5_000;
const ALONE_AFTER = 5;

export function claimEntries(tx: Transaction, o: ClaimOptions, skip: ReadonlySet<string>): Claim | undefined {
  expireLeases(tx);
  tx.flush();
  const next = nextTurn(tx, skip);
  if (!next) return undefined;
  const { tenant, group, oldest } = next;
  const taken = fill(tx, group, o, oldest);
  if (taken.length === 0) {
    // The group's times said otherwise: put them right, and let the caller ask again.
    refreshTimes(tx, group);
    return undefined;
  }

  const seqs = JSON.stringify(taken.map((entry) => entry.seq));
  const cid = tx.nextSeq();
  group.fence++;
  loseOthers(tx, group, taken);
  tx.run("takeEntries", cid, seqs);
  tx.run("addClaim", cid, group.gid, tx.at + o.leaseMs, Math.min(...taken.map((entry) => entry.created_at)), seqs);
  refreshLease(tx, group);
  refreshTimes(tx, group);
  countTurn(tx, tenant);

  return {
    id: String(cid),
    fence: group.fence,
    group: groupOf(tx, group),
    entries: taken.map((entry) => ({
      id: unescapeText(entry.id),
      payload: entry.payload,
      items: entry.items,
      position: entry.position,
      claims: entry.claims + 1,
      ageMs: tx.at - entry.created_at,
      ...(entry.progress ? { progress: entry.progress } : {}),
    })),
  };
}

/** Leases that ran out: their entries are claimable again, the claim may still settle until one of them is taken. */
export function expireLeases(tx: Transaction): void {
  const overdue = tx.sql.all<{ cid: number; gid: number; state: number; lease_until: number; seqs: string }>(
    "overdueClaims",
    tx.at,
  );
  for (const claim of overdue) {
    if (claim.state === 2) {
      tx.run("removeClaim", claim.cid);
      continue;
    }
    tx.run("expireClaim", claim.cid);
    tx.run("returnEntries", claim.lease_until, claim.seqs);
    const group = tx.group(claim.gid);
    if (!group) continue;
    group.wait_at = Math.min(group.wait_at, claim.lease_until);
    refreshLease(tx, group);
    tx.changed(group);
  }
}

/** The tenant with the smallest virtual time that has a due entry, and the group of its most urgent or oldest one. */
function nextTurn(tx: Transaction, skip: ReadonlySet<string>) {
  let after = { virtual_time: -1e15, served_at: -1 };
  for (;;) {
    const page = tx.sql.all<TenantRow>("dueTenants", tx.at, after.virtual_time, after.served_at);
    for (const { tid } of page) {
      const tenant = tx.tenant(tid);
      if (!tenant) continue;
      const oldest = tenant.turns % 4 === 3;
      const group = nextGroup(tx, tid, skip, oldest);
      if (group) return { tenant, group, oldest };
    }
    const last = page.at(-1);
    if (!last) return undefined;
    after = last;
  }
}

function nextGroup(tx: Transaction, tid: number, skip: ReadonlySet<string>, oldest: boolean): GroupRow | undefined {
  let best: { group: GroupRow; priority: number; seq: number } | undefined;
  for (const { gid } of tx.sql.all<{ gid: number }>("dueGroups", tid, tx.at)) {
    const group = tx.group(gid);
    if (!group || skip.has(group.credential)) continue;
    promote(tx, group);
    const entry = oldest ? oldestEntry(tx, gid) : tx.sql.get<{ seq: number; priority: number }>("mostUrgent", gid);
    if (!entry) continue;
    const order = best ? (oldest ? 0 : entry.priority - best.priority) || entry.seq - best.seq : -1;
    if (order < 0) best = { group, ...entry };
  }
  return best?.group;
}

function oldestEntry(tx: Transaction, gid: number): { seq: number; priority: number } | undefined {
  let best: { seq: number; priority: number } | undefined;
  for (let priority = 0; priority < 4; priority++) {
    const first = tx.sql.get<Barrier>("firstOfPriority", gid, priority);
    if (first && (!best || first.seq < best.seq)) best = { seq: first.seq, priority };
  }
  return best;
}

/** Entries whose own time is over join the ready ones. */
function promote(tx: Transaction, group: GroupRow): void {
  if (group.wait_at > tx.at) return;
  tx.run("promote", group.gid, tx.at, group.exclusive ? -1 : PROMOTE);
}

/** As many as fit, at least one. One that was claimed five times without a settle comes alone. */
function fill(tx: Transaction, group: GroupRow, o: ClaimOptions, oldest: boolean): EntryRow[] {
  const barrier = positionBarrier(tx, group);
  const strict = group.exclusive === 1;
  const taken: EntryRow[] = [];
  let items = 0;
  let bytes = 0;
  for (const entry of tx.sql.iterate<EntryRow>(strict || oldest ? "byPosition" : "byPriority", group.gid)) {
    if (barrier && (entry.position - barrier.position || entry.seq - barrier.seq) > 0) break;
    const alone = entry.claims >= ALONE_AFTER;
    if (taken.length > 0) {
      if (alone && strict) break;
      if (alone) continue;
      if (items + entry.items > o.maxItems || bytes + entry.payload.byteLength > o.maxBytes) break;
    }
    taken.push(entry);
    items += entry.items;
    bytes += entry.payload.byteLength;
    if (alone) break;
  }
  return taken.sort((a, b) => a.position - b.position || a.seq - b.seq);
}

/** A claim whose entry is taken by this one, in an exclusive group every other claim, can no longer settle. */
function loseOthers(tx: Transaction, group: GroupRow, taken: readonly EntryRow[]): void {
  const lost = new Set<number>();
  for (const entry of taken) if (entry.claim !== null) lost.add(entry.claim);
  if (group.exclusive) {
    for (const claim of tx.sql.all<{ cid: number; state: number }>("claimsOfGroup", group.gid)) {
      if (claim.state !== 2) lost.add(claim.cid);
    }
  }
  for (const cid of lost) tx.run("removeClaim", cid);
}

/** One turn more. A tenant that was away starts where the others are, not where it left. */
function countTurn(tx: Transaction, tenant: TenantRow): void {
  tenant.virtual_time = tx.raiseFloor(tenant.virtual_time) + 1;
  tenant.turns++;
  tenant.served_at = tx.nextTurn();
  tx.changedTenant(tenant);
}
