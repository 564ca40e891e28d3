import { outcomesById } from "../checks.ts";
import { escapeText, unescapeText } from "../escape.ts";
import type { Claim, Outcome } from "../ports.ts";
import { refreshLease, refreshTimes } from "./groups.ts";
import type { GroupRow, Transaction } from "./transaction.ts";

interface ClaimRow {
  cid: number;
  gid: number;
  state: number;
  lease_until: number;
  seqs: string;
}

interface EntryRow {
  id: string;
  position: number;
  claims: number;
}

/** Ids swept per settle: as many as a claim brings, and some more, so that they never pile up. */
const SWEEP = 2_000;

function find(tx: Transaction, claim: Claim): ClaimRow | undefined {
  const cid = Number(claim.id);
  return Number.isSafeInteger(cid) ? tx.sql.get<ClaimRow>("claim", cid) : undefined;
}

export function settleClaim(
  tx: Transaction,
  claim: Claim,
  outcomes: readonly Outcome[],
  holdGroupMs: number | undefined,
): "settled" | "lost" {
  const byId = outcomesById(claim, outcomes);
  const row = find(tx, claim);
  const group = row && tx.group(row.gid);
  if (!row || !group) return "lost";
  if (row.state === 2) return "settled";

  const gone: { seq: number; id: string }[] = [];
  const unnamed: number[] = [];
  let waits = false;
  for (const { seq, id } of tx.sql.all<{ seq: number; id: string }>("entryIds", row.seqs)) {
    const outcome = byId.get(unescapeText(id));
    if (!outcome) {
      unnamed.push(seq);
      continue;
    }
    if (outcome.dead?.length) bury(tx, group, seq, outcome.dead);
    if (!outcome.rest) {
      gone.push({ seq, id });
    } else {
      const state = outcome.rest.retryInMs > 0 ? 1 : 0;
      tx.run("retryEntry", state, tx.at + outcome.rest.retryInMs, outcome.rest.progress, seq);
      waits = true;
    }
  }
  removeEntries(tx, group, gone);
  returnEntries(tx, unnamed, 0);
  tx.run("settleClaim", row.cid);
  finish(tx, group, holdGroupMs, waits || unnamed.length > 0 || row.state === 1);
  return "settled";
}

export function releaseClaim(tx: Transaction, claim: Claim, holdGroupMs: number | undefined): void {
  const row = find(tx, claim);
  const group = row && tx.group(row.gid);
  if (!row || !group || row.state === 2) return;
  returnEntries(tx, JSON.parse(row.seqs) as number[], 1);
  tx.run("removeClaim", row.cid);
  const tenant = tx.tenant(group.tid);
  if (tenant) {
    tenant.virtual_time--;
    tenant.turns--;
    tx.changedTenant(tenant);
  }
  finish(tx, group, holdGroupMs, true);
}

export function extendClaim(tx: Transaction, claim: Claim, leaseMs: number): boolean {
  const row = find(tx, claim);
  const group = row && tx.group(row.gid);
  if (!row || !group || row.state === 2) return false;
  tx.run("extendClaim", tx.at + leaseMs, row.cid);
  if (row.state === 1) {
    tx.run("takeAgain", row.seqs);
    refreshTimes(tx, group);
  }
  refreshLease(tx, group);
  tx.changed(group);
  return true;
}

/** Entries that are gone for good; their ids still answer "duplicate" for the time they asked for. */
export function removeEntries(tx: Transaction, group: GroupRow, gone: readonly { seq: number; id: string }[]): void {
  if (gone.length === 0) return;
  const seqs = JSON.stringify(gone.map(({ seq }) => seq));
  const sum = tx.sql.get<{ entries: number; items: number; bytes: number }>("sumEntries", seqs);
  tx.run("removeEntries", seqs);
  tx.run("leaveIds", tx.at, group.gid, JSON.stringify(gone.map(({ id }) => id)));
  tx.run("sweepIds", tx.at, SWEEP);
  group.entries -= sum?.entries ?? 0;
  group.items -= sum?.items ?? 0;
  group.bytes -= sum?.bytes ?? 0;
  tx.changed(group);
}

function returnEntries(tx: Transaction, seqs: readonly number[], uncount: 0 | 1): void {
  if (seqs.length > 0) tx.run("readyEntries", uncount, tx.at, JSON.stringify(seqs));
}

function finish(tx: Transaction, group: GroupRow, holdGroupMs: number | undefined, returned: boolean): void {
  if (holdGroupMs !== undefined) group.hold_until = Math.max(group.hold_until, tx.at + holdGroupMs);
  refreshLease(tx, group);
  if (returned) refreshTimes(tx, group);
  tx.changed(group);
}

function bury(tx: Transaction, group: GroupRow, seq: number, items: NonNullable<Outcome["dead"]>): void {
  const entry = tx.sql.get<EntryRow>("entry", seq);
  if (!entry) return;
  for (const item of items) addDead(tx, group, entry, item);
}

export function addDead(
  tx: Transaction,
  group: GroupRow,
  entry: EntryRow,
  item: { itemIndex: number; reason: string; payload: Uint8Array; detail: Uint8Array },
): void {
  tx.run(
    "addDead",
    tx.nextSeq(),
    group.destination,
    group.gid,
    entry.id,
    item.itemIndex,
    escapeText(item.reason),
    tx.at,
    entry.claims,
    entry.position,
    item.payload,
    item.detail,
  );
}
