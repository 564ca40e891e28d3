import { escapeText, unescapeText } from "../escape.ts";
import type { Group, Target } from "../ports.ts";
import { NEVER } from "./sql.ts";
import type { GroupRow, TenantRow, Transaction } from "./transaction.ts";

export function openGroup(tx: Transaction, group: Group): void {
  const destination = escapeText(group.destinationId);
  const name = escapeText(group.name);
  let row = tx.findGroup(destination, name);
  if (!row) {
    tx.run("addGroup", destination, name);
    row = tx.findGroup(destination, name);
  }
  if (!row) return;
  const tenant = openTenant(tx, escapeText(group.tenantId));
  const moved = row.tid !== tenant.tid && row.tid !== 0;
  if (moved) leaveTenant(tx, row);
  row.opened = 1;
  row.tid = tenant.tid;
  row.exclusive = group.exclusive ? 1 : 0;
  row.credential = escapeText(group.credentialId);
  row.paused = reasonsOf(tx, row).length > 0 ? 1 : 0;
  tx.changed(row);
}

function openTenant(tx: Transaction, tenant: string): TenantRow {
  if (!tx.sql.get("tenant", tenant)) tx.run("addTenant", tenant);
  const { tid } = tx.sql.get<TenantRow>("tenant", tenant) ?? { tid: 0 };
  return tx.tenant(tid) ?? { tid, tenant, virtual_time: 0, turns: 0, served_at: 0, due_at: NEVER };
}

/** The old tenant's due time is worked out without this group. */
function leaveTenant(tx: Transaction, row: GroupRow): void {
  const paused = row.paused;
  row.paused = 1;
  tx.changed(row);
  tx.flush();
  row.paused = paused;
}

export function reasonsOf(
  tx: Pick<Transaction, "sql">,
  row: Pick<GroupRow, "destination" | "name" | "credential">,
): string[] {
  const rows = tx.sql.all<{ reason: string }>("pauseReasons", row.destination, row.name, row.credential);
  return rows.map(({ reason }) => unescapeText(reason));
}

/** Open groups the target means. */
export function targeted(tx: Transaction, target: Target): GroupRow[] {
  const gids =
    "credentialId" in target
      ? tx.sql.all<{ gid: number }>("groupsOfCredential", escapeText(target.credentialId))
      : tx.sql.all<{ gid: number }>("groupsOfDestination", escapeText(target.destinationId));
  const name = "credentialId" in target || target.group === undefined ? undefined : escapeText(target.group);
  return gids.flatMap(({ gid }) => {
    const row = tx.group(gid);
    return row && (name === undefined || row.name === name) ? [row] : [];
  });
}

function pauseKey(target: Target): [kind: number, target: string, name: string] {
  if ("credentialId" in target) return [2, escapeText(target.credentialId), ""];
  if (target.group === undefined) return [0, escapeText(target.destinationId), ""];
  return [1, escapeText(target.destinationId), escapeText(target.group)];
}

export function setPause(tx: Transaction, target: Target, reason: string, on: boolean): void {
  tx.run(on ? "addPause" : "removePause", ...pauseKey(target), escapeText(reason));
  for (const row of targeted(tx, target)) {
    row.paused = reasonsOf(tx, row).length > 0 ? 1 : 0;
    tx.changed(row);
  }
}

export function groupOf(tx: Transaction, row: GroupRow): Group {
  return {
    tenantId: unescapeText(tx.tenant(row.tid)?.tenant ?? ""),
    destinationId: unescapeText(row.destination),
    name: unescapeText(row.name),
    exclusive: row.exclusive === 1,
    credentialId: unescapeText(row.credential),
  };
}

/** After entries were taken out of the ready and waiting ones: when the next of each comes. */
export function refreshTimes(tx: Transaction, row: GroupRow): void {
  // One that is due is enough to know; only a group in which all linger is read to its end.
  const due = tx.sql.get("readyNow", row.gid, tx.at);
  row.ready_at = due ? tx.at : (tx.sql.get<{ due_at: number | null }>("readyAt", row.gid)?.due_at ?? NEVER);
  row.wait_at = tx.sql.get<{ due_at: number }>("waitAt", row.gid)?.due_at ?? NEVER;
  tx.changed(row);
}

/** The lease of an exclusive group's open claim; 0 if there is none. */
export function refreshLease(tx: Transaction, row: GroupRow): void {
  row.lease_until = 0;
  if (!row.exclusive) return;
  for (const claim of tx.sql.all<{ state: number; lease_until: number }>("claimsOfGroup", row.gid)) {
    if (claim.state === 0) row.lease_until = Math.max(row.lease_until, claim.lease_until);
  }
}
