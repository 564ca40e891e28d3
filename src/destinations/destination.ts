import type { ConnectionInfo } from "./interfaces.ts";
import type { DestinationSettings } from "./settings.ts";

/** What becomes of work that is queued when a destination is disabled. `finish` still delivers it, `hold` keeps it, `drop` makes it dead letters. */
export type QueueOnDisable = "hold" | "finish" | "drop";
/** What becomes of work that is queued for a pixel or ad account that is no longer chosen. */
export type QueueOnMove = "old_asset" | "drop";

/**
 * - `unconfirmed`: Snapchat has not accepted it yet; it may refuse a new token for an hour. It is checked again by itself.
 * - `accepted`: Snapchat took it for this pixel.
 * - `refused`: Snapchat refused it for longer than a new token needs.
 */
export type TokenStatus = "unconfirmed" | "accepted" | "refused";

/** One place a tenant's data goes: an ad account and a pixel at Snapchat, a login or token, and a workflow. */
export interface Destination {
  id: string;
  tenantId: string;
  name: string;
  enabled: boolean;
  /** The master switch "send data via server-side". Off: new server events are skipped, queued ones held, audiences go on. */
  serverSide: boolean;
  organizationId?: string;
  adAccountId?: string;
  pixelId?: string;
  /** A Snap App ID: the asset of `MOBILE_APP` events. */
  mobileAppId?: string;
  /**
   * Its login. `unreadable`: what is stored of it cannot be opened now; `problem` is the code that says why, usually
   * `encryption_key_gone`. Its work waits until the key is back, or until somebody signs in again.
   */
  connection?: Pick<ConnectionInfo, "id" | "person"> & {
    status: ConnectionInfo["status"] | "unreadable";
    problem?: string;
  };
  /** The long-lived token of the Business Dashboard. Write-only: it reads back masked. */
  conversionsToken?: { masked: string; status: TokenStatus };
  /** Plain JSON, as checked by the workflow room. */
  workflow: unknown;
  settings: DestinationSettings;
  /** Being deleted: `delete()` again finishes it, everything else is refused. */
  deleting?: true;
  /** Rises with every change; give it back as `expectedVersion`. */
  version: number;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  updatedAt: string;
}

/** A destination as the hot path needs it: no login status, and the same object as long as its version is the same. */
export interface ActiveDestination extends Omit<Destination, "connection" | "deleting"> {
  connectionId?: string;
}

/** An asset whose events were queued at some time. */
export interface Asset {
  id: string;
  queue: "deliver" | "drop";
}

/** The stored form. */
export interface StoredDestination {
  id: string;
  tenantId: string;
  name: string;
  enabled: boolean;
  queueOnDisable: QueueOnDisable;
  serverSide: boolean;
  organizationId?: string;
  adAccountId?: string;
  pixelId?: string;
  mobileAppId?: string;
  connectionId?: string;
  token?: StoredToken;
  /** The number of the last token ever saved; numbers are never used again. */
  tokenCount: number;
  workflow?: unknown;
  settings: DestinationSettings;
  assets: Asset[];
  deleting?: { segments: "keep" | "empty" | "delete"; operation: string };
  /** The last operations that wrote this record, newest last: recovery tells from it whether one happened. */
  operations: string[];
  createdAt: string;
  updatedAt: string;
}

export interface StoredToken {
  n: number;
  masked: string;
  status: TokenStatus;
  savedAtMs: number;
}

/** A stored destination together with the version of its record. */
export interface Versioned {
  stored: StoredDestination;
  version: number;
}

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

function shared({ stored, version }: Versioned): Omit<ActiveDestination, "connectionId"> {
  return {
    id: stored.id,
    tenantId: stored.tenantId,
    name: stored.name,
    enabled: stored.enabled,
    serverSide: stored.serverSide,
    ...optional("organizationId", stored.organizationId),
    ...optional("adAccountId", stored.adAccountId),
    ...optional("pixelId", stored.pixelId),
    ...optional("mobileAppId", stored.mobileAppId),
    ...optional("conversionsToken", stored.token && { masked: stored.token.masked, status: stored.token.status }),
    workflow: stored.workflow,
    settings: stored.settings,
    version,
    createdAt: stored.createdAt,
    updatedAt: stored.updatedAt,
  };
}

/** The public form, with what the vault says of its login. */
export function toDestination(versioned: Versioned, connection: ConnectionInfo | Unreadable | undefined): Destination {
  return {
    ...shared(versioned),
    ...optional("connection", connection && shownConnection(connection)),
    ...optional("deleting", versioned.stored.deleting && (true as const)),
  };
}

/** A login that is there and cannot be opened. */
export interface Unreadable {
  id: string;
  status: "unreadable";
  problem: string;
}

function shownConnection(connection: ConnectionInfo | Unreadable): NonNullable<Destination["connection"]> {
  if (connection.status === "unreadable") return connection;
  return { id: connection.id, status: connection.status, ...optional("person", connection.person) };
}

export function toActive(versioned: Versioned): ActiveDestination {
  return { ...shared(versioned), ...optional("connectionId", versioned.stored.connectionId) };
}

/** The assets that events of this destination go to now: the pixel, and the app for `MOBILE_APP` events. */
export function currentAssets(stored: Pick<StoredDestination, "pixelId" | "mobileAppId">): string[] {
  return [stored.pixelId, stored.mobileAppId].filter((id) => id !== undefined);
}
