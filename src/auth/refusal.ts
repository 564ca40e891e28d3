import { SnapchatError } from "../errors.ts";
import { connectionAad, connectionKeys, type StoredConnection } from "./connection.ts";
import { endLogin, type RefreshState } from "./refresh.ts";

/** A token that was good this long was no fresh one: its refusal begins a new count. */
const WORKED_MS = 15 * 60_000;
/** Fresh tokens refused in a row, over at least this long, end a login: a short fault at Snapchat shall not. */
const FINAL_COUNT = 3;
const FINAL_AFTER_MS = 5 * 60_000;
/** Between two refreshes because of refusals. */
const PAUSE_MS = 60_000;

/**
 * Decides what a refused token asks for. Returns where a refresh is due.
 *
 * The first refusal is answered by a refresh at once. A fresh token refused as well is waited with, for a refresh cannot
 * help then: the person lost access, or Snapchat has trouble. The third in five minutes is final.
 *
 * @throws {SnapchatError} `token_refused` (retry) with the wait; `reauth_required` (reauthorize)
 */
export async function judgeRefusal(state: RefreshState, refused: StoredConnection): Promise<void> {
  const { tenantId, id } = refused;
  const key = connectionKeys.one(tenantId, id);
  const aad = connectionAad(tenantId, id);
  for (;;) {
    const found = await state.sealed.get<StoredConnection>(key, aad);
    if (!found || found.value.tokenVersion !== refused.tokenVersion || found.value.status !== "connected") return;
    const stored = found.value;
    const now = await state.now();
    const before = now - stored.refreshedAtMs < WORKED_MS ? stored.refusals : undefined;
    if (before?.version === stored.tokenVersion) {
      // The same token again, from another request or process.
      if (before.count === 1 || now - before.lastAtMs >= PAUSE_MS) return;
      throw tokenRefused(id, PAUSE_MS - (now - before.lastAtMs));
    }
    const count = (before?.count ?? 0) + 1;
    const firstAtMs = before?.firstAtMs ?? now;
    if (count >= FINAL_COUNT && now - firstAtMs >= FINAL_AFTER_MS) {
      await endLogin(state, stored, "token_refused");
      return;
    }
    const wait = count === 1 ? 0 : PAUSE_MS * 2 ** Math.min(count - 2, 4);
    const refusals = { count, firstAtMs, lastAtMs: now + wait - PAUSE_MS, version: stored.tokenVersion };
    if ((await state.sealed.put(key, aad, { ...stored, refusals }, found.version)) === "conflict") continue;
    if (wait > 0) throw tokenRefused(id, wait);
    return;
  }
}

function tokenRefused(id: string, retryAfterMs: number): SnapchatError {
  return new SnapchatError({
    code: "token_refused",
    kind: "retry",
    message: "Snapchat refuses even a fresh access token of this login.",
    fix: "It is tried again; if it stays, a person who may manage the ad account has to sign in again.",
    details: { connectionId: id },
    retryAfterMs: Math.ceil(retryAfterMs),
  });
}
