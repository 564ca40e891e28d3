import { createPeaks, type Peak } from "./rates.ts";

/** Which of Snapchat's hosts a request was for. */
export type Area = "accounts" | "ads" | "conversions" | "pixel" | "control";

/** One request as it was seen. Never a raw token: `token` is the id that `inspect.tokens` lists. */
export interface RequestRecord {
  number: number;
  /** Arrival by the simulator's clock, epoch milliseconds. */
  at: number;
  area: Area;
  method: string;
  path: string;
  token?: string;
  app?: string;
  /** 0: no answer was given. */
  status: number;
  requestId: string;
  /** Events, identifiers or segments in the body. */
  items?: number;
  /** The id of the fault rule that touched it. */
  fault?: string;
  /** Refused by this rate limit scope. */
  limitedBy?: string;
}

/** How many requests, by what. */
export interface RequestTotals {
  total: number;
  byStatus: Record<string, number>;
  byArea: Record<string, number>;
  /** `POST /v3/{id}/events` → count. */
  byEndpoint: Record<string, number>;
}

/** Every request, or only totals of them. */
export interface Ledger {
  record(entry: RequestRecord): void;
  readonly requests: RequestRecord[];
  totals(): RequestTotals;
  /** The densest second and five seconds by token (`token:…`) and app (`app:…`). */
  peaks(): Record<string, Peak>;
  arrived(scope: string, at: number): void;
  clear(): void;
}

const IDS = /\/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{6,})(?=\/|$)/gi;

export function createLedger(keep: "all" | "counts"): Ledger {
  const requests: RequestRecord[] = [];
  const peaks = createPeaks();
  const byStatus = new Map<string, number>();
  const byArea = new Map<string, number>();
  const byEndpoint = new Map<string, number>();
  let total = 0;

  return {
    requests,
    record(entry) {
      total += 1;
      count(byStatus, String(entry.status));
      count(byArea, entry.area);
      count(byEndpoint, `${entry.method} ${entry.path.replace(IDS, "/{id}")}`);
      if (keep === "all") requests.push(entry);
    },
    totals: () => ({
      total,
      byStatus: Object.fromEntries(byStatus),
      byArea: Object.fromEntries(byArea),
      byEndpoint: Object.fromEntries(byEndpoint),
    }),
    arrived: peaks.arrived,
    peaks: peaks.all,
    clear() {
      requests.length = 0;
      total = 0;
      byStatus.clear();
      byArea.clear();
      byEndpoint.clear();
      peaks.clear();
    },
  };
}

export function count(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
