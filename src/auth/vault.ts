import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import type { Secret } from "../errors.ts";
import type { Fetch, HttpClient } from "../http/index.ts";
import { createEngineClock } from "../storage/engine-clock.ts";
import type { Records } from "../storage/ports.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import { createAccessTokens } from "./access-token.ts";
import { createClients } from "./clients.ts";
import { connectionKeys, idsOfKey, type VaultCredential } from "./connection.ts";
import { createConnections, type VaultConnections } from "./connections.ts";
import { createDigestKeys } from "./digest-key.ts";
import { type KeepAliveReport, keepAlive } from "./keep-alive.ts";
import { createKeys, type SealedKind, type VaultKeys } from "./keys.ts";
import type { OAuthApp, OAuthClient } from "./oauth-client.ts";
import { createTeller } from "./reauth.ts";
import type { RefreshState } from "./refresh.ts";
import type { Sealer } from "./seal.ts";
import { createSealedRecords } from "./sealed-records.ts";
import { DEFAULT_TIMES, type ReauthTransition, type VaultContext, type VaultTimes } from "./vault-context.ts";

/** What a vault works with. */
export interface VaultOptions {
  records: Records;
  sealer: Sealer;
  /** OAuth apps by id; `default` is used where none is named. */
  apps: Readonly<Record<string, OAuthApp>>;
  endpoints?: Partial<Endpoints> | undefined;
  http?: HttpClient | undefined;
  fetch?: Fetch | undefined;
  /** Instead of the clients that the vault makes from `apps`. */
  oauthClient?: ((appId: string) => OAuthClient) | undefined;
  /** A login is over and a person has to sign in again. At least once per transition; a failure is tried again. */
  onReauthRequired?: ((transition: ReauthTransition) => void | Promise<void>) | undefined;
  /** Further sealed records that `keys.rotate` takes along. */
  sealedKinds?: readonly SealedKind[] | undefined;
  /** When the oldest payload in the outbox and the dead letters was stored, epoch ms; `undefined`: there is none. For `keys.inUse`. */
  oldestPayloadMs?: (() => Promise<number | undefined>) | undefined;
  clock?: Clock | undefined;
  /** From 0 to below 1. Default `Math.random`. */
  jitter?: (() => number) | undefined;
  times?: Partial<VaultTimes> | undefined;
}

/** Logins with their tokens, sealed in the host's storage, refreshed once for all processes. */
export interface Vault {
  readonly connections: VaultConnections;
  readonly keys: VaultKeys;
  /** The OAuth client of an app. @throws {SnapchatError} `oauth_app_unknown` (fix_configuration) */
  client(appId: string): OAuthClient;
  /**
   * An access token that is good for a while yet; refreshed ahead of its end.
   *
   * @throws {SnapchatError} `connection_unknown` (fix_configuration), `reauth_required` (reauthorize);
   * `refresh_cooling_down`, `refresh_in_progress`, `oauth_unavailable` … (retry)
   */
  accessToken(tenantId: string, connectionId: string): Promise<Secret>;
  /**
   * The same with version, app and scopes. After a token was refused and could not be replaced, the refused one is not given
   * out again: `token_refused`, `refresh_cooling_down` (retry) come with the time to wait.
   */
  credential(tenantId: string, connectionId: string): Promise<VaultCredential>;
  /**
   * Snapchat refused the token of this version: status 401, or the Conversions API's 400 for an invalid token.
   * `retry`: ask for a token again, there is another one, or `credential` says what stands in the way and for how long.
   * `pause`: the login is over.
   */
  refused(tenantId: string, connectionId: string, version: number): Promise<"retry" | "pause">;
  /**
   * For a schedule, once a day or so: refreshes logins that were idle for long, and tells again of those that are over
   * and whose host did not hear of it. Safe in every process at once.
   */
  keepAlive(o?: { signal?: AbortSignal }): Promise<KeepAliveReport>;
  /** The tenant's random key for digests of people: 32 bytes, made on first use, never rotated. */
  tenantDigestKey(tenantId: string): Promise<Uint8Array>;
  /** Forgets a tenant for good: its logins, tokens and digest key. Safe to repeat. */
  forgetTenant(tenantId: string): Promise<{ connections: number }>;
  /** Waits for what is under way: telling the host of logins that are over. */
  close(): Promise<void>;
}

/**
 * @example
 * ```ts
 * import { createSealer, createVault } from "snapchat-destination/auth";
 * import type { Records } from "snapchat-destination/storage";
 *
 * export function vaultOf(records: Records, key: string) {
 *   return createVault({
 *     records,
 *     sealer: createSealer({ keys: [key] }),
 *     apps: { default: { clientId: "id", clientSecret: "secret", redirectUri: "https://cdp.example/snapchat/callback" } },
 *     onReauthRequired: ({ tenantId }) => console.log(`${tenantId} has to sign in again`),
 *   });
 * }
 * ```
 */
export function createVault(options: VaultOptions): Vault {
  const { records, sealer } = options;
  const clock = options.clock ?? systemClock;
  const times = { ...DEFAULT_TIMES, ...options.times };
  const client = createClients(options);
  const sealed = createSealedRecords(records, sealer, clock);
  const context: VaultContext = {
    records,
    sealed,
    clock,
    client,
    times,
    now: createEngineClock(records, clock).now,
    jitter: options.jitter ?? Math.random,
    randomId: () => randomBytes(16).toString("base64url"),
  };
  const teller = createTeller(context, options.onReauthRequired);
  const state: RefreshState = { ...context, unstored: new Map(), tell: teller.tell };
  const tokens = createAccessTokens(state);
  const digestKeys = createDigestKeys(context);
  const connections = createConnections(context, { changed: tokens.forget });

  return {
    connections,
    keys: createKeys(context, sealer, options.sealedKinds ?? [], options.oldestPayloadMs),
    client,
    credential: tokens.credential,
    accessToken: async (tenantId, id) => (await tokens.credential(tenantId, id)).token,
    refused: tokens.refused,
    keepAlive: (o) => keepAlive(context, { tell: teller, refresh: tokens.refresh }, o),
    tenantDigestKey: digestKeys.get,
    async forgetTenant(tenantId) {
      let count = 0;
      for await (const record of sealed.list(connectionKeys.ofTenant(tenantId))) {
        await connections.disconnect(tenantId, idsOfKey(record.key).id);
        count += 1;
      }
      await digestKeys.destroy(tenantId);
      return { connections: count };
    },
    async close() {
      teller.close();
      await teller.settled();
    },
  };
}
