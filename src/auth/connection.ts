import { Secret, SnapchatError } from "../errors.ts";

/** Whether a login is good, has to be renewed by a person, or was given up by one. */
export type ConnectionStatus = "connected" | "reauth_required" | "disconnected";

/** Why a login is over. */
export type ReauthReason =
  /** Snapchat no longer accepts the refresh token: revoked, removed from the business, or lost to a crash. */
  | "invalid_grant"
  /** Fresh tokens were refused again and again. */
  | "token_refused";

/** What may be shown of a login. No token in it. */
export interface ConnectionInfo {
  id: string;
  tenantId: string;
  /** The OAuth app it was made with: a key of `apps`. */
  appId: string;
  status: ConnectionStatus;
  /** Who signed in, as Snapchat calls them. For the settings page. */
  person?: string;
  /** Snapchat's id of that person. */
  personId?: string;
  /** As granted. Absent where Snapchat did not say. */
  scopes?: readonly string[];
  /** Asked for and not granted: what they are needed for will fail. */
  missingScopes: readonly string[];
  /** Epoch milliseconds on the storage engine's clock. */
  connectedAtMs: number;
  refreshedAtMs: number;
  /** When the access token in hand ends. */
  expiresAtMs: number;
  /** Set while the status is `reauth_required`. */
  reauth?: { transitionId: string; reason: ReauthReason; atMs: number };
  /** Rises with every new access token. */
  tokenVersion: number;
}

/** A login as it is stored, sealed. */
export interface StoredConnection {
  id: string;
  tenantId: string;
  appId: string;
  status: "connected" | "reauth_required";
  person?: string;
  personId?: string;
  scopes?: readonly string[];
  askedScopes: readonly string[];
  connectedAtMs: number;
  refreshedAtMs: number;
  expiresAtMs: number;
  accessToken: string;
  refreshToken: string;
  tokenVersion: number;
  /** Fresh tokens refused in a row; `version`: of the last one. */
  refusals?: { count: number; firstAtMs: number; lastAtMs: number; version: number };
  reauth?: { transitionId: string; reason: ReauthReason; atMs: number; told: boolean };
}

const part = encodeURIComponent;

export const connectionKeys = {
  all: "connection/",
  ofTenant: (tenantId: string) => `connection/${part(tenantId)}/`,
  one: (tenantId: string, id: string) => `connection/${part(tenantId)}/${part(id)}`,
  refreshLock: (tenantId: string, id: string) => `~lock/refresh/${part(tenantId)}/${part(id)}`,
  coolDown: (tenantId: string, id: string) => `~lock/refresh-failed/${part(tenantId)}/${part(id)}`,
  tellLock: (tenantId: string, id: string) => `~lock/reauth/${part(tenantId)}/${part(id)}`,
} as const;

/** Tenant and id of a key made above. */
export function idsOfKey(key: string): { tenantId: string; id: string } {
  const [, tenant = "", id = ""] = key.split("/");
  return { tenantId: decodeURIComponent(tenant), id: decodeURIComponent(id) };
}

/** Associated data of a connection: a record that was copied to another tenant or id does not open. */
export function connectionAad(tenantId: string, id: string): string {
  return `${part(tenantId)}/${part(id)}/connection`;
}

export function infoOf(stored: StoredConnection): ConnectionInfo {
  const { scopes, reauth, person, personId } = stored;
  return {
    id: stored.id,
    tenantId: stored.tenantId,
    appId: stored.appId,
    status: stored.status,
    ...(person === undefined ? {} : { person }),
    ...(personId === undefined ? {} : { personId }),
    ...(scopes === undefined ? {} : { scopes }),
    missingScopes: scopes === undefined ? [] : stored.askedScopes.filter((scope) => !scopes.includes(scope)),
    connectedAtMs: stored.connectedAtMs,
    refreshedAtMs: stored.refreshedAtMs,
    expiresAtMs: stored.expiresAtMs,
    ...(reauth ? { reauth: { transitionId: reauth.transitionId, reason: reauth.reason, atMs: reauth.atMs } } : {}),
    tokenVersion: stored.tokenVersion,
  };
}

/** An access token with what a sender must know of it. */
export interface VaultCredential {
  token: Secret;
  /** Of the token; give it back to `refused`. */
  version: number;
  appId: string;
  scopes: readonly string[] | undefined;
  expiresAtMs: number;
}

export function credentialOf(stored: StoredConnection): VaultCredential {
  return {
    token: new Secret(stored.accessToken),
    version: stored.tokenVersion,
    appId: stored.appId,
    scopes: stored.scopes,
    expiresAtMs: stored.expiresAtMs,
  };
}

export function connectionUnknown(id: string): SnapchatError {
  return new SnapchatError({
    code: "connection_unknown",
    kind: "fix_configuration",
    message: "This tenant has no such Snapchat login: it was disconnected, or it belongs to somebody else.",
    fix: "Connect the destination to Snapchat again.",
    details: { connectionId: id },
  });
}

export function reauthRequired(stored: StoredConnection): SnapchatError {
  return new SnapchatError({
    code: "reauth_required",
    kind: "reauthorize",
    message: "Snapchat no longer accepts this login.",
    fix: "Let a person who may manage the ad account sign in at Snapchat again; waiting work then goes on.",
    details: {
      connectionId: stored.id,
      transitionId: stored.reauth?.transitionId,
      reason: stored.reauth?.reason ?? "invalid_grant",
    },
  });
}
