import type { SnapchatError } from "../errors.ts";
import type { AuditLine } from "./audit.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { settleToken } from "./conversions-token.ts";
import { eventsCredential } from "./credential.ts";
import type { QueueOnMove } from "./destination.ts";
import { currentAssets, type StoredDestination, type Versioned } from "./destination.ts";
import { applyToQueue, drop, openGroups } from "./effects.ts";
import { invalid, isStorageConflict, versionConflict } from "./failure.ts";
import { eventsGroup, keys } from "./keys.ts";
import { readDestination } from "./store.ts";

/** The last argument of every call that changes something. */
export interface MutationOptions {
  /** Who does it, for the audit trail: an id of yours, not a mail address. Default `"host"`. */
  actor?: string;
  /** The `version` that the change was decided on. Another one by now: `version_conflict`. Absent: the change is merged into what is there. */
  expectedVersion?: number;
}

/** What a change wants done besides the record. */
export interface Change {
  next: StoredDestination;
  /** For the audit line: ids and names of settings. */
  detail: AuditLine["detail"];
  /** Another ad account: its segments are let go. */
  move?: AccountMove;
}

export interface AccountMove {
  from: string;
  to?: string;
  queue: QueueOnMove;
}

/** Stored from before a change until its effects are done, so that another process can finish what a crash cut off. */
export interface PendingOperation {
  line: AuditLine;
  move?: AccountMove;
}

const OPERATIONS_REMEMBERED = 16;
const TRIES = 20;

/**
 * One change of one destination: mark it, write the record by compare-and-set, audit it, tell the caches, bring the
 * queue in line, unmark it.
 *
 * @throws {SnapchatError} `not_found`, `version_conflict`, `destination_deleting`, and what `change` throws
 */
export async function mutate(
  context: Context,
  target: { tenantId: string; id: string; action: string; whileDeleting?: boolean },
  options: MutationOptions,
  change: (before: StoredDestination) => Promise<Change | undefined> | Change | undefined,
): Promise<Versioned> {
  const { tenantId, id } = target;
  const operation = context.ulid(await context.records.now());
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = await readDestination(context.records, tenantId, id);
    if (before.stored.deleting && !target.whileDeleting) throw deleting();
    if (options.expectedVersion !== undefined && options.expectedVersion !== before.version) throw versionConflict();
    const changed = await change(before.stored);
    if (!changed) return recoverDestination(context, tenantId, id);
    const pending = await prepare(context, target, options, operation, before.stored, changed);
    if (!(await write(context, before, changed.next, operation))) {
      await context.records.delete(keys.pending(tenantId, id, operation));
      if (options.expectedVersion !== undefined) throw versionConflict();
      continue;
    }
    return finish(context, pending);
  }
  throw versionConflict();
}

async function prepare(
  context: Context,
  { tenantId, id, action }: { tenantId: string; id: string; action: string },
  options: MutationOptions,
  operation: string,
  before: StoredDestination,
  { next, detail, move }: Change,
): Promise<PendingOperation> {
  const now = await context.records.now();
  const line: AuditLine = {
    id: operation,
    at: new Date(now).toISOString(),
    tenantId,
    actor: options.actor ?? "host",
    action,
    destinationId: id,
    detail,
  };
  const pending: PendingOperation = { line, ...(move ? { move } : {}) };
  await context.records.put(keys.pending(tenantId, id, operation), encode(pending));
  await prepareAssets(context, before, next);
  return pending;
}

/** An append must find its group: those of new assets are opened before the record names them. */
async function prepareAssets(context: Context, before: StoredDestination, next: StoredDestination): Promise<void> {
  const known = new Map(before.assets.map((asset) => [asset.id, asset]));
  const current = currentAssets(next);
  const fresh = current.filter((assetId) => !known.has(assetId));
  if (fresh.length > 0) {
    const connection = next.connectionId ? await context.connections.info(next.tenantId, next.connectionId) : undefined;
    await openGroups(context, next, fresh, eventsCredential(next, connection));
  }
  // Chosen again after its queue was dropped: what was in flight then and came back must not leave now.
  for (const assetId of current) {
    if (known.get(assetId)?.queue === "drop")
      await drop(context, { destinationId: next.id, group: eventsGroup(assetId) });
  }
}

async function write(
  context: Context,
  before: Versioned,
  next: StoredDestination,
  operation: string,
): Promise<boolean> {
  const record: StoredDestination = {
    ...next,
    operations: [...before.stored.operations, operation].slice(-OPERATIONS_REMEMBERED),
    updatedAt: new Date(await context.records.now()).toISOString(),
  };
  const key = keys.destination(next.tenantId, next.id);
  try {
    await context.records.put(key, encode(record), { ifVersion: before.version });
    return true;
  } catch (error) {
    if (!isStorageConflict(error)) throw error;
    // An adapter that repeated a write whose answer was lost meets its own.
    const { stored } = await readDestination(context.records, next.tenantId, next.id);
    return stored.operations.includes(operation);
  }
}

/** Everything after the record is written. Safe to repeat, in any process. */
export async function finish(context: Context, pending: PendingOperation): Promise<Versioned> {
  const { tenantId, destinationId = "", id: operation } = pending.line;
  await context.audit.write(pending.line);
  await context.reader.changed(tenantId);
  if (pending.move) {
    const { from, to, queue } = pending.move;
    await context.segments.moveAccount(tenantId, destinationId, { from, to, queue });
  }
  const current = await applyToQueue(context, tenantId, destinationId);
  await settleToken(context, current.stored);
  await context.records.delete(keys.pending(tenantId, destinationId, operation));
  return current;
}

/** A mark whose write has not happened for this long belongs to a process that is gone. Milliseconds. */
const ABANDONED_MS = 10 * 60_000;

/**
 * Finishes what a crash cut off after the record was written, and forgets marks of writes that never happened.
 * `true`: the operation is settled either way.
 */
export async function recoverOperation(context: Context, pending: PendingOperation): Promise<boolean> {
  const { tenantId, destinationId = "", id: operation, at } = pending.line;
  const forget = () => context.records.delete(keys.pending(tenantId, destinationId, operation));
  const record = await context.records.get(keys.destination(tenantId, destinationId));
  if (record && decode<StoredDestination>(record.value).operations.includes(operation)) {
    await finish(context, pending);
    return true;
  }
  if (record && (await context.records.now()) - Date.parse(at) < ABANDONED_MS) return false;
  await forget();
  return true;
}

/** A change that changes nothing still finishes what an earlier one left open. */
async function recoverDestination(context: Context, tenantId: string, id: string): Promise<Versioned> {
  const open = await context.records.list(keys.pendingsOf(tenantId, id), { limit: 100 });
  for (const { value } of open) await recoverOperation(context, decode<PendingOperation>(value));
  return readDestination(context.records, tenantId, id);
}

function deleting(): SnapchatError {
  return invalid(
    "destination_deleting",
    "This destination is being deleted.",
    "Call delete() again to finish it; create a new destination to go on.",
  );
}
