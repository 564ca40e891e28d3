const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const KEPT_HOURS = 8 * 24;

/** When events of one asset came: for `validate/stats` (past hour) and the Marketing API's pixel statistics. */
export interface Activity {
  came(at: number, test: boolean, name: string, domain: string | undefined): void;
  stats(now: number): Record<"test" | "live", { latest_event_ts: number | null; event_count_past_hour: number }>;
  /** Totals of live events by hour, oldest first. */
  hours(): { start: number; total: number; byName: Record<string, number>; byDomain: Record<string, number> }[];
}

interface Hour {
  start: number;
  total: number;
  byName: Map<string, number>;
  byDomain: Map<string, number>;
}

/** 61 buckets of a minute for the past hour, and an hourly table of the last eight days. */
export function createActivity(): Activity {
  const lines = { test: createLine(), live: createLine() };
  const hours: Hour[] = [];

  return {
    came(at, test, name, domain) {
      lines[test ? "test" : "live"].came(at);
      if (test) return;
      const start = at - (at % HOUR_MS);
      let hour = hours.at(-1);
      if (!hour || hour.start !== start) {
        hour = { start, total: 0, byName: new Map(), byDomain: new Map() };
        hours.push(hour);
        if (hours.length > KEPT_HOURS) hours.shift();
      }
      hour.total += 1;
      hour.byName.set(name, (hour.byName.get(name) ?? 0) + 1);
      if (domain !== undefined) hour.byDomain.set(domain, (hour.byDomain.get(domain) ?? 0) + 1);
    },
    stats: (now) => ({ test: lines.test.stats(now), live: lines.live.stats(now) }),
    hours: () =>
      hours.map(({ start, total, byName, byDomain }) => ({
        start,
        total,
        byName: Object.fromEntries(byName),
        byDomain: Object.fromEntries(byDomain),
      })),
  };
}

function createLine() {
  const minutes = new Float64Array(61);
  const counts = new Float64Array(61);
  let latest = Number.NaN;
  return {
    came(at: number) {
      const minute = Math.floor(at / MINUTE_MS);
      const slot = minute % 61;
      if (minutes[slot] !== minute) {
        minutes[slot] = minute;
        counts[slot] = 0;
      }
      counts[slot] = (counts[slot] as number) + 1;
      latest = at;
    },
    stats(now: number) {
      const minute = Math.floor(now / MINUTE_MS);
      let events = 0;
      for (let i = 0; i < 61; i++) {
        const age = minute - (minutes[i] as number);
        if (age >= 0 && age < 60) events += counts[i] as number;
      }
      return { latest_event_ts: Number.isNaN(latest) ? null : latest, event_count_past_hour: events };
    },
  };
}
