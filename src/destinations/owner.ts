import type { Record_ } from "../storage/ports.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { invalid, isStorageConflict } from "./failure.ts";
import { keys } from "./keys.ts";

type RecordsOnly = Pick<Context, "records">;

/**
 * Queues, journal and holds know a destination by its id alone, so an id belongs to one tenant, whoever makes it up.
 * Written anew by every creation: a removal that began before then leaves it alone.
 *
 * @throws {SnapchatError} `already_exists`, without telling whose it is
 */
export async function claimId({ records }: RecordsOnly, tenantId: string, id: string): Promise<void> {
  const owner = await readOwner({ records }, id);
  if (owner && decode<{ tenantId: string }>(owner.value).tenantId !== tenantId) throw alreadyExists();
  try {
    await records.put(keys.owner(id), encode({ tenantId }), { ifVersion: owner?.version ?? 0 });
  } catch (error) {
    if (!isStorageConflict(error)) throw error;
    // Somebody was faster, or it is our own write whose answer was lost.
    await claimId({ records }, tenantId, id);
  }
}

export async function readOwner({ records }: RecordsOnly, id: string): Promise<Record_ | undefined> {
  return records.get(keys.owner(id));
}

/** Gives an id up, unless it was claimed again since `owner` was read. */
export async function releaseId({ records }: RecordsOnly, id: string, owner: Record_ | undefined): Promise<void> {
  if (!owner) return;
  try {
    await records.delete(keys.owner(id), { ifVersion: owner.version });
  } catch (error) {
    if (!isStorageConflict(error)) throw error;
  }
}

export const alreadyExists = () =>
  invalid("already_exists", "There is a destination with that id already.", "Read it, or choose another id.");
