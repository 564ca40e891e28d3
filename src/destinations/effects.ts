import type { Target } from "../storage/ports.ts";
import { decode } from "./codec.ts";
import type { Context } from "./context.ts";
import { eventsCredential } from "./credential.ts";
import { currentAssets, type StoredDestination, type Versioned } from "./destination.ts";
import type { ConnectionInfo } from "./interfaces.ts";
import { eventsGroup, keys, loginCredential, tokenCredential } from "./keys.ts";
import { readDestination } from "./store.ts";
import type { StoredTenant } from "./tenant.ts";

/** Why this room holds a queue. A set: work goes on when the last reason is gone. */
export const HOLD = {
  disabled: "disabled",
  deleting: "deleting",
  suspended: "tenant_suspended",
  serverSideOff: "server_side_off",
  noCredential: "no_credential",
  dropped: "dropped",
  reauthRequired: "reauth_required",
  tokenRefused: "token_refused",
} as const;

type QueueContext = Pick<Context, "records" | "queue" | "connections" | "segments" | "workflowCheck">;
const BURY_AT_ONCE = 1_000;

/**
 * Brings the queue in line with the destination's record: groups and their credentials, what is held and why, what is
 * dropped. A function of the record alone, so that it may run again after a crash, in any process, any number of
 * times; it repeats until the record it applied is still the current one.
 */
export async function applyToQueue(context: QueueContext, tenantId: string, id: string): Promise<Versioned> {
  for (;;) {
    const applied = await readDestination(context.records, tenantId, id);
    await applyOnce(context, applied.stored);
    const current = await readDestination(context.records, tenantId, id);
    if (current.version === applied.version) return current;
  }
}

async function applyOnce(context: QueueContext, stored: StoredDestination): Promise<void> {
  const { queue, connections, segments, workflowCheck } = context;
  const { tenantId, id, connectionId, assets } = stored;
  const connection = connectionId ? await connections.info(tenantId, connectionId) : undefined;
  const credentialId = eventsCredential(stored, connection);
  const plan = holds(stored, { connection, credentialId, tenant: await statusOf(context, tenantId) });

  // Holds first, releases last: with the old credential nothing may leave that shall stay.
  for (const { target, reason, held } of plan) if (held) await queue.pause(target, reason);
  await openGroups(
    context,
    stored,
    assets.map((asset) => asset.id),
    credentialId,
  );
  if (connection) await segments.reopen(tenantId, id, loginCredential(tenantId, connection.id));
  if (!stored.enabled && stored.queueOnDisable === "drop") await drop(context, { destinationId: id });
  for (const asset of assets) {
    if (asset.queue === "drop") await drop(context, { destinationId: id, group: eventsGroup(asset.id) });
  }
  for (const { target, reason, held } of plan) if (!held) await queue.resume(target, reason);
  const on = stored.enabled && !stored.deleting && (workflowCheck.toggles?.(stored.workflow)?.audience ?? 0) > 0;
  await segments.follow(tenantId, id, { on });
}

interface Hold {
  target: Target;
  reason: string;
  held: boolean;
}

/** Everything that may hold a destination's queue, and whether it does. */
export function holds(
  stored: StoredDestination,
  around: { connection: ConnectionInfo | undefined; credentialId: string | undefined; tenant: StoredTenant["status"] },
): Hold[] {
  const { tenantId, id, token } = stored;
  const whole = { destinationId: id };
  const plan: Hold[] = [
    { target: whole, reason: HOLD.disabled, held: !stored.enabled && stored.queueOnDisable !== "finish" },
    { target: whole, reason: HOLD.deleting, held: stored.deleting !== undefined },
    { target: whole, reason: HOLD.suspended, held: around.tenant !== "active" },
  ];
  for (const asset of stored.assets) {
    const target = { destinationId: id, group: eventsGroup(asset.id) };
    plan.push({ target, reason: HOLD.serverSideOff, held: !stored.serverSide });
    plan.push({ target, reason: HOLD.noCredential, held: around.credentialId === undefined });
    plan.push({ target, reason: HOLD.dropped, held: asset.queue === "drop" });
  }
  if (around.connection) {
    const target = { credentialId: loginCredential(tenantId, around.connection.id) };
    plan.push({ target, reason: HOLD.reauthRequired, held: around.connection.status === "reauth_required" });
  }
  if (token) {
    const target = { credentialId: tokenCredential(tenantId, id, token.n) };
    plan.push({ target, reason: HOLD.tokenRefused, held: token.status === "refused" });
    if (token.status === "accepted") plan.push({ target, reason: HOLD.reauthRequired, held: false });
  }
  return plan;
}

/** Makes the groups of assets known. Called before a record that names a new asset is written: an append must find its group. */
export async function openGroups(
  { queue }: Pick<Context, "queue">,
  stored: Pick<StoredDestination, "tenantId" | "id">,
  assets: readonly string[],
  credentialId: string | undefined,
): Promise<void> {
  if (assets.length === 0) return;
  await queue.open(
    assets.map((assetId) => ({
      tenantId: stored.tenantId,
      destinationId: stored.id,
      name: eventsGroup(assetId),
      exclusive: false,
      // Number 0 is never given: it stands for "none yet" while the group is held.
      credentialId: credentialId ?? tokenCredential(stored.tenantId, stored.id, 0),
    })),
  );
}

/** A credential that is gone for good holds nothing any more: engines keep what is held until it is released. */
export async function releaseCredential(queue: Context["queue"], credentialId: string): Promise<void> {
  for (const reason of [HOLD.reauthRequired, HOLD.tokenRefused]) await queue.resume({ credentialId }, reason);
}

/** Queued work becomes dead letters with the reason `dropped`. */
export async function drop({ queue }: Pick<Context, "queue">, target: Target): Promise<void> {
  let done = false;
  while (!done) done = await queue.bury(target, "dropped", { limit: BURY_AT_ONCE });
}

export async function statusOf(
  { records }: Pick<Context, "records">,
  tenantId: string,
): Promise<StoredTenant["status"]> {
  const record = await records.get(keys.tenant(tenantId));
  return record ? decode<StoredTenant>(record.value).status : "active";
}

/** The record's assets after a change: those chosen now deliver, those no longer chosen as `queue` says. */
export function assetsAfter(
  before: StoredDestination,
  next: StoredDestination,
  queue: "old_asset" | "drop",
): StoredDestination["assets"] {
  const current = currentAssets(next);
  const left = new Set(currentAssets(before).filter((id) => !current.includes(id)));
  const kept = before.assets
    .filter((asset) => !current.includes(asset.id))
    .map((asset) =>
      left.has(asset.id) ? { id: asset.id, queue: queue === "drop" ? ("drop" as const) : ("deliver" as const) } : asset,
    );
  return [...kept, ...current.map((id) => ({ id, queue: "deliver" as const }))];
}
