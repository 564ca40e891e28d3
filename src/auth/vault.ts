import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import { isSnapchatError, type Secret } from "../errors.ts";
import type { Fetch, HttpClient } from "../http/index.ts";
import type { Records } from "../storage/ports.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import { createClients } from "./clients.ts";
import {
  connectionAad,
  connectionKeys,
  connectionUnknown,
  credentialOf,
  idsOfKey,
  reauthRequired,
  type StoredConnection,
  type VaultCredential,
} from "./connection.ts";
import { createConnections, type VaultConnections } from "./connections.ts";
import { createDigestKeys } from "./digest-key.ts";
import { type KeepAliveReport, keepAlive } from "./keep-alive.ts";
import { createKeys, type SealedKind, type VaultKeys } from "./keys.ts";
import type { OAuthApp, OAuthClient } from "./oauth-client.ts";
import { createTeller } from "./reauth.ts";
import { type RefreshState, refresh } from "./refresh.ts";
import { judgeRefusal } from "./refusal.ts";
import type { Sealer } from "./seal.ts";
import { createSealedRecords } from "./sealed-records.ts";
import {
  DEFAULT_TIMES,
  engineClock,
  type ReauthTransition,
  type VaultContext,
  type VaultTimes,
} from "./vault-context.ts";

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
  /** The same with version, app and scopes. */
  credential(tenantId: string, connectionId: string): Promise<VaultCredential>;
  /**
   * Snapchat refused the token of this version: status 401, or the Conversions API's 400 for an invalid token.
   * `retry`: another token is there. `pause`: the login is over.
   *
   * @throws {SnapchatError} (retry) where no new token could be had now, or fresh ones were refused too: see `retryAfterMs`
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

interface Held {
  stored: StoredConnection;
  readAt: number;
  /** Engine time from which on it is refreshed. */
  refreshAtMs: number;
}

const HELD_AT_MOST = 20_000;
/** A token that ends sooner is not handed out, unless it never had much more. */
const LAST_USE_MS = 5_000;

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
    now: engineClock(records, clock),
    jitter: options.jitter ?? Math.random,
    randomId: () => randomBytes(16).toString("base64url"),
  };
  const teller = createTeller(context, options.onReauthRequired);
  const state: RefreshState = { ...context, unstored: new Map(), tell: teller.tell };
  const held = new Map<string, Held>();
  const flights = new Map<string, { promise: Promise<StoredConnection>; since: number }>();

  function hold(stored: StoredConnection): Held {
    const key = connectionKeys.one(stored.tenantId, stored.id);
    const before = held.get(key);
    const life = Math.max(0, stored.expiresAtMs - stored.refreshedAtMs);
    const ahead = Math.min(
      times.aheadMs + context.jitter() * times.aheadJitterMs,
      (life / 4) * (0.75 + context.jitter() / 4),
    );
    const same =
      before?.stored.tokenVersion === stored.tokenVersion && before.stored.expiresAtMs === stored.expiresAtMs;
    const entry = {
      stored,
      readAt: clock.monotonic(),
      refreshAtMs: same ? before.refreshAtMs : stored.expiresAtMs - ahead,
    };
    held.delete(key);
    if (held.size >= HELD_AT_MOST) held.delete(held.keys().next().value as string);
    held.set(key, entry);
    return entry;
  }

  async function read(tenantId: string, id: string, o: { fresh: boolean }): Promise<Held> {
    const key = connectionKeys.one(tenantId, id);
    const known = held.get(key);
    if (known && !o.fresh && clock.monotonic() - known.readAt < times.rereadMs) return known;
    const found = await sealed.get<StoredConnection>(key, connectionAad(tenantId, id));
    if (found) return hold(found.value);
    held.delete(key);
    throw connectionUnknown(id);
  }

  /** One refresh per connection in this process; a flight that never lands is not waited for for ever. */
  function fly(tenantId: string, id: string, staleVersion: number, wait: boolean): Promise<StoredConnection> {
    const key = `${connectionKeys.one(tenantId, id)} ${wait}`;
    const flying = flights.get(key);
    const now = clock.monotonic();
    if (flying && now - flying.since < 2 * (times.lockMs + times.waitMs)) return flying.promise;
    const promise = refresh(state, tenantId, id, staleVersion, { wait })
      .then((stored) => hold(stored).stored)
      .finally(() => {
        if (flights.get(key)?.promise === promise) flights.delete(key);
      });
    flights.set(key, { promise, since: now });
    return promise;
  }

  async function credential(tenantId: string, id: string): Promise<VaultCredential> {
    const { stored, refreshAtMs } = await read(tenantId, id, { fresh: false });
    if (stored.status !== "connected") {
      teller.tell(stored);
      if (!state.unstored.has(connectionKeys.one(tenantId, id))) throw reauthRequired(stored);
    }
    const now = await context.now();
    if (now < refreshAtMs && stored.accessToken !== "") return credentialOf(stored);
    const lastUseMs = stored.expiresAtMs - Math.min(LAST_USE_MS, (stored.expiresAtMs - stored.refreshedAtMs) / 10);
    const usable = stored.accessToken !== "" && now < lastUseMs;
    try {
      return credentialOf(await fly(tenantId, id, stored.tokenVersion, !usable));
    } catch (error) {
      held.delete(connectionKeys.one(tenantId, id));
      // Ahead of the end there is time: the token in hand is good, and the next caller tries again.
      if (!usable || !isSnapchatError(error) || error.kind === "reauthorize" || error.code === "connection_unknown") {
        throw error;
      }
      const entry = hold(stored);
      entry.refreshAtMs = Math.min(now + (error.retryAfterMs ?? times.coolDownMs), lastUseMs);
      return credentialOf(stored);
    }
  }

  async function refused(tenantId: string, id: string, version: number): Promise<"retry" | "pause"> {
    try {
      const { stored } = await read(tenantId, id, { fresh: true });
      if (stored.status !== "connected") throw reauthRequired(stored);
      if (stored.tokenVersion > version) return "retry";
      await judgeRefusal(state, stored);
      await fly(tenantId, id, version, true);
      return "retry";
    } catch (error) {
      const over = isSnapchatError(error) && (error.kind === "reauthorize" || error.code === "connection_unknown");
      held.delete(connectionKeys.one(tenantId, id));
      if (over) return "pause";
      throw error;
    }
  }

  const digestKeys = createDigestKeys(context);
  const forget = (tenantId: string, id: string) => {
    const key = connectionKeys.one(tenantId, id);
    held.delete(key);
    state.unstored.delete(key);
  };
  const connections = createConnections(context, { changed: forget });

  return {
    connections,
    keys: createKeys(context, sealer, options.sealedKinds ?? [], options.oldestPayloadMs),
    client,
    credential,
    accessToken: async (tenantId, id) => (await credential(tenantId, id)).token,
    refused,
    keepAlive: (o) => keepAlive(context, { tell: teller, refresh: fly }, o),
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
