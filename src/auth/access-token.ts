import { isSnapchatError } from "../errors.ts";
import {
  connectionAad,
  connectionKeys,
  connectionUnknown,
  credentialOf,
  reauthRequired,
  type StoredConnection,
  type VaultCredential,
} from "./connection.ts";
import { type RefreshState, refresh } from "./refresh.ts";
import { judgeRefusal } from "./refusal.ts";

interface Held {
  stored: StoredConnection;
  readAt: number;
  /** Engine time from which on it is refreshed. */
  refreshAtMs: number;
}

const HELD_AT_MOST = 20_000;
/** A token that ends sooner is not handed out, unless it never had much more. */
const LAST_USE_MS = 5_000;

function isOver(error: unknown): boolean {
  return isSnapchatError(error) && (error.kind === "reauthorize" || error.code === "connection_unknown");
}

/** Access tokens as callers want them: held for a moment, refreshed ahead of their end, replaced where they were refused. */
export function createAccessTokens(state: RefreshState) {
  const { sealed, clock, times } = state;
  const held = new Map<string, Held>();
  /** Refused tokens that could not be replaced yet. */
  const barred = new Map<string, { version: number; until: number; error: unknown }>();
  const flights = new Map<string, { promise: Promise<StoredConnection>; since: number }>();

  function hold(stored: StoredConnection): Held {
    const key = connectionKeys.one(stored.tenantId, stored.id);
    const before = held.get(key);
    const life = Math.max(0, stored.expiresAtMs - stored.refreshedAtMs);
    const ahead = Math.min(
      times.aheadMs + state.jitter() * times.aheadJitterMs,
      (life / 4) * (0.75 + state.jitter() / 4),
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
    let { stored, refreshAtMs } = await read(tenantId, id, { fresh: false });
    // Somebody may have signed in again since, in another process.
    if (stored.status !== "connected") ({ stored, refreshAtMs } = await read(tenantId, id, { fresh: true }));
    if (stored.status !== "connected") {
      state.tell(stored);
      if (!state.unstored.has(connectionKeys.one(tenantId, id))) throw reauthRequired(stored);
    }
    const bar = barred.get(connectionKeys.one(tenantId, id));
    if (bar?.version === stored.tokenVersion) {
      if (clock.monotonic() < bar.until) throw bar.error;
      return credentialOf(await replaceRefused(stored));
    }
    const now = await state.now();
    if (now < refreshAtMs && stored.accessToken !== "") return credentialOf(stored);
    const lastUseMs = stored.expiresAtMs - Math.min(LAST_USE_MS, (stored.expiresAtMs - stored.refreshedAtMs) / 10);
    const usable = stored.accessToken !== "" && now < lastUseMs;
    try {
      return credentialOf(await fly(tenantId, id, stored.tokenVersion, !usable));
    } catch (error) {
      held.delete(connectionKeys.one(tenantId, id));
      // Ahead of the end there is time: the token in hand is good, and the next caller tries again.
      if (!usable || !isSnapchatError(error) || isOver(error)) throw error;
      const entry = hold(stored);
      entry.refreshAtMs = Math.min(now + (error.retryAfterMs ?? times.coolDownMs), lastUseMs);
      return credentialOf(stored);
    }
  }

  /** Gets a token in the place of a refused one, or bars the refused one until it is worth another try. */
  async function replaceRefused(stored: StoredConnection): Promise<StoredConnection> {
    const { tenantId, id, tokenVersion: version } = stored;
    const key = connectionKeys.one(tenantId, id);
    try {
      await judgeRefusal(state, stored);
      const next = await fly(tenantId, id, version, true);
      barred.delete(key);
      return next;
    } catch (error) {
      held.delete(key);
      if (isOver(error)) barred.delete(key);
      else {
        const waitMs = (isSnapchatError(error) ? error.retryAfterMs : undefined) ?? times.coolDownMs;
        if (barred.size >= HELD_AT_MOST) barred.delete(barred.keys().next().value as string);
        barred.set(key, { version, until: clock.monotonic() + waitMs, error });
      }
      throw error;
    }
  }

  async function refused(tenantId: string, id: string, version: number): Promise<"retry" | "pause"> {
    try {
      const { stored } = await read(tenantId, id, { fresh: true });
      if (stored.status !== "connected") return "pause";
      if (stored.tokenVersion <= version) await replaceRefused(stored);
      return "retry";
    } catch (error) {
      // Whoever asks for the token next hears what stands in the way, and for how long.
      return isOver(error) ? "pause" : "retry";
    }
  }

  return {
    credential,
    refused,
    refresh: fly,
    forget(tenantId: string, id: string): void {
      const key = connectionKeys.one(tenantId, id);
      held.delete(key);
      barred.delete(key);
      state.unstored.delete(key);
    },
  };
}
