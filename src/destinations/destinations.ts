import { systemClock } from "../clock.ts";
import { isSnapchatError, type Secret } from "../errors.ts";
import { patientRecords } from "../storage/patient.ts";
import type { Page } from "../storage/ports.ts";
import { createAudit } from "./audit.ts";
import { encode } from "./codec.ts";
import type { Context, DestinationsOptions } from "./context.ts";
import {
  type Destination,
  type StoredDestination,
  toDestination,
  type Unreadable,
  type Versioned,
} from "./destination.ts";
import { applyToQueue } from "./effects.ts";
import { checkId, checkTenantId, fieldUnknown, invalid, isStorageConflict } from "./failure.ts";
import type { ConnectionInfo } from "./interfaces.ts";
import { keys, tokenCredential } from "./keys.ts";
import { connect, type DisableOptions, disable, disconnect, enable } from "./lifecycle.ts";
import { type Maintenance, maintain } from "./maintain.ts";
import { finish, type MutationOptions } from "./mutation.ts";
import { alreadyExists, claimId, readOwner, releaseId } from "./owner.ts";
import { patientQueue } from "./patient-queue.ts";
import type { PreflightReport } from "./preflight/engine.ts";
import { preflight } from "./preflight/setup.ts";
import { createReader } from "./reader.ts";
import { type DeleteOptions, type DeleteReport, remove } from "./remove.ts";
import { type SendingCredential, sendingCredential } from "./sending-credential.ts";
import { mergeSettings, type SettingsPatch } from "./settings.ts";
import { everyDestination, listDestinations, readDestination } from "./store.ts";
import { openTenant, refuseClosedTenant } from "./tenants.ts";
import { openToken } from "./token-secrets.ts";
import { confirmToken, doubtToken, sendsWith } from "./token-status.ts";
import { createUlid } from "./ulid.ts";
import { checkName, type DestinationPatch, type UpdateOptions, update } from "./update.ts";

/** What a destination is created with. */
export interface NewDestination {
  name: string;
  /**
   * An id of yours makes the call safe to repeat: 1 to 64 of letters, digits, `.`, `_`, `-`, unique over all your tenants.
   * Default: a new one.
   */
  id?: string;
  settings?: SettingsPatch;
}

export type Destinations = ReturnType<typeof createDestinations>;

/** The rooms' parts with their defaults. */
export function createContext(options: DestinationsOptions): Context {
  const clock = options.clock ?? systemClock;
  const records = patientRecords(options.records, clock);
  const ulid = createUlid(options.randomBytes);
  return {
    ...options,
    records,
    queue: patientQueue(options.queue, clock),
    clock,
    ulid,
    integration: options.integration,
    visibleAfterMs: options.visibleAfterMs ?? 2_000,
    forget: options.forget ?? (async () => {}),
    audit: createAudit({ records, ulid, onAudit: options.onAudit }),
    reader: createReader({ records, clock }),
  };
}

