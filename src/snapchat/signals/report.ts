import { type EventCounts, joinBuckets, newBucket, newCounts, type SignalCounts, WINDOW_MS } from "./counts.ts";

/** How good the signal of one Snap event name was over the window. Shares are 0 to 1. */
export interface EventSignal {
  /** Snapchat's name. */
  event: string;
  /** Events that were ready to be sent. */
  accepted: number;
  /** Events that Snapchat answered VALID to. */
  delivered: number;
  /** Share with each `user_data` field. */
  identifiers: Readonly<Record<string, number>>;
  /** Share whose id the pixel can carry too, so that Snapchat counts both copies once. */
  deduplicable: number;
  /** Of a PURCHASE: share with each field that value optimisation works with. */
  purchase?: Readonly<Record<"value" | "currency" | "order_id" | "contents", number>>;
  /** Mean time from `event_time` to Snapchat's answer. Milliseconds. */
  ageMs?: number;
  /** Repairs and warnings by code; the words are in docs/repairs.md. */
  repairs: Readonly<Record<string, number>>;
}

/** Something that would raise matching, with how many events it concerns. */
export interface SignalAdvice {
  /** The `user_data` field. */
  field: string;
  /** Accepted events of the window that lack it. */
  events: number;
  message: string;
  fix: string;
}

/** Signal quality of a destination over the last day. */
export interface SignalReport {
  windowMs: number;
  events: EventSignal[];
  /** What was not sent, by rule and reason. An empty rule: no rule matched. */
  notSent: { rule: string; status: "skipped" | "rejected"; reason: string; count: number }[];
  /** Decisions per rule, sent or not. */
  offered: Readonly<Record<string, number>>;
  /** Events whose id stood on another event before, in a sample of a quarter of the ids. */
  reusedIds: number;
  /** The three changes that would raise matching most. */
  advice: SignalAdvice[];
}

export function reportOf(counts: SignalCounts): SignalReport {
  const all = Object.values(counts).reduce(joinBuckets, newBucket());
  const events = Object.entries(all.events).map(([name, event]) => signalOf(name, event));
  const notSent: SignalReport["notSent"] = [];
  const offered: Record<string, number> = {};
  for (const [key, amount] of Object.entries(all.outcomes)) {
    const [rule = "", status = "", reason = ""] = key.split(" ");
    offered[rule] = (offered[rule] ?? 0) + amount;
    if (status === "skipped" || status === "rejected") notSent.push({ rule, status, reason, count: amount });
  }
  return {
    windowMs: WINDOW_MS,
    events: events.sort((a, b) => b.accepted - a.accepted),
    notSent: notSent.sort((a, b) => b.count - a.count),
    offered,
    reusedIds: all.reusedIds,
    advice: adviceOf(all.events),
  };
}

function signalOf(event: string, counts: EventCounts): EventSignal {
  const share = (amount: number) => (counts.accepted === 0 ? 0 : amount / counts.accepted);
  const { purchase } = counts;
  return {
    event,
    accepted: counts.accepted,
    delivered: counts.delivered,
    identifiers: Object.fromEntries(Object.entries(counts.identifiers).map(([name, amount]) => [name, share(amount)])),
    deduplicable: share(counts.sharedId),
    ...(event === "PURCHASE"
      ? {
          purchase: {
            value: share(purchase.value),
            currency: share(purchase.currency),
            order_id: share(purchase.order_id),
            contents: share(purchase.contents),
          },
        }
      : {}),
    ...(counts.delivered === 0 ? {} : { ageMs: counts.ageMs / counts.delivered }),
    repairs: { ...counts.issues },
  };
}

/**
 * How much an identifier is worth for matching, and how a marketer gets it. The order is ours: Snapchat names mail,
 * phone and the click id first and publishes no weights.
 */
const WORTH: readonly { field: string; weight: number; name: string; fix: string }[] = [
  {
    field: "em",
    weight: 10,
    name: "e-mail address",
    fix: "Map the customer's e-mail address, also on events before checkout.",
  },
  { field: "ph", weight: 8, name: "phone number", fix: "Map the customer's phone number and set the default country." },
  {
    field: "sc_click_id",
    weight: 7,
    name: "Snapchat click id",
    fix: "Keep `ScCid` of the landing page's address and hand it to server events.",
  },
  {
    field: "sc_cookie1",
    weight: 5,
    name: "Snap Pixel cookie",
    fix: "Hand the `_scid` cookie to server events; the pixel's runtime does so.",
  },
  {
    field: "client_ip_address",
    weight: 4,
    name: "visitor's IP address",
    fix: "Pass the visitor's own address on, not your server's.",
  },
  { field: "client_user_agent", weight: 4, name: "visitor's user agent", fix: "Pass the visitor's user agent on." },
  { field: "external_id", weight: 3, name: "customer id", fix: "Map your own id of the customer." },
];

function adviceOf(events: Readonly<Record<string, EventCounts>>): SignalAdvice[] {
  const total = newCounts();
  for (const counts of Object.values(events)) {
    total.accepted += counts.accepted;
    for (const [name, amount] of Object.entries(counts.identifiers)) {
      total.identifiers[name] = (total.identifiers[name] ?? 0) + amount;
    }
  }
  return WORTH.map((one) => ({ ...one, missing: total.accepted - (total.identifiers[one.field] ?? 0) }))
    .filter(({ missing }) => missing > 0)
    .sort((a, b) => b.missing * b.weight - a.missing * a.weight)
    .slice(0, 3)
    .map(({ field, name, fix, missing }) => ({
      field,
      events: missing,
      message: `${Math.round((100 * missing) / total.accepted)} % of the events carry no ${name}.`,
      fix,
    }));
}
