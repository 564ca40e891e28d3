import { connectionAad, connectionKeys, idsOfKey, type StoredConnection } from "./connection.ts";
import type { VaultContext } from "./vault-context.ts";

/** What a round of keeping logins alive did. */
export interface KeepAliveReport {
  /** Logins looked at. */
  connections: number;
  refreshed: number;
  /** They did not open, or their refresh failed: stored with the login, or tried again next time. */
  failed: number;
}

interface Deeds {
  tell: { tell(stored: StoredConnection): void; settled(): Promise<void> };
  refresh(tenantId: string, id: string, staleVersion: number, wait: boolean): Promise<unknown>;
}

/** Refreshes every login that was idle for long, and tells of those that are over. One login's trouble stays its own. */
export async function keepAlive(
  context: VaultContext,
  { tell, refresh }: Deeds,
  o: { signal?: AbortSignal } = {},
): Promise<KeepAliveReport> {
  const { sealed, times } = context;
  const report: KeepAliveReport = { connections: 0, refreshed: 0, failed: 0 };
  for await (const record of sealed.list(connectionKeys.all)) {
    if (o.signal?.aborted) break;
    report.connections += 1;
    const { tenantId, id } = idsOfKey(record.key);
    try {
      const stored = await sealed.open<StoredConnection>(record, connectionAad(tenantId, id));
      if (stored.status !== "connected") {
        tell.tell(stored);
      } else if ((await context.now()) - stored.refreshedAtMs > times.idleMs) {
        await refresh(tenantId, id, stored.tokenVersion, true);
        report.refreshed += 1;
      }
    } catch {
      report.failed += 1;
    }
  }
  await tell.settled();
  return report;
}
