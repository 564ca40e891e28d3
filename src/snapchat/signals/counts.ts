/** What is counted of one event name of a destination in one bucket of time. Sums; nothing in it names a person. */
export interface EventCounts {
  /** Ready to be sent. */
  accepted: number;
  /** With an id that the host's own event carried, which the pixel can share. */
  sharedId: number;
  /** Events that carry this `user_data` field. */
  identifiers: Record<string, number>;
  /** Of a PURCHASE: events that carry this `custom_data` field. */
  purchase: Record<"value" | "currency" | "order_id" | "contents", number>;
  /** Repairs and warnings by code. */
  issues: Record<string, number>;
  /** Snapchat answered VALID. */
  delivered: number;
  /** From `event_time` to the answer, summed over the delivered ones. Milliseconds. */
  ageMs: number;
}

/** One bucket: events by Snapchat's name, and what was not sent by rule and reason. */
export interface Bucket {
  events: Record<string, EventCounts>;
  /** `rule status reason`, or ` skipped unknown_event` where no rule matched. */
  outcomes: Record<string, number>;
  /** Accepted events whose id another event with other content had before, as this process saw it. */
  reusedIds: number;
}

/** Buckets by their number since 1970. */
export type SignalCounts = Record<string, Bucket>;

export const BUCKET_MS = 4 * 3_600_000;
export const BUCKETS = 6;
/** What is shown: the last day. */
export const WINDOW_MS = BUCKETS * BUCKET_MS;

/** Names and reasons in one bucket; an attacker can send any number. */
const MOST = 200;

export function newBucket(): Bucket {
  return { events: Object.create(null), outcomes: Object.create(null), reusedIds: 0 };
}

export function newCounts(): EventCounts {
  return {
    accepted: 0,
    sharedId: 0,
    identifiers: Object.create(null),
    purchase: { value: 0, currency: 0, order_id: 0, contents: 0 },
    issues: Object.create(null),
    delivered: 0,
    ageMs: 0,
  };
}

/** One more of `name`, as long as there is room. */
export function count(into: Record<string, number>, name: string, by = 1): void {
  const known = into[name];
  if (known !== undefined) into[name] = known + by;
  else if (Object.keys(into).length < MOST) into[name] = by;
}

/** The counts of an event name; `undefined` where there is no room for another name. */
export function countsOf(bucket: Bucket, eventName: string): EventCounts | undefined {
  const known = bucket.events[eventName];
  if (known || Object.keys(bucket.events).length >= MOST) return known;
  const made = newCounts();
  bucket.events[eventName] = made;
  return made;
}

/** The sums of both, without buckets older than `oldest`. Neither side is changed. */
export function joinCounts(stored: SignalCounts, pending: SignalCounts, oldest: number): SignalCounts {
  const joined: SignalCounts = {};
  for (const side of [stored, pending]) {
    for (const [number, bucket] of Object.entries(side)) {
      if (Number(number) < oldest) continue;
      joined[number] = joinBuckets(joined[number] ?? newBucket(), bucket);
    }
  }
  return joined;
}

/** Adds `more` to `into`. */
export function joinBuckets(into: Bucket, more: Bucket): Bucket {
  into.reusedIds += more.reusedIds;
  for (const [name, amount] of Object.entries(more.outcomes)) count(into.outcomes, name, amount);
  for (const [name, counts] of Object.entries(more.events)) {
    const own = countsOf(into, name);
    if (!own) continue;
    for (const key of ["accepted", "sharedId", "delivered", "ageMs"] as const) own[key] += counts[key];
    for (const key of ["identifiers", "issues"] as const) {
      for (const [field, amount] of Object.entries(counts[key])) count(own[key], field, amount);
    }
    for (const key of ["value", "currency", "order_id", "contents"] as const) own.purchase[key] += counts.purchase[key];
  }
  return into;
}
