import { type CheckLine, ok, problem, warning } from "../../destinations/index.ts";
import type { SeenEvent, Workflow } from "../../workflow/index.ts";
import type { EventSignal, SignalReport } from "../signals/report.ts";
import { wordsOf } from "../words.ts";

/** What is remembered of a destination's events beside the last day's counts. */
export interface EventMemory {
  workflow: Workflow | undefined;
  /** Names of the tenant's events, with when each came last. */
  seen: readonly SeenEvent[];
  /** When something of a rule was last delivered. Milliseconds since 1970. */
  lastDeliveredMs: Readonly<Record<string, number>>;
  nowMs: number;
}

/** Fewer events say nothing. */
const LEAST = 5;
/** A refusal that concerns this share of a rule's events is a fault of the set-up, not of one event. */
const MANY = 0.1;

/** What the counts of the last day say about the set-up. */
export function signalLines(signals: SignalReport, memory: EventMemory): CheckLine[] {
  const lines = [
    ...rejectionLines(signals),
    ...consentLines(signals),
    ...missingLines(signals, memory),
    ...carriedLines(signals),
  ];
  const accepted = signals.events.reduce((sum, event) => sum + event.accepted, 0);
  if (accepted < LEAST) return lines;
  const mail = average(signals, (event) => event.identifiers.em ?? 0);
  const phone = average(signals, (event) => event.identifiers.ph ?? 0);
  const said = `${accepted} events in the last day; ${percent(mail)} with an e-mail address, ${percent(phone)} with a phone number.`;
  const advice = signals.advice.map(({ message, fix }) => `${message} ${fix}`).join(" ");
  lines.push({ ...ok("signals", said), fix: advice === "" ? "" : `Would raise matching: ${advice}` });
  return lines;
}

function rejectionLines({ notSent, offered }: SignalReport): CheckLine[] {
  const byReason = new Map<string, { count: number; offered: number; rules: string[] }>();
  for (const { rule, status, reason, count } of notSent) {
    if (status !== "rejected" || count < LEAST || count < MANY * (offered[rule] ?? 0)) continue;
    const known = byReason.get(reason) ?? { count: 0, offered: 0, rules: [] };
    byReason.set(reason, known);
    known.count += count;
    known.offered += offered[rule] ?? 0;
    if (rule !== "") known.rules.push(rule);
  }
  return [...byReason].map(([reason, { count, offered: all, rules }]) => {
    const { message, fix } = wordsOf(reason);
    const where = rules.length > 0 ? ` (${rules.join(", ")})` : "";
    return problem(reason, `${count} of ${all} events in the last day were rejected${where}: ${message}`, fix);
  });
}

/** A consent that nobody ever gives is a mistyped name more often than a shy public. */
function consentLines({ notSent, offered }: SignalReport): CheckLine[] {
  const rules = notSent.filter(
    ({ rule, reason, count }) => reason === "consent_absent" && count >= LEAST && count === offered[rule],
  );
  if (rules.length === 0) return [];
  const names = rules.map(({ rule }) => rule).join(", ");
  return [
    problem(
      "consent_never_given",
      `Not one event of the last day carried the consent these rules ask for: ${names}.`,
      "Compare the consent names in the workflow with those your events carry; letters and spelling count.",
    ),
  ];
}

/** A rule that delivered before and is offered nothing any more, while events come that nobody maps. */
function missingLines({ offered, notSent }: SignalReport, memory: EventMemory): CheckLine[] {
  const { workflow, seen, lastDeliveredMs, nowMs } = memory;
  const unmapped = notSent.find(({ reason }) => reason === "unknown_event")?.count ?? 0;
  if (unmapped < LEAST) return [];
  const rules = workflow?.rules ?? [];
  const mapped = new Set(rules.map(({ on }) => on));
  const candidates = seen
    .filter(({ name, lastSeenMs }) => !mapped.has(name) && nowMs - (lastSeenMs ?? 0) < 24 * 3_600_000)
    .map(({ name }) => `"${name}"`)
    .slice(0, 3);
  return rules.flatMap(({ id, on, server }) => {
    const last = lastDeliveredMs[id];
    if (!server || last === undefined || (offered[id] ?? 0) > 0) return [];
    return [
      problem(
        "event_renamed",
        `No event "${on}" came in the last day; the last one was delivered at ${new Date(last).toISOString()}. New names that no rule maps: ${candidates.join(", ")}.`,
        "If your source renamed the event, map the new name in the event list.",
      ),
    ];
  });
}

/** What the accepted events carry, or do not. */
function carriedLines(signals: SignalReport): CheckLine[] {
  const lines: CheckLine[] = [];
  const phones = signals.events.reduce((sum, { repairs }) => sum + (repairs.phone_without_country ?? 0), 0);
  if (phones >= LEAST) {
    const { message } = wordsOf("phone_without_country");
    const fix = "Set the default country of the workflow or of the destination.";
    lines.push(warning("phone_without_country", `${phones} phone numbers were left out. ${message}`, fix));
  }
  if (signals.reusedIds >= LEAST) {
    lines.push(
      problem(
        "event_ids_reused",
        `In a sample, ${signals.reusedIds} events came with an id that another event had before; Snapchat counts one of each.`,
        "Send a fresh event id with every event, the same one only for the pixel's copy.",
      ),
    );
  }
  const purchase = signals.events.find(({ event }) => event === "PURCHASE");
  if (purchase && purchase.accepted >= LEAST) lines.push(...purchaseLines(purchase));
  return lines;
}

function purchaseLines({ purchase, accepted }: EventSignal): CheckLine[] {
  if (!purchase || purchase.order_id >= 0.5) return [];
  const share = percent(1 - purchase.order_id);
  return [
    warning(
      "order_id_missing",
      `${share} of ${accepted} purchases carry no order id; one that is sent again after two days would count twice.`,
      "Map the order's number to order_id.",
    ),
  ];
}

function average({ events }: SignalReport, share: (event: EventSignal) => number): number {
  const accepted = events.reduce((sum, event) => sum + event.accepted, 0);
  return accepted === 0 ? 0 : events.reduce((sum, event) => sum + share(event) * event.accepted, 0) / accepted;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
