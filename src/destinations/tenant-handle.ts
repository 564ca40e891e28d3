import type { Page } from "../storage/ports.ts";
import type { Audit, AuditLine, AuditQuery } from "./audit.ts";
import type { Destination } from "./destination.ts";
import type { Destinations, NewDestination } from "./destinations.ts";
import { checkTenantId } from "./failure.ts";
import type { DisableOptions } from "./lifecycle.ts";
import type { MutationOptions } from "./mutation.ts";
import type { PreflightReport } from "./preflight/engine.ts";
import type { DeleteOptions, DeleteReport } from "./remove.ts";
import type { DestinationPatch, UpdateOptions } from "./update.ts";

/** One tenant's destinations. Every id of another tenant is answered with `not_found`. */
export interface TenantDestinations {
  create(wanted: NewDestination, options?: MutationOptions): Promise<Destination>;
  get(destinationId: string): Promise<Destination>;
  list(query?: { after?: string; limit?: number }): Promise<Page<Destination>>;
  update(destinationId: string, patch: DestinationPatch, options?: UpdateOptions): Promise<Destination>;
  rename(destinationId: string, name: string, options?: MutationOptions): Promise<Destination>;
  enable(destinationId: string, options?: MutationOptions): Promise<Destination>;
  disable(destinationId: string, options?: DisableOptions): Promise<Destination>;
  connect(destinationId: string, connectionId: string, options?: MutationOptions): Promise<Destination>;
  disconnect(destinationId: string, options?: MutationOptions): Promise<Destination>;
  checkToken(destinationId: string): Promise<Destination>;
  delete(destinationId: string, options?: DeleteOptions): Promise<DeleteReport>;
}

/** This room's part of a tenant handle. */
export interface TenantHandle {
  readonly id: string;
  readonly destinations: TenantDestinations;
  readonly audit: {
    list(query?: AuditQuery): Promise<Page<AuditLine>>;
    export(query?: Pick<AuditQuery, "destinationId" | "since">): AsyncIterable<string>;
  };
  preflight(destinationId: string): Promise<PreflightReport>;
}

/** Binds every method to one tenant. @throws {SnapchatError} `tenant_id_invalid` */
export function createTenantHandle(
  parts: { destinations: Destinations; audit: Audit },
  tenantId: string,
): TenantHandle {
  checkTenantId(tenantId);
  const { destinations: all, audit } = parts;
  return {
    id: tenantId,
    destinations: {
      create: (wanted, options) => all.create(tenantId, wanted, options),
      get: (id) => all.get(tenantId, id),
      list: (query) => all.list(tenantId, query),
      update: (id, patch, options) => all.update(tenantId, id, patch, options),
      rename: (id, name, options) => all.rename(tenantId, id, name, options),
      enable: (id, options) => all.enable(tenantId, id, options),
      disable: (id, options) => all.disable(tenantId, id, options),
      connect: (id, connectionId, options) => all.connect(tenantId, id, connectionId, options),
      disconnect: (id, options) => all.disconnect(tenantId, id, options),
      checkToken: (id) => all.checkToken(tenantId, id),
      delete: (id, options) => all.delete(tenantId, id, options),
    },
    audit: {
      list: (query) => audit.list(tenantId, query),
      export: (query) => audit.export(tenantId, query),
    },
    preflight: (id) => all.preflight(tenantId, id),
  };
}
