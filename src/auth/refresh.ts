import { isSnapchatError, SnapchatError } from "../errors.ts";
import {
  connectionAad,
  connectionKeys,
  connectionUnknown,
  type ReauthReason,
  reauthRequired,
  type StoredConnection,
} from "./connection.ts";
import { clearCoolDown, readCoolDown, startCoolDown } from "./cool-down.ts";
import type { TokenSet } from "./oauth-client.ts";
import { acquireLock, type Lock } from "./refresh-lock.ts";
import type { VaultContext } from "./vault-context.ts";

/** Tokens that Snapchat gave and the storage did not take: lost, the login would be too. */
export interface Unstored {
  base: StoredConnection;
  tokens: TokenSet;
  askedAtMs: number;
}

export interface RefreshState extends VaultContext {
  unstored: Map<string, Unstored>;
  /** Starts to tell the host of a login that is over. */
  tell(stored: StoredConnection): void;
}

/**
 * One refresh, whoever else wants one: in every process together there is at most one request to the token endpoint per
 * connection.
 *
 *   1. take the lock (a record with a lease), or wait for whoever holds it
 *   2. read again: another may have been faster
 *   3. ask Snapchat; the lease is renewed before each attempt and outlives the attempt's deadline
 *   4. store by compare-and-set, before anybody uses the token
 *
 * Killed between Snapchat's answer and 4, a rotated refresh token is lost and the login ends in `reauth_required`;
 * everywhere else the next caller carries on.
 *
 * @param staleVersion a token newer than this one is what the caller wants
 * @param o.wait `false`: where another holds the lock, give up at once (the token in hand is still good)
 */
export async function refresh(
  state: RefreshState,
  tenantId: string,
  id: string,
  staleVersion: number,
  o: { wait: boolean },
): Promise<StoredConnection> {
  const until = state.clock.monotonic() + (o.wait ? state.times.waitMs : 0);
  const lockKey = connectionKeys.refreshLock(tenantId, id);
  for (;;) {
    const current = await living(state, tenantId, id);
    if (current.tokenVersion > staleVersion) return current;
    await readCoolDown(state, tenantId, id);
    const lock = await acquireLock(state, lockKey, state.times.lockMs);
    if (lock) return holding(state, tenantId, id, staleVersion, lock);
    if (state.clock.monotonic() >= until) throw busy(id);
    await state.clock.sleep(40 + 80 * state.jitter());
  }
}

async function holding(
  state: RefreshState,
  tenantId: string,
  id: string,
  staleVersion: number,
  lock: Lock,
): Promise<StoredConnection> {
  try {
    const base = await living(state, tenantId, id);
    if (base.tokenVersion > staleVersion) return base;
    const saved = await storeLeftOver(state, base);
    if (saved) return saved;
    await readCoolDown(state, tenantId, id);
    return await ask(state, base, lock);
  } finally {
    await lock.release();
  }
}

async function ask(state: RefreshState, base: StoredConnection, lock: Lock): Promise<StoredConnection> {
  const { tenantId, id } = base;
  let askedAtMs = 0;
  let tokens: TokenSet;
  try {
    tokens = await state.client(base.appId).refresh(base.refreshToken, {
      timeoutMs: state.times.requestMs,
      beforeAttempt: async () => {
        await lock.renew();
        askedAtMs = await state.now();
      },
    });
  } catch (error) {
    if (isSnapchatError(error) && error.code === "oauth_invalid_grant") return endLogin(state, base, "invalid_grant");
    if (!isSnapchatError(error) || error.code === "refresh_lock_lost") throw error;
    throw await startCoolDown(state, tenantId, id, error);
  }
  const key = connectionKeys.one(tenantId, id);
  state.unstored.set(key, { base, tokens, askedAtMs });
  const stored = await store(state, base, tokens, askedAtMs);
  state.unstored.delete(key);
  await clearCoolDown(state, tenantId, id);
  return stored;
}

