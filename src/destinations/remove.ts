import type { Context } from "./context.ts";
import type { StoredDestination } from "./destination.ts";
import { releaseCredential } from "./effects.ts";
import { invalid } from "./failure.ts";
import type { SegmentsChoice, SegmentsReport } from "./interfaces.ts";
import { keys, loginCredential, tokenCredential } from "./keys.ts";
import { forgetUnused } from "./lifecycle.ts";
import { type MutationOptions, mutate } from "./mutation.ts";
import { readOwner, releaseId } from "./owner.ts";

export interface DeleteOptions extends MutationOptions {
  /** What becomes of its segments at Snapchat. Default `keep`. */
  segments?: SegmentsChoice;
}

/** What a deletion removed, and what it could not. */
export interface DeleteReport {
  destinationId: string;
  segments: SegmentsReport;
  /** Items that were queued and are gone with it. About: counted up to a second before. */
  queuedItems: number;
  deadLetters: number;
}

const PURGE_AT_ONCE = 1_000;

/**
 * Deletes a destination: its segments as chosen, its queue and dead letters, its token, its login where no other
 * destination uses it, its record. Cut off in the middle it stays `deleting`; called again it goes on.
 *
 * @throws {SnapchatError} `not_found`, `version_conflict`; what a peer throws leaves it `deleting`
 */
export async function remove(
  context: Context,
  tenantId: string,
  id: string,
  options: DeleteOptions = {},
): Promise<DeleteReport> {
  const stored = await markDeleting(context, tenantId, id, options);
  // Until then another process may still append to groups that are about to go.
  await context.clock.sleep(context.visibleAfterMs);
  return finishRemoval(context, stored, options);
}

/** The same where no process appends any more. */
export async function removeNow(
  context: Context,
  tenantId: string,
  id: string,
  options: DeleteOptions,
): Promise<DeleteReport> {
  return finishRemoval(context, await markDeleting(context, tenantId, id, options), options);
}

async function markDeleting(
  context: Context,
  tenantId: string,
  id: string,
  options: DeleteOptions,
): Promise<StoredDestination> {
  const { segments } = options;
  if (segments !== undefined && segments !== "keep" && segments !== "empty" && segments !== "delete") {
    throw invalid(
      "segments_choice_invalid",
      "segments is keep, empty or delete.",
      "Say what becomes of the segments at Snapchat.",
    );
  }
  const target = { tenantId, id, action: "destination.deleting", whileDeleting: true };
  const { stored } = await mutate(context, target, options, async (before) => {
    const choice = segments ?? before.deleting?.segments ?? "keep";
    if (before.deleting?.segments === choice) return undefined;
    const { enabled: _, ...rest } = before;
    // The id of the last audit line, made now so that a repeat writes the same one.
    const operation = before.deleting?.operation ?? context.ulid(await context.records.now());
    const deleting = { segments: choice, operation };
    return { next: { ...rest, enabled: false, deleting }, detail: { segments: choice } };
  });
  return stored;
}

async function finishRemoval(
  context: Context,
  stored: StoredDestination,
  options: MutationOptions,
): Promise<DeleteReport> {
  const { records, queue, segments } = context;
  const { tenantId, id, connectionId, token } = stored;
  const deleting = stored.deleting ?? { segments: "keep", operation: id };
  const released = await segments.release(tenantId, id, deleting.segments);
  const depth = (await queue.depth([id])).find(({ destinationId }) => destinationId === id);
  const report: DeleteReport = {
    destinationId: id,
    segments: released,
    queuedItems: depth?.items ?? 0,
    deadLetters: Object.values(depth?.dead ?? {}).reduce((sum, count) => sum + count, 0),
  };
  let purged = false;
  while (!purged) purged = await queue.purge(id, { limit: PURGE_AT_ONCE });
  if (token) await releaseCredential(queue, tokenCredential(tenantId, id, token.n));
  if (connectionId && (await forgetUnused(context, tenantId, connectionId, options))) {
    await releaseCredential(queue, loginCredential(tenantId, connectionId));
  }
  await records.delete(keys.conversionsToken(tenantId, id));
  await records.delete(keys.recheck(tenantId, id));
  await context.forget(tenantId, id);
  const now = await records.now();
  await context.audit.write({
    id: deleting.operation,
    at: new Date(now).toISOString(),
    tenantId,
    actor: options.actor ?? "host",
    action: "destination.deleted",
    destinationId: id,
    detail: { segments: deleting.segments, queuedItems: report.queuedItems, deadLetters: report.deadLetters },
  });
  const owner = await readOwner(context, id);
  await records.delete(keys.destination(tenantId, id));
  await releaseId(context, id, owner);
  await forgetPending(context, tenantId, id);
  await context.reader.changed(tenantId);
  return report;
}

async function forgetPending({ records }: Pick<Context, "records">, tenantId: string, id: string): Promise<void> {
  for (const { key } of await records.list(keys.pendingsOf(tenantId, id), { limit: 1_000 })) await records.delete(key);
}
