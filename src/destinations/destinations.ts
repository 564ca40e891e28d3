import { systemClock } from "../clock.ts";
import type { Secret } from "../errors.ts";
import type { Page } from "../storage/ports.ts";
import { createAudit } from "./audit.ts";
import { encode } from "./codec.ts";
import type { Context, DestinationsOptions } from "./context.ts";
import { openToken } from "./conversions-token.ts";
import { type Destination, type StoredDestination, toDestination, type Versioned } from "./destination.ts";
import { checkId, checkTenantId, invalid, isStorageConflict } from "./failure.ts";
import type { ConnectionInfo } from "./interfaces.ts";
import { keys } from "./keys.ts";
import { connect, type DisableOptions, disable, disconnect, enable } from "./lifecycle.ts";
import type { MutationOptions } from "./mutation.ts";
import { createReader } from "./reader.ts";
import { mergeSettings, type SettingsPatch } from "./settings.ts";
import { listDestinations, readDestination } from "./store.ts";
import { openTenant, refuseClosedTenant } from "./tenants.ts";
import { randomBytes, ulid } from "./ulid.ts";
import { checkName, type DestinationPatch, type UpdateOptions, update } from "./update.ts";

export interface NewDestination {
  name: string;
  /** An id of yours makes the call safe to repeat: 1 to 64 of letters, digits, `.`, `_`, `-`. Default: a new one. */
  id?: string;
  settings?: SettingsPatch;
}

export type Destinations = ReturnType<typeof createDestinations>;

/** The rooms' parts with their defaults. */
export function createContext(options: DestinationsOptions): Context {
  const clock = options.clock ?? systemClock;
  return {
    ...options,
    clock,
    randomBytes: options.randomBytes ?? randomBytes,
    visibleAfterMs: options.visibleAfterMs ?? 2_000,
    audit: createAudit(options),
    reader: createReader({ records: options.records, clock }),
  };
}

/** Destination records and their life. Every method takes the tenant first and answers another tenant's id with `not_found`. */
export function createDestinations(context: Context) {
  const { records, connections } = context;

  async function view(versioned: Versioned): Promise<Destination> {
    const { tenantId, connectionId } = versioned.stored;
    return toDestination(versioned, connectionId ? await connections.info(tenantId, connectionId) : undefined);
  }

  return {
    /** A new destination: disabled, server-side on, without account, token or workflow. */
    async create(tenantId: string, wanted: NewDestination, options: MutationOptions = {}): Promise<Destination> {
      checkTenantId(tenantId);
      const name = checkName(wanted.name);
      const settings = mergeSettings({}, wanted.settings ?? {});
      const now = await records.now();
      const operation = ulid(now, context.randomBytes);
      const id = wanted.id === undefined ? ulid(now, context.randomBytes) : ownId(wanted.id);
      const at = new Date(now).toISOString();
      const stored: StoredDestination = {
        id,
        tenantId,
        name,
        enabled: false,
        queueOnDisable: "hold",
        serverSide: true,
        tokenCount: 0,
        settings,
        assets: [],
        operations: [operation],
        createdAt: at,
        updatedAt: at,
      };
      await openTenant(context, tenantId);
      const version = await putNew(stored);
      // The tenant may have been offboarded in between: then nobody would remove this one.
      await refuseClosedTenant(context, tenantId, async () => {
        await records.delete(keys.destination(tenantId, id), { ifVersion: version });
      });
      await context.audit.write({
        id: operation,
        at,
        tenantId,
        actor: options.actor ?? "host",
        action: "destination.created",
        destinationId: id,
        detail: {},
      });
      await context.reader.changed(tenantId);
      return view({ stored, version });
    },

    async get(tenantId: string, id: string): Promise<Destination> {
      return view(await readDestination(records, tenantId, id));
    },

    /** In order of creation. `after`: the id of the last one seen. `limit`: default 100, at most 1,000. */
    async list(tenantId: string, query: { after?: string; limit?: number } = {}): Promise<Page<Destination>> {
      const page = await listDestinations(records, tenantId, query);
      const infos = new Map<string, Promise<ConnectionInfo | undefined>>();
      for (const { stored } of page.items) {
        const { connectionId } = stored;
        if (connectionId && !infos.has(connectionId)) infos.set(connectionId, connections.info(tenantId, connectionId));
      }
      const items = page.items.map(async (item) =>
        toDestination(item, await infos.get(item.stored.connectionId ?? "")),
      );
      return { ...page, items: await Promise.all(items) };
    },

    async update(tenantId: string, id: string, patch: DestinationPatch, options?: UpdateOptions): Promise<Destination> {
      return view(await update(context, tenantId, id, patch, options));
    },

    async rename(tenantId: string, id: string, name: string, options?: MutationOptions): Promise<Destination> {
      return view(await update(context, tenantId, id, { name }, options));
    },

    async enable(tenantId: string, id: string, options?: MutationOptions): Promise<Destination> {
      return view(await enable(context, tenantId, id, options));
    },

    async disable(tenantId: string, id: string, options?: DisableOptions): Promise<Destination> {
      return view(await disable(context, tenantId, id, options));
    },

    /** After a sign-in: the destination uses this login from now on. */
    async connect(tenantId: string, id: string, connectionId: string, options?: MutationOptions): Promise<Destination> {
      return view(await connect(context, tenantId, id, connectionId, options));
    },

    async disconnect(tenantId: string, id: string, options?: MutationOptions): Promise<Destination> {
      return view(await disconnect(context, tenantId, id, options));
    },

    /** The n-th Conversions token of a destination, for the credential `conversions/<t>/<d>/<n>`. */
    conversionsToken(tenantId: string, id: string, n: number): Promise<Secret | undefined> {
      checkTenantId(tenantId);
      checkId(id);
      return openToken(context, tenantId, id, n);
    },

    enabledDestinations: context.reader.enabledDestinations,
  };

  async function putNew(stored: StoredDestination): Promise<number> {
    try {
      return await records.put(keys.destination(stored.tenantId, stored.id), encode(stored), { ifVersion: 0 });
    } catch (error) {
      if (!isStorageConflict(error)) throw error;
      throw invalid(
        "already_exists",
        "This tenant already has a destination with that id.",
        "Read it, or choose another id.",
      );
    }
  }
}

function ownId(id: unknown): string {
  if (typeof id === "string" && /^[\w.-]{1,64}$/.test(id)) return id;
  throw invalid(
    "id_invalid",
    "An id of a destination is 1 to 64 letters, digits, dots, hyphens or underscores.",
    "Choose such an id, or leave it out.",
  );
}
