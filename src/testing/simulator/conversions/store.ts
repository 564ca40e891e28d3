import type { Knobs } from "../knobs.ts";
import { count } from "../ledger.ts";
import { type Activity, createActivity } from "./activity.ts";
import { type Channel, createDedupe } from "./dedupe.ts";
import type { Verdict } from "./verdict.ts";

/**
 * What became of one event. `refused_with_batch`: nothing was wrong with it, but another event of its request was, and
 * nothing of the request was taken. `test` and `shadow`: judged and answered, never counted.
 */
export type Outcome = "counted" | "duplicate" | "rejected" | "refused_with_batch" | "test" | "shadow";

/** One event as it arrived. */
export interface EventRecord {
  at: number;
  channel: Channel;
  assetId: string;
  name: string;
  eventId: string | undefined;
  /** Milliseconds. */
  timeMs: number;
  orderId: string | undefined;
  outcome: Outcome;
  /** Words of `ERRORS`, where it was rejected. */
  why: readonly string[];
  warnings: readonly string[];
  /** The number of the request that brought it. */
  request: number;
  /** The event itself: Conversions API object, or the pixel's parameters by wire key. */
  event: Record<string, unknown>;
}

/** Events of one channel or asset, by what became of them. */
export interface ChannelCounts {
  /** All that were sent to be counted; the other four sum up to it. */
  received: number;
  counted: number;
  duplicates: number;
  rejected: number;
  refusedWithBatch: number;
}

/** All events, by channel, asset, name and reason. */
export interface EventTotals extends ChannelCounts {
  server: ChannelCounts;
  pixel: ChannelCounts;
  /** By a word that says why. */
  rejectedBy: Record<string, number>;
  warnedBy: Record<string, number>;
  countedByName: Record<string, number>;
  byAsset: Record<string, ChannelCounts>;
  /** Sent with a test code or to `/validate`; in none of the numbers above. */
  test: number;
  /** Pixel hits of pages on `localhost`. */
  shadow: number;
}

const none = (): ChannelCounts => ({ received: 0, counted: 0, duplicates: 0, rejected: 0, refusedWithBatch: 0 });

/** Everything Snapchat has counted, and the events themselves where they are kept. */
export interface EventStore {
  take(
    verdict: Verdict,
    from: { channel: Channel; assetId: string; at: number; request: number; event: Record<string, unknown> },
    forced?: Exclude<Outcome, "counted" | "duplicate">,
  ): Outcome;
  activity(assetId: string): Activity;
  totals(): EventTotals;
  readonly records: EventRecord[];
  clear(): void;
}

export function createEventStore(knobs: Knobs, keep: "all" | "counts"): EventStore {
  const dedupe = createDedupe(knobs);
  const records: EventRecord[] = [];
  const counted = new Map<string, EventRecord>();
  const channels: Record<Channel, ChannelCounts> = { server: none(), pixel: none() };
  const byAsset = new Map<string, ChannelCounts>();
  const rejectedBy = new Map<string, number>();
  const warnedBy = new Map<string, number>();
  const countedByName = new Map<string, number>();
  const activities = new Map<string, Activity>();
  let test = 0;
  let shadow = 0;

  function activity(assetId: string): Activity {
    let found = activities.get(assetId);
    if (!found) {
      found = createActivity();
      activities.set(assetId, found);
    }
    return found;
  }

  function countOutcome(outcome: Outcome, counts: ChannelCounts): void {
    counts.received += 1;
    if (outcome === "counted") counts.counted += 1;
    else if (outcome === "duplicate") counts.duplicates += 1;
    else if (outcome === "rejected") counts.rejected += 1;
    else counts.refusedWithBatch += 1;
  }

  return {
    records,
    activity,
    take(verdict, { channel, assetId, at, request, event }, forced) {
      const { name, eventId, timeMs, orderId } = verdict;
      let outcome: Outcome;
      if (forced !== undefined) {
        outcome = forced;
      } else {
        outcome = dedupe.isDuplicate({ channel, assetId, name, eventId, timeMs, orderId, at })
          ? "duplicate"
          : "counted";
      }
      if (outcome === "test") test += 1;
      else if (outcome === "shadow") shadow += 1;
      else {
        countOutcome(outcome, channels[channel]);
        let asset = byAsset.get(assetId);
        if (!asset) {
          asset = none();
          byAsset.set(assetId, asset);
        }
        countOutcome(outcome, asset);
        if (outcome === "counted") count(countedByName, name);
        if (outcome === "rejected") for (const { why } of verdict.errors) count(rejectedBy, why);
        if (outcome !== "refused_with_batch") for (const { why } of verdict.warnings) count(warnedBy, why);
      }
      if (outcome === "counted" || outcome === "duplicate" || outcome === "test") {
        activity(assetId).came(at, outcome === "test", name, domainOf(event));
      }
      if (keep === "all") {
        const record: EventRecord = {
          at,
          channel,
          assetId,
          name,
          eventId,
          timeMs,
          orderId,
          outcome,
          why: verdict.errors.map((problem) => problem.why),
          warnings: verdict.warnings.map((problem) => problem.why),
          request,
          event,
        };
        records.push(record);
        mergeDuplicate(record);
      }
      return outcome;
    },
    totals: () => ({
      received: channels.server.received + channels.pixel.received,
      counted: channels.server.counted + channels.pixel.counted,
      duplicates: channels.server.duplicates + channels.pixel.duplicates,
      rejected: channels.server.rejected + channels.pixel.rejected,
      refusedWithBatch: channels.server.refusedWithBatch + channels.pixel.refusedWithBatch,
      server: { ...channels.server },
      pixel: { ...channels.pixel },
      rejectedBy: Object.fromEntries(rejectedBy),
      warnedBy: Object.fromEntries(warnedBy),
      countedByName: Object.fromEntries(countedByName),
      byAsset: Object.fromEntries([...byAsset].map(([id, counts]) => [id, { ...counts }])),
      test,
      shadow,
    }),
    clear() {
      dedupe.clear();
      records.length = 0;
      counted.clear();
      Object.assign(channels, { server: none(), pixel: none() });
      for (const map of [byAsset, rejectedBy, warnedBy, countedByName, activities]) map.clear();
      test = 0;
      shadow = 0;
    },
  };

  /** The older rule of the documentation: the first survives, and takes over what only the second says. */
  function mergeDuplicate(record: EventRecord): void {
    if (record.eventId === undefined) return;
    const key = `${record.assetId} ${record.eventId}`;
    if (record.outcome === "counted") {
      counted.set(key, record);
    } else if (record.outcome === "duplicate") {
      const first = counted.get(key);
      if (first && first.channel === record.channel) first.event = { ...record.event, ...first.event };
    }
  }
}

function domainOf(event: Record<string, unknown>): string | undefined {
  const url = event.event_source_url ?? event.pl;
  if (typeof url !== "string") return undefined;
  const start = url.indexOf("//") + 2;
  if (start === 1) return undefined;
  let end = start;
  for (; end < url.length; end++) {
    const c = url.charCodeAt(end);
    if (c === 47 || c === 58 || c === 63 || c === 35) break;
  }
  return url.slice(start, end);
}
