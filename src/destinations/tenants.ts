import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { checkTenantId, invalid, isStorageConflict } from "./failure.ts";
import { keys } from "./keys.ts";
import type { StoredTenant } from "./tenant.ts";

type RecordsOnly = Pick<Context, "records">;

export async function readTenant(
  { records }: RecordsOnly,
  tenantId: string,
): Promise<{ tenant: StoredTenant; version: number } | undefined> {
  checkTenantId(tenantId);
  const record = await records.get(keys.tenant(tenantId));
  return record ? { tenant: decode<StoredTenant>(record.value), version: record.version } : undefined;
}

/** Registers a tenant the first time something is made for it. @throws {SnapchatError} `tenant_offboarded` */
export async function openTenant(context: RecordsOnly, tenantId: string): Promise<void> {
  const found = await readTenant(context, tenantId);
  if (found) return refuseClosed(found.tenant);
  const at = new Date(await context.records.now()).toISOString();
  const tenant: StoredTenant = { id: tenantId, status: "active", createdAt: at, changedAt: at };
  try {
    await context.records.put(keys.tenant(tenantId), encode(tenant), { ifVersion: 0 });
  } catch (error) {
    if (!isStorageConflict(error)) throw error;
  }
}

/** @throws {SnapchatError} `tenant_offboarded`, after `undo` */
export async function refuseClosedTenant(
  context: RecordsOnly,
  tenantId: string,
  undo: () => Promise<void>,
): Promise<void> {
  const found = await readTenant(context, tenantId);
  if (!found) return;
  try {
    refuseClosed(found.tenant);
  } catch (error) {
    await undo();
    throw error;
  }
}

function refuseClosed(tenant: StoredTenant): void {
  if (tenant.status === "active" || tenant.status === "suspended") return;
  throw invalid(
    "tenant_offboarded",
    "This tenant has been offboarded.",
    "Use another tenant id, or tenants.resume() to open this one again, empty.",
  );
}
