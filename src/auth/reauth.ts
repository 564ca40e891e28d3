import { connectionAad, connectionKeys, type StoredConnection } from "./connection.ts";
import { acquireLock } from "./refresh-lock.ts";
import type { ReauthTransition, VaultContext } from "./vault-context.ts";

const LONGEST_WAIT_MS = 30 * 60_000;

/**
 * Tells the host of logins that are over: at least once per transition. That it was told is stored with the login, so
 * whoever meets an untold one tells it: the process that saw the refusal, the next that wants the token, the keep-alive.
 */
export function createTeller(
  context: VaultContext,
  onReauthRequired: ((transition: ReauthTransition) => void | Promise<void>) | undefined,
) {
  /** Tries of this process by transition: not before this monotonic time. */
  const notBefore = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  /** `true`: nothing is left to tell. */
  async function attempt(stored: StoredConnection): Promise<boolean> {
    const { reauth, tenantId, id } = stored;
    if (!reauth || !onReauthRequired) return true;
    // Not released after a failure: its end is the wait before the next try, in whichever process.
    const lock = await acquireLock(context, connectionKeys.tellLock(tenantId, id), context.times.tellAgainMs);
    if (!lock) return false;
    await onReauthRequired({
      transitionId: reauth.transitionId,
      tenantId,
      connectionId: id,
      reason: reauth.reason,
      atMs: reauth.atMs,
      ...(stored.person === undefined ? {} : { person: stored.person }),
    });
    await markTold(tenantId, id, reauth.transitionId);
    await lock.release();
    return true;
  }

  /** Paused work asks for no token, so nobody else would come by: this process comes back by itself while it runs. */
  async function again(stored: StoredConnection, tries: number): Promise<void> {
    const wait = Math.min(LONGEST_WAIT_MS, context.times.tellAgainMs * 2 ** Math.min(tries, 10)) + 1_000;
    await context.clock.sleep(wait, closing.signal);
    if (closing.signal.aborted) return;
    const { tenantId, id, reauth } = stored;
    const found = await context.sealed.get<StoredConnection>(
      connectionKeys.one(tenantId, id),
      connectionAad(tenantId, id),
    );
    const now = found?.value.reauth;
    if (found && now && !now.told && now.transitionId === reauth?.transitionId) start(found.value, tries + 1);
  }

  function start(stored: StoredConnection, tries: number): void {
    const task: Promise<void> = attempt(stored)
      .catch(() => false)
      .then((done) => {
        running.delete(task);
        if (!done) again(stored, tries).catch(() => {});
      });
    running.add(task);
  }

  async function markTold(tenantId: string, id: string, transitionId: string): Promise<void> {
    const key = connectionKeys.one(tenantId, id);
    const aad = connectionAad(tenantId, id);
    for (;;) {
      const found = await context.sealed.get<StoredConnection>(key, aad);
      const reauth = found?.value.reauth;
      if (!found || reauth?.transitionId !== transitionId || reauth.told) return;
      const told = { ...found.value, reauth: { ...reauth, told: true } };
      if ((await context.sealed.put(key, aad, told, found.version)) !== "conflict") return;
    }
  }

  return {
    /** Starts telling; a failure is tried again later. */
    tell(stored: StoredConnection): void {
      const { reauth } = stored;
      if (!reauth || reauth.told || !onReauthRequired) return;
      const now = context.clock.monotonic();
      if ((notBefore.get(reauth.transitionId) ?? 0) > now) return;
      if (notBefore.size > 10_000) notBefore.clear();
      notBefore.set(reauth.transitionId, now + context.times.tellAgainMs);
      start(stored, 0);
    },
    /** Resolves when nothing is being told. */
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
    /** Comes back no more. */
    close(): void {
      closing.abort();
    },
  };
}
