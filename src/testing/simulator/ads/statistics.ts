import type { Activity } from "../conversions/activity.ts";
import type { Asset } from "../world.ts";
import { isoTime } from "./envelope.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** `GET /pixels/{id}/stats`: totals by bucket, or a sentence where the bounds are not usable. */
export function pixelStats(pixel: Asset, activity: Activity, query: URLSearchParams): Record<string, unknown> | string {
  const granularity = (query.get("granularity") ?? "TOTAL").toUpperCase();
  const start = Date.parse(query.get("start_time") ?? "");
  const end = Date.parse(query.get("end_time") ?? "");
  if (!["TOTAL", "DAY", "HOUR"].includes(granularity)) return "Unsupported Stats Query: granularity";
  if (Number.isNaN(start) || Number.isNaN(end)) return "Unsupported Stats Query: start_time and end_time are required";
  if (start % HOUR_MS !== 0 || end % HOUR_MS !== 0)
    return "Unsupported Stats Query: times must be at the top of an hour";
  if (end <= start) return "Unsupported Stats Query: end_time must be after start_time";
  const domain = query.get("domain") ?? undefined;
  const width = granularity === "HOUR" ? HOUR_MS : granularity === "DAY" ? DAY_MS : end - start;
  const timeseries = [];
  for (let from = start; from < end; from += width)
    timeseries.push(bucket(activity, from, Math.min(from + width, end)));
  return {
    id: pixel.id,
    type: "PIXEL",
    granularity,
    start_time: isoTime(start),
    end_time: isoTime(end),
    ...(domain === undefined ? {} : { domain }),
    timeseries,
  };
}

function bucket(activity: Activity, from: number, to: number): Record<string, unknown> {
  const byName: Record<string, number> = {};
  let total = 0;
  for (const hour of activity.hours()) {
    if (hour.start < from || hour.start >= to) continue;
    total += hour.total;
    for (const [name, events] of Object.entries(hour.byName)) byName[name] = (byName[name] ?? 0) + events;
  }
  return {
    start_time: isoTime(from),
    end_time: isoTime(to),
    total_events: total,
    event_type_breakdown: byName,
    os_type_breakdown: {},
    browser_type_breakdown: {},
  };
}

/** `GET /pixels/{id}/domains/stats`: the last seven days by domain. */
export function domainStats(pixel: Asset, activity: Activity, now: number): Record<string, unknown> {
  const start = now - 7 * DAY_MS;
  const byDomain = new Map<string, number>();
  for (const hour of activity.hours()) {
    if (hour.start < start) continue;
    for (const [domain, events] of Object.entries(hour.byDomain)) {
      byDomain.set(domain, (byDomain.get(domain) ?? 0) + events);
    }
  }
  return {
    id: pixel.id,
    type: "PIXEL",
    start_time: isoTime(start),
    end_time: isoTime(now),
    domains: [...byDomain].map(([domain_name, total_events]) => ({ domain_name, total_events })),
  };
}
