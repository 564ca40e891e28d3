import type { SnapchatError } from "../errors.ts";
import type { AuditLine } from "./audit.ts";
import { encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { eventsCredential } from "./credential.ts";
import type { QueueOnMove } from "./destination.ts";
import { currentAssets, type StoredDestination, type Versioned } from "./destination.ts";
import { applyToQueue, openGroups } from "./effects.ts";
import { invalid, isStorageConflict, versionConflict } from "./failure.ts";
import { keys } from "./keys.ts";
import { readDestination } from "./store.ts";
import { ulid } from "./ulid.ts";

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

const OPERATIONS_REMEMBERED = 8;
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
  const operation = ulid(await context.records.now(), context.randomBytes);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = await readDestination(context.records, tenantId, id);
    if (before.stored.deleting && !target.whileDeleting) throw deleting();
    if (options.expectedVersion !== undefined && options.expectedVersion !== before.version) throw versionConflict();
    const changed = await change(before.stored);
    if (!changed) return before;
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
  const known = new Set(before.assets.map((asset) => asset.id));
  const fresh = currentAssets(next).filter((assetId) => !known.has(assetId));
  if (fresh.length > 0) {
    const connection = next.connectionId ? await context.connections.info(tenantId, next.connectionId) : undefined;
    await openGroups(context, next, fresh, eventsCredential(next, connection));
  }
  return pending;
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
    if (isStorageConflict(error)) return false;
    throw error;
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
  await context.records.delete(keys.pending(tenantId, destinationId, operation));
  return current;
}

function deleting(): SnapchatError {
  return invalid(
    "destination_deleting",
    "This destination is being deleted.",
    "Call delete() again to finish it; create a new destination to go on.",
  );
}
