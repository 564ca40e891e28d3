import { isSnapchatError, Secret, SnapchatError } from "../errors.ts";
import { type ConnectionInfo, connectionAad, connectionKeys, infoOf, type StoredConnection } from "./connection.ts";
import { DEFAULT_SCOPES, type TokenSet } from "./oauth-client.ts";
import { patiently } from "./sealed-records.ts";
import type { VaultContext } from "./vault-context.ts";

/** A login to keep. */
export interface NewConnection {
  /** Of an earlier login, to put the new one in its place: what waits for it goes on. Default: a new random id. */
  id?: string | undefined;
  /** A key of `apps`. Default `default`. */
  appId?: string | undefined;
  tokens: TokenSet;
  /** Scopes that were asked for. Default both. */
  askedScopes?: readonly string[] | undefined;
  person?: { id?: string | undefined; name?: string | undefined } | undefined;
}

/** A login that was made elsewhere. */
export interface ImportedConnection {
  id?: string | undefined;
  appId?: string | undefined;
  refreshToken: string | Secret;
  accessToken?: string | Secret | undefined;
  /** What is left of the access token's life. Milliseconds. */
  expiresInMs?: number | undefined;
  scopes?: readonly string[] | undefined;
  person?: { id?: string | undefined; name?: string | undefined } | undefined;
}

export interface SavedConnection extends ConnectionInfo {
  /** `new`; or put in the place of an earlier login of the same or another person (`unknown` where Snapchat did not say). */
  replaced: "new" | "same_person" | "other_person" | "unknown";
}

/** The logins of tenants. */
export interface VaultConnections {
  /**
   * Seals and stores a login, in the place of the earlier one of the same id. @throws {SnapchatError}
   * `refresh_token_missing`
   */
  save(tenantId: string, connection: NewConnection): Promise<SavedConnection>;
  /** Takes over a login from another system. The first use refreshes it. @throws {SnapchatError} `refresh_token_missing` */
  import(tenantId: string, connection: ImportedConnection): Promise<SavedConnection>;
  /** What may be shown of a login; `undefined`: there is none. */
  get(tenantId: string, id: string): Promise<ConnectionInfo | undefined>;
  /** Every login of a tenant, without tokens. */
  list(tenantId: string): Promise<ConnectionInfo[]>;
  /** Forgets a login and its tokens. Snapchat documents no way to revoke them from here. `false`: there was none. */
  disconnect(tenantId: string, id: string): Promise<boolean>;
}

export function createConnections(
  context: VaultContext,
  o: { changed(tenantId: string, id: string): void },
): VaultConnections {
  const { sealed } = context;

  /**
   * The login that a new one replaces. One that no longer opens (its key is gone) can still be replaced: then the record's
   * version, which rises with every token, stands in for the token's.
   */
  async function findBefore(key: string, aad: string) {
    const record = await patiently(() => context.records.get(key), context.clock);
    if (!record) return { version: 0, tokenVersion: 0, value: undefined };
    const { version } = record;
    try {
      const value = await sealed.open<StoredConnection>(record, aad);
      return { version, tokenVersion: value.tokenVersion, value };
    } catch (error) {
      if (!isSnapchatError(error) || error.kind !== "fix_configuration") throw error;
      return { version, tokenVersion: version, value: undefined };
    }
  }

  async function save(tenantId: string, connection: NewConnection): Promise<SavedConnection> {
    const appId = connection.appId ?? "default";
    context.client(appId);
    const refreshToken = connection.tokens.refreshToken?.reveal().trim();
    if (!refreshToken) throw refreshTokenMissing();
    const id = connection.id ?? context.randomId();
    const key = connectionKeys.one(tenantId, id);
    const aad = connectionAad(tenantId, id);
    const { tokens, person } = connection;
    for (;;) {
      const found = await findBefore(key, aad);
      const now = await context.now();
      const stored: StoredConnection = {
        id,
        tenantId,
        appId,
        status: "connected",
        ...(person?.name === undefined ? {} : { person: person.name }),
        ...(person?.id === undefined ? {} : { personId: person.id }),
        ...(tokens.scopes ? { scopes: tokens.scopes } : {}),
        askedScopes: connection.askedScopes ?? DEFAULT_SCOPES,
        connectedAtMs: now,
        refreshedAtMs: now,
        expiresAtMs: now + tokens.expiresInMs,
        accessToken: tokens.accessToken.reveal(),
        refreshToken,
        tokenVersion: found.tokenVersion + 1,
      };
      if ((await sealed.put(key, aad, stored, found.version)) === "conflict") continue;
      o.changed(tenantId, id);
      await context.records.delete(connectionKeys.coolDown(tenantId, id)).catch(() => false);
      return { ...infoOf(stored), replaced: replacedOf(found.value, found.version > 0, stored) };
    }
  }

  return {
    save,
    import(tenantId, { refreshToken, accessToken, expiresInMs, scopes, ...rest }) {
      const tokens: TokenSet = {
        accessToken: secretOf(accessToken ?? ""),
        refreshToken: secretOf(refreshToken ?? ""),
        // Without a token there is nothing to wait for: the first use refreshes.
        expiresInMs: accessToken ? (expiresInMs ?? 0) : 0,
        scopes,
      };
      return save(tenantId, { ...rest, tokens });
    },
    async get(tenantId, id) {
      const found = await sealed.get<StoredConnection>(connectionKeys.one(tenantId, id), connectionAad(tenantId, id));
      return found && infoOf(found.value);
    },
    async list(tenantId) {
      const infos: ConnectionInfo[] = [];
      for await (const record of sealed.list(connectionKeys.ofTenant(tenantId))) {
        const id = decodeURIComponent(record.key.split("/")[2] ?? "");
        infos.push(infoOf(await sealed.open<StoredConnection>(record, connectionAad(tenantId, id))));
      }
      return infos;
    },
    async disconnect(tenantId, id) {
      const was = await sealed.delete(connectionKeys.one(tenantId, id));
      o.changed(tenantId, id);
      return was;
    },
  };
}

function replacedOf(
  before: StoredConnection | undefined,
  existed: boolean,
  now: StoredConnection,
): SavedConnection["replaced"] {
  if (!existed) return "new";
  if (before?.personId === undefined || now.personId === undefined) return "unknown";
  return before.personId === now.personId ? "same_person" : "other_person";
}

function secretOf(text: string | Secret): Secret {
  return typeof text === "string" ? new Secret(text.trim()) : text;
}

function refreshTokenMissing(): SnapchatError {
  return new SnapchatError({
    code: "refresh_token_missing",
    kind: "fix_data",
    message: "A login without a refresh token would be over within the hour.",
    fix: "Give the refresh token that came with the access token, or let a person sign in again.",
  });
}
