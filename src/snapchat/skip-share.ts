import type { Clock } from "../clock.ts";
import type { ReceiptPart } from "./receipt.ts";

/** Something about a destination's events has changed that costs conversions. Never a person's data. */
export interface SkipAlarm {
  tenantId: string;
  destinationId: string;
  /** Id of the rule that sends less than it did. */
  rule: string;
  /** Why its events are not sent now; `event_renamed` or `event_missing` where none come any more. */
  reason: string;
  /** Share of the rule's events that was not sent in the window before, 0 to 1. */
  before: number;
  /** The same in the window that has just been. */
  now: number;
  /** The name that came up where the rule's own went away. */
  suspect?: string;
  windowMs: number;
}

export interface SkipShare {
  /** What became of one event of one destination. `unmapped`: its name, where no rule has it. */
  note(of: { tenantId: string; destinationId: string }, parts: readonly ReceiptPart[], unmapped?: string): void;
  /** What each rule skipped in the last window, by reason. */
  shares(destinationId: string): { rule: string; offered: number; skipped: Readonly<Record<string, number>> }[];
}

const BUCKETS = 6;
/** Fewer events say nothing. */
const LEAST = 20;
/** A share that rises by this much is told. */
const RISE = 0.3;
const MOST_DESTINATIONS = 10_000;
const MOST_NAMES = 100;

interface Tally {
  offered: number;
  skipped: Map<string, number>;
}

/** One sixth of a window. */
interface Bucket {
  index: number;
  rules: Map<string, Tally>;
  unmapped: Map<string, number>;
}

interface State {
  tenantId: string;
  /** The last two windows, newest last. */
  buckets: Bucket[];
  /** What was told, and in which bucket. */
  told: Map<string, number>;
}

/**
 * Watches the share of each rule's events that is not sent, over a sliding window and the one before it, in this process:
 * a renamed event, a toggle switched off by mistake or a mistyped consent name shows within the window.
 */
export function createSkipShare(options: {
  clock: Clock;
  alarm: (alarm: SkipAlarm) => void;
  /** Milliseconds. Default an hour. */
  windowMs?: number;
}): SkipShare {
  const { clock, alarm, windowMs = 3_600_000 } = options;
  const states = new Map<string, State>();

  function stateOf({ tenantId, destinationId }: { tenantId: string; destinationId: string }): State {
    let state = states.get(destinationId);
    if (!state) {
      state = { tenantId, buckets: [], told: new Map() };
      if (states.size >= MOST_DESTINATIONS) states.delete(states.keys().next().value ?? "");
      states.set(destinationId, state);
    }
    return state;
  }

  function bucketOf(state: State, destinationId: string): Bucket {
    const index = Math.floor((clock.monotonic() / windowMs) * BUCKETS);
    const last = state.buckets.at(-1);
    if (last?.index === index) return last;
    state.buckets = state.buckets.filter((bucket) => bucket.index > index - 2 * BUCKETS);
    judge(state, destinationId, index);
    const bucket: Bucket = { index, rules: new Map(), unmapped: new Map() };
    state.buckets.push(bucket);
    return bucket;
  }

  /** At the turn of a bucket: the window that ends here against the one before it. */
  function judge(state: State, destinationId: string, index: number): void {
    const recent = state.buckets.filter((bucket) => bucket.index >= index - BUCKETS);
    const earlier = state.buckets.filter((bucket) => bucket.index < index - BUCKETS);
    const [now, before] = [rulesOf(recent), rulesOf(earlier)];
    for (const [rule, was] of before) {
      if (was.offered < LEAST) continue;
      const is = now.get(rule) ?? { offered: 0, skipped: new Map() };
      const rise = shareOf(is) - shareOf(was);
      if (is.offered >= LEAST && rise >= RISE) {
        const [reason = ""] = risen(is, was);
        tell(state, destinationId, index, { rule, reason, before: shareOf(was), now: shareOf(is) });
      }
    }
    const names = new Set(earlier.flatMap(({ unmapped }) => [...unmapped.keys()]));
    const baseBuckets = Math.max(1, state.buckets.length - 1);
    const base = rulesOf(state.buckets.slice(0, baseBuckets));
    for (const [rule, was] of base) {
      if (was.offered < LEAST) continue;
      const suspect = risenInstead(recent, rule, names, was.offered / baseBuckets);
      if (suspect !== undefined) {
        tell(state, destinationId, index, { rule, reason: "event_renamed", before: shareOf(was), now: 1, suspect });
      } else if (before.has(rule) && !now.has(rule) && totalOf(now) >= totalOf(before) / 2) {
        tell(state, destinationId, index, { rule, reason: "event_missing", before: shareOf(was), now: 1 });
      }
    }
  }

  function tell(
    state: State,
    destinationId: string,
    index: number,
    found: Pick<SkipAlarm, "rule" | "reason" | "before" | "now" | "suspect">,
  ): void {
    const key = `${found.rule} ${found.reason}`;
    if ((state.told.get(key) ?? Number.NEGATIVE_INFINITY) > index - BUCKETS) return;
    state.told.set(key, index);
    alarm({ tenantId: state.tenantId, destinationId, windowMs, ...found });
  }

  return {
    note(of, parts, unmapped) {
      const state = stateOf(of);
      const bucket = bucketOf(state, of.destinationId);
      for (const { rule, channel, status, reason } of parts) {
        if (rule === "" || channel === "client") continue;
        let tally = bucket.rules.get(rule);
        if (!tally) {
          tally = { offered: 0, skipped: new Map() };
          bucket.rules.set(rule, tally);
        }
        tally.offered++;
        if (status === "queued" || status === "duplicate") continue;
        tally.skipped.set(reason ?? "", (tally.skipped.get(reason ?? "") ?? 0) + 1);
      }
      if (unmapped === undefined) return;
      const count = bucket.unmapped.get(unmapped);
      if (count !== undefined || bucket.unmapped.size < MOST_NAMES) bucket.unmapped.set(unmapped, (count ?? 0) + 1);
    },
    shares(destinationId) {
      const index = Math.floor((clock.monotonic() / windowMs) * BUCKETS);
      const buckets = states.get(destinationId)?.buckets.filter((bucket) => bucket.index > index - BUCKETS) ?? [];
      return [...rulesOf(buckets)].map(([rule, { offered, skipped }]) => ({
        rule,
        offered,
        skipped: Object.fromEntries(skipped),
      }));
    },
  };
}

