import type { Clock } from "../clock.ts";
import type { SettledItem } from "../delivery/index.ts";
import type { Records } from "../storage/ports.ts";
import { createGathered } from "./gathered.ts";

/** Rule id, or `segment:add` and `segment:remove`: when something of it was last delivered. Milliseconds since 1970. */
type Times = Record<string, number>;

/** As long as names of events are kept. */
const KEPT_MS = 90 * 86_400_000;

const keyOf = (tenantId: string, destinationId: string) =>
  `delivered/${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}`;

/** When each row of a destination's event screen last reached Snapchat. */
export interface LastDelivered {
  note(settled: { tenantId: string; destinationId: string; items: readonly SettledItem[] }): void;
  read(tenantId: string, destinationId: string): Promise<Times>;
  flush(): Promise<void>;
  /** One destination's. */
  forget(tenantId: string, destinationId: string): Promise<void>;
}

export function createLastDelivered({ records, clock }: { records: Records; clock: Clock }): LastDelivered {
  const gathered = createGathered<Times>({
    records,
    clock,
    ttlMs: KEPT_MS,
    merge(stored, pending) {
      const times: Times = { ...stored };
      for (const [row, ms] of Object.entries(pending)) times[row] = Math.max(ms, times[row] ?? 0);
      return times;
    },
  });

  return {
    note({ tenantId, destinationId, items }) {
      const rows = new Set<string>();
      for (const { status, rule } of items) if (status === "delivered" && rule !== undefined) rows.add(rule);
      if (rows.size === 0) return;
      const nowMs = clock.now();
      gathered.add(keyOf(tenantId, destinationId), (pending = Object.create(null) as Times) => {
        for (const row of rows) pending[row] = nowMs;
        return pending;
      });
    },
    read: async (tenantId, destinationId) => (await gathered.read(keyOf(tenantId, destinationId))) ?? {},
    flush: gathered.flush,
    forget: (tenantId, destinationId) => gathered.forget(keyOf(tenantId, destinationId)),
  };
}
