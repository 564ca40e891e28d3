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
  /**
   * Makes a destination: disabled, server-side on, without account, token or workflow. With an id of yours it is safe to
   * repeat.
   */
  create(wanted: NewDestination, options?: MutationOptions): Promise<Destination>;
  /** The destination. @throws {SnapchatError} `not_found`, also where it is another tenant's */
  get(destinationId: string): Promise<Destination>;
  /** In order of creation. `after`: the id of the last one seen. `limit`: default 100, at most 1,000. */
  list(query?: { after?: string; limit?: number }): Promise<Page<Destination>>;
  /**
   * Changes what is given and keeps the rest; a token is sealed, asked about, and never read back. With an expected
   * version it refuses to overwrite another change.
   */
  update(destinationId: string, patch: DestinationPatch, options?: UpdateOptions): Promise<Destination>;
  /** Gives it another name; nothing else changes. */
  rename(destinationId: string, name: string, options?: MutationOptions): Promise<Destination>;
  /** Events are taken and delivered from now on; what was held goes on. */
  enable(destinationId: string, options?: MutationOptions): Promise<Destination>;
  /** Takes nothing more; what is queued is held, finished or dropped. */
  disable(destinationId: string, options?: DisableOptions): Promise<Destination>;
  /** Puts a stored login into the destination. */
  connect(destinationId: string, connectionId: string, options?: MutationOptions): Promise<Destination>;
  /** Takes the login out and forgets its tokens, unless another destination uses it. Events on a Conversions token go on. */
  disconnect(destinationId: string, options?: MutationOptions): Promise<Destination>;
  /** Asks Snapchat about the Conversions API token now. */
  checkToken(destinationId: string): Promise<Destination>;
  /**
   * Removes it with its queue; segments at Snapchat are kept, emptied or deleted, as chosen. Cut off, it is called
   * again.
   */
  delete(destinationId: string, options?: DeleteOptions): Promise<DeleteReport>;
}

/** This room's part of a tenant handle. */
export interface TenantHandle {
  readonly id: string;
  readonly destinations: TenantDestinations;
  readonly audit: {
    /** A page of the audit trail, oldest first. */
    list(query?: AuditQuery): Promise<Page<AuditLine>>;
    /** Every line as a line of JSON, with its line feed. */
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
