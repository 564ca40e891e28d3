import type { Page } from "../storage/ports.ts";
import type { AuditLine } from "./audit.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { applyToQueue } from "./effects.ts";
import { checkTenantId, invalid, isStorageConflict, notFound, versionConflict } from "./failure.ts";
import { keys } from "./keys.ts";
import { everyDestination } from "./store.ts";
import type { StoredTenant, TenantStatus } from "./tenant.ts";

type RecordsOnly = Pick<Context, "records">;

/** A customer of the host. */
export interface Tenant {
  id: string;
  status: TenantStatus;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601; of the last change of status. */
  changedAt: string;
}

export const toTenant = ({ id, status, createdAt, changedAt }: StoredTenant): Tenant => ({
  id,
  status,
  createdAt,
  changedAt,
});

export async function readTenant(
  { records }: RecordsOnly,
  tenantId: string,
): Promise<{ tenant: StoredTenant; version: number } | undefined> {
  checkTenantId(tenantId);
  const record = await records.get(keys.tenant(tenantId));
  return record ? { tenant: decode<StoredTenant>(record.value), version: record.version } : undefined;
}

/** In byte order of the escaped id. `after`: the id of the last one seen. */
export async function listTenants(
  { records }: RecordsOnly,
  { after, limit = 100 }: { after?: string; limit?: number } = {},
): Promise<Page<Tenant>> {
  if (after !== undefined) checkTenantId(after);
  const count = Math.min(Math.max(1, limit), 1_000);
  const page = await records.list(keys.tenants, {
    ...(after === undefined ? {} : { after: keys.tenant(after) }),
    limit: count,
  });
  const items = page.map(({ value }) => toTenant(decode<StoredTenant>(value)));
  const last = items.at(-1);
  return { items, ...(page.length === count && last ? { after: last.id } : {}) };
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

/** Who changes a tenant. */
export interface TenantMutation {
  actor?: string;
}

/** Changes a tenant's record by compare-and-set, once per concurrent change. */
export async function changeTenant(
  context: RecordsOnly,
  tenantId: string,
  change: (tenant: StoredTenant) => StoredTenant,
): Promise<{ before: StoredTenant; tenant: StoredTenant }> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = await readTenant(context, tenantId);
    if (!found) throw notFound("tenant");
    const at = new Date(await context.records.now()).toISOString();
    const changed = change(found.tenant);
    const tenant = changed.status === found.tenant.status ? changed : { ...changed, changedAt: at };
    try {
      await context.records.put(keys.tenant(tenantId), encode(tenant), { ifVersion: found.version });
      return { before: found.tenant, tenant };
    } catch (error) {
      if (!isStorageConflict(error)) throw error;
    }
  }
  throw versionConflict();
}

export async function auditTenant(
  context: Context,
  tenantId: string,
  action: string,
  options: TenantMutation,
  detail: AuditLine["detail"] = {},
): Promise<void> {
  await context.audit.record({ tenantId, actor: options.actor ?? "host", action, detail });
}

/**
 * Nothing of this tenant is taken in and nothing leaves; all of it is kept. Safe to repeat.
 *
 * @throws {SnapchatError} `not_found`, `tenant_offboarded`
 */
export async function suspendTenant(context: Context, tenantId: string, options: TenantMutation = {}): Promise<Tenant> {
  const { tenant } = await changeTenant(context, tenantId, (before) => {
    refuseClosed(before);
    return { ...before, status: "suspended" };
  });
  await auditTenant(context, tenantId, "tenant.suspended", options);
  await applyToAll(context, tenantId);
  return toTenant(tenant);
}

/**
 * A suspended tenant goes on where it stopped; an offboarded one starts again, empty. Safe to repeat.
 *
 * @throws {SnapchatError} `not_found`, `tenant_offboarding`
 */
export async function resumeTenant(context: Context, tenantId: string, options: TenantMutation = {}): Promise<Tenant> {
  const { tenant } = await changeTenant(context, tenantId, ({ report: _, ...before }) => {
    if (before.status !== "offboarding") return { ...before, status: "active" };
    throw invalid(
      "tenant_offboarding",
      "This tenant is being offboarded; part of it is gone already.",
      "Call tenants.offboard() again to finish it, then tenants.resume() to start empty.",
    );
  });
  await auditTenant(context, tenantId, "tenant.resumed", options);
  await applyToAll(context, tenantId);
  return toTenant(tenant);
}

async function applyToAll(context: Context, tenantId: string): Promise<void> {
  await context.reader.changed(tenantId);
  for await (const { stored } of everyDestination(context.records, tenantId)) {
    await applyToQueue(context, tenantId, stored.id);
  }
}