async function storeLeftOver(state: RefreshState, current: StoredConnection): Promise<StoredConnection | undefined> {
  const key = connectionKeys.one(current.tenantId, current.id);
  const left = state.unstored.get(key);
  if (!left) return undefined;
  const stored = await store(state, left.base, left.tokens, left.askedAtMs);
  state.unstored.delete(key);
  return stored.tokenVersion > current.tokenVersion ? stored : undefined;
}

/**
 * Writes new tokens over the very ones they were got with. Where newer ones stand meanwhile (a reconnect, a faster
 * process), those stay. A login that was declared over because of the old refresh token lives again with the new one.
 */
async function store(
  state: RefreshState,
  base: StoredConnection,
  tokens: TokenSet,
  askedAtMs: number,
): Promise<StoredConnection> {
  const { tenantId, id } = base;
  for (;;) {
    const found = await state.sealed.get<StoredConnection>(
      connectionKeys.one(tenantId, id),
      connectionAad(tenantId, id),
    );
    if (!found) throw connectionUnknown(id);
    if (found.value.tokenVersion !== base.tokenVersion || found.value.refreshToken !== base.refreshToken) {
      if (found.value.status !== "connected") throw reauthRequired(found.value);
      return found.value;
    }
    const { reauth: _over, ...rest } = found.value;
    const next: StoredConnection = {
      ...rest,
      status: "connected",
      accessToken: tokens.accessToken.reveal(),
      refreshToken: tokens.refreshToken?.reveal() ?? base.refreshToken,
      ...(tokens.scopes ? { scopes: tokens.scopes } : {}),
      tokenVersion: base.tokenVersion + 1,
      refreshedAtMs: askedAtMs,
      expiresAtMs: askedAtMs + tokens.expiresInMs,
    };
    const key = connectionKeys.one(tenantId, id);
    if ((await state.sealed.put(key, connectionAad(tenantId, id), next, found.version)) !== "conflict") return next;
  }
}

/**
 * Declares a login over, unless newer tokens stand: a refusal of old ones says nothing about them.
 *
 * @throws {SnapchatError} `reauth_required`
 */
export async function endLogin(
  state: RefreshState,
  base: StoredConnection,
  reason: ReauthReason,
): Promise<StoredConnection> {
  const { tenantId, id } = base;
  const key = connectionKeys.one(tenantId, id);
  const aad = connectionAad(tenantId, id);
  for (;;) {
    const found = await state.sealed.get<StoredConnection>(key, aad);
    if (!found) throw connectionUnknown(id);
    if (found.value.status !== "connected") {
      state.tell(found.value);
      throw reauthRequired(found.value);
    }
    if (found.value.tokenVersion !== base.tokenVersion || found.value.refreshToken !== base.refreshToken) {
      return found.value;
    }
    const over: StoredConnection = {
      ...found.value,
      status: "reauth_required",
      accessToken: "",
      reauth: { transitionId: state.randomId(), reason, atMs: await state.now(), told: false },
    };
    if ((await state.sealed.put(key, aad, over, found.version)) === "conflict") continue;
    state.tell(over);
    throw reauthRequired(over);
  }
}

/** @throws {SnapchatError} `connection_unknown`, `reauth_required` */
async function living(state: RefreshState, tenantId: string, id: string): Promise<StoredConnection> {
  const found = await state.sealed.get<StoredConnection>(connectionKeys.one(tenantId, id), connectionAad(tenantId, id));
  if (!found) throw connectionUnknown(id);
  if (found.value.status !== "connected" && !state.unstored.has(connectionKeys.one(tenantId, id))) {
    state.tell(found.value);
    throw reauthRequired(found.value);
  }
  return found.value;
}

function busy(id: string): SnapchatError {
  return new SnapchatError({
    code: "refresh_in_progress",
    kind: "retry",
    message: "Another process is getting a new access token and is not done yet.",
    fix: "Try again in a few seconds.",
    details: { connectionId: id },
    retryAfterMs: 2_000,
  });
}