function rulesOf(buckets: readonly Bucket[]): Map<string, Tally> {
  const all = new Map<string, Tally>();
  for (const { rules } of buckets) {
    for (const [rule, { offered, skipped }] of rules) {
      const sum = all.get(rule) ?? { offered: 0, skipped: new Map() };
      all.set(rule, sum);
      sum.offered += offered;
      for (const [reason, count] of skipped) sum.skipped.set(reason, (sum.skipped.get(reason) ?? 0) + count);
    }
  }
  return all;
}

const skippedOf = ({ skipped }: Tally) => [...skipped.values()].reduce((sum, count) => sum + count, 0);
const shareOf = (tally: Tally) => (tally.offered === 0 ? 0 : skippedOf(tally) / tally.offered);
const totalOf = (rules: ReadonlyMap<string, Tally>) =>
  [...rules.values()].reduce((sum, { offered }) => sum + offered, 0);

/** The reasons whose share has risen, the most risen first. */
function risen(is: Tally, was: Tally): string[] {
  const rise = (reason: string) =>
    (is.skipped.get(reason) ?? 0) / is.offered - (was.skipped.get(reason) ?? 0) / was.offered;
  return [...is.skipped.keys()].sort((a, b) => rise(b) - rise(a));
}

/**
 * A name nobody maps that came up, about as often, where the rule's own events went away. The bucket in which it came up
 * holds both and is left out.
 *
 * @param usual the rule's events in one bucket
 */
function risenInstead(
  recent: readonly Bucket[],
  rule: string,
  known: ReadonlySet<string>,
  usual: number,
): string | undefined {
  const since = new Map<string, { count: number; own: number; buckets: number }>();
  for (const { rules, unmapped } of recent) {
    for (const [name, one] of since) {
      one.count += unmapped.get(name) ?? 0;
      one.own += rules.get(rule)?.offered ?? 0;
      one.buckets++;
    }
    for (const name of unmapped.keys()) {
      if (!known.has(name) && !since.has(name)) since.set(name, { count: 0, own: 0, buckets: 0 });
    }
  }
  const likely = [...since].filter(([, { count, own, buckets }]) => {
    const expected = usual * buckets;
    return count >= LEAST && own <= count / 10 && count >= expected / 2 && count <= expected * 3;
  });
  return likely.sort(([, a], [, b]) => b.count - a.count)[0]?.[0];
}