/** Destination records and their life. Every method takes the tenant first and answers another tenant's id with `not_found`. */
export function createDestinations(context: Context) {
  const { records, connections } = context;

  async function view(versioned: Versioned): Promise<Destination> {
    const { tenantId, connectionId } = versioned.stored;
    return toDestination(versioned, connectionId ? await shownLogin(tenantId, connectionId) : undefined);
  }

  /** What is shown of a login: one whose key is gone hides neither its destination nor the others of a list. */
  async function shownLogin(tenantId: string, id: string): Promise<ConnectionInfo | Unreadable | undefined> {
    try {
      return await connections.info(tenantId, id);
    } catch (error) {
      if (!isSnapchatError(error) || error.kind !== "fix_configuration") throw error;
      return { id, status: "unreadable", problem: error.code };
    }
  }

  return {
    /** A new destination: disabled, server-side on, without account, token or workflow. */
    async create(tenantId: string, wanted: NewDestination, options: MutationOptions = {}): Promise<Destination> {
      checkTenantId(tenantId);
      checkNew(wanted);
      const name = checkName(wanted.name);
      const settings = mergeSettings({}, wanted.settings ?? {});
      const now = await records.now();
      const operation = context.ulid(now);
      const id = wanted.id === undefined ? context.ulid(now) : ownId(wanted.id);
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
      await claimId(context, tenantId, id);
      const actor = options.actor ?? "host";
      const line = { id: operation, at, tenantId, actor, action: "destination.created", destinationId: id, detail: {} };
      await records.put(keys.pending(tenantId, id, operation), encode({ line }));
      const version = await putNew(stored);
      // The tenant may have been offboarded in between: then nobody would remove this one.
      await refuseClosedTenant(context, tenantId, async () => {
        const owner = await readOwner(context, id);
        await records.delete(keys.destination(tenantId, id), { ifVersion: version });
        await releaseId(context, id, owner);
        await records.delete(keys.pending(tenantId, id, operation));
      });
      return view(await finish(context, { line }));
    },

    async get(tenantId: string, id: string): Promise<Destination> {
      return view(await readDestination(records, tenantId, id));
    },

    /** The id of its login, also where the login itself cannot be opened. */
    async connectionOf(tenantId: string, id: string): Promise<string | undefined> {
      return (await readDestination(records, tenantId, id)).stored.connectionId;
    },

    /** In order of creation. `after`: the id of the last one seen. `limit`: default 100, at most 1,000. */
    async list(tenantId: string, query: { after?: string; limit?: number } = {}): Promise<Page<Destination>> {
      const page = await listDestinations(records, tenantId, query);
      const infos = new Map<string, ReturnType<typeof shownLogin>>();
      for (const { stored } of page.items) {
        const { connectionId } = stored;
        if (connectionId && !infos.has(connectionId)) infos.set(connectionId, shownLogin(tenantId, connectionId));
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

    /**
     * Deletes a destination with all that is kept of it. `segments`: what becomes of its segments at Snapchat; default
     * `keep`. Waits two seconds for other processes, then empties the queue. Cut off, it is called again and goes on.
     */
    delete(tenantId: string, id: string, options?: DeleteOptions): Promise<DeleteReport> {
      return remove(context, tenantId, id, options);
    },

    /**
     * Snapchat refused a Conversions token while sending. Asks once more without counting and keeps the answer.
     *
     * @returns `retry`: the token is fine, or the login took its place; `pause`: hold its work
     */
    async tokenRefused(tenantId: string, id: string, n: number): Promise<"retry" | "pause"> {
      const { stored } = await readDestination(records, tenantId, id);
      if (stored.token?.n !== n) return "retry";
      const verdict = await confirmToken(context, tenantId, id);
      if (verdict === "accepted") return "retry";
      if (verdict === "unknown") await doubtToken(context, tenantId, id, n);
      const credentialId = await sendsWith(context, tenantId, id);
      return credentialId === undefined || credentialId === tokenCredential(tenantId, id, n) ? "pause" : "retry";
    },

    /** Whether the n-th Conversions token is in use and accepted: after a pause, what waits for it may go on. */
    async tokenAccepted(tenantId: string, id: string, n: number): Promise<boolean> {
      const { token } = (await readDestination(records, tenantId, id)).stored;
      return token?.n === n && token.status === "accepted";
    },

    /** Asks Snapchat about the token now, for a button "check again". */
    async checkToken(tenantId: string, id: string): Promise<Destination> {
      await confirmToken(context, tenantId, id);
      return view(await readDestination(records, tenantId, id));
    },

    /**
     * A login was lost, mended or disconnected: what uses it is held, or goes on. For the vault's transitions; safe to
     * repeat.
     *
     * @returns the ids of the destinations that use it
     */
    async connectionChanged(tenantId: string, connectionId: string): Promise<string[]> {
      checkTenantId(tenantId);
      checkId(connectionId, "connection");
      const users: string[] = [];
      for await (const { stored } of everyDestination(records, tenantId)) {
        if (stored.connectionId !== connectionId) continue;
        await applyToQueue(context, tenantId, stored.id);
        users.push(stored.id);
      }
      return users;
    },

    /** Looks at the set-up and says what is missing, in a marketer's words. */
    preflight(tenantId: string, id: string): Promise<PreflightReport> {
      return preflight(context, tenantId, id);
    },

    /** Finishes changes that a crash cut off, and asks again about tokens not accepted yet. Run every half minute. */
    maintain(signal?: AbortSignal): Promise<Maintenance> {
      return maintain(context, signal);
    },

    /** The n-th Conversions token of a destination, for the credential `conversions/<t>/<d>/<n>`. */
    conversionsToken(tenantId: string, id: string, n: number): Promise<Secret | undefined> {
      checkTenantId(tenantId);
      checkId(id);
      return openToken(context, tenantId, id, n);
    },

    /** The credential of the Conversions token in use, whatever Snapchat says of it; `undefined` where none was pasted. */
    async ownCredential(tenantId: string, id: string): Promise<string | undefined> {
      const { stored } = await readDestination(records, tenantId, id);
      return stored.token && tokenCredential(tenantId, id, stored.token.n);
    },

    /** What events of an asset leave with now; without an asset, memberships. */
    sendingCredential: (tenantId: string, id: string, assetId?: string): Promise<SendingCredential> =>
      sendingCredential(context, tenantId, id, assetId),

    enabledDestinations: context.reader.enabledDestinations,
    /** A tenant's status and all its destinations, from the same cache. */
    activeTenant: context.reader.tenant,
  };

  async function putNew(stored: StoredDestination): Promise<number> {
    try {
      return await records.put(keys.destination(stored.tenantId, stored.id), encode(stored), { ifVersion: 0 });
    } catch (error) {
      throw isStorageConflict(error) ? alreadyExists() : error;
    }
  }
}

function checkNew(wanted: unknown): void {
  if (typeof wanted !== "object" || wanted === null) {
    throw invalid(
      "destination_invalid",
      "A new destination is an object.",
      'Pass at least a name: { name: "Snapchat" }.',
    );
  }
  const unknown = Object.keys(wanted).find((key) => key !== "name" && key !== "id" && key !== "settings");
  if (unknown === undefined) return;
  throw fieldUnknown(
    unknown,
    "Create it with name, id and settings; what else it has is set by destinations.update().",
  );
}

function ownId(id: unknown): string {
  if (typeof id === "string" && /^[\w.-]{1,64}$/.test(id)) return id;
  throw invalid(
    "id_invalid",
    "An id of a destination is 1 to 64 letters, digits, dots, hyphens or underscores.",
    "Choose such an id, or leave it out.",
  );
}
