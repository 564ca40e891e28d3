import type { Page } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import { notFound } from "./failure.ts";
import { type OffboardOptions, type OffboardReport, offboardTenant, type TenantData } from "./offboard.ts";
import {
  listTenants,
  readTenant,
  resumeTenant,
  suspendTenant,
  type Tenant,
  type TenantMutation,
  toTenant,
} from "./tenants.ts";

/** The registry of tenants. */
export interface Tenants {
  /** In byte order of the escaped id. `limit`: default 100, at most 1,000. */
  list(query?: { after?: string; limit?: number }): Promise<Page<Tenant>>;
  /** @throws {SnapchatError} `not_found` */
  get(tenantId: string): Promise<Tenant>;
  /** Nothing of this tenant is taken in and nothing leaves; all of it is kept. */
  suspend(tenantId: string, options?: TenantMutation): Promise<Tenant>;
  /** Ends a suspension; what was kept goes on. */
  resume(tenantId: string, options?: TenantMutation): Promise<Tenant>;
  /** Removes everything; cut off, it is called again and goes on. The report says what stays at Snapchat. */
  offboard(tenantId: string, options?: OffboardOptions): Promise<OffboardReport>;
}

/** The registry of tenants. `tenantData`: what other rooms keep of a tenant and remove when it leaves. */
export function createTenants(context: Context, tenantData: readonly TenantData[] = []): Tenants {
  return {
    list: (query) => listTenants(context, query),
    async get(tenantId) {
      const found = await readTenant(context, tenantId);
      if (!found) throw notFound("tenant");
      return toTenant(found.tenant);
    },
    suspend: (tenantId, options) => suspendTenant(context, tenantId, options),
    resume: (tenantId, options) => resumeTenant(context, tenantId, options),
    offboard: (tenantId, options) => offboardTenant(context, tenantData, tenantId, options),
  };
}
