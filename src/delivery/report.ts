import type { Context } from "./context.ts";
import type { SettledItem } from "./emitted.ts";
import type { Job } from "./job.ts";

/** What the report needs of a worked-on entry. */
export interface Reported {
  settled: readonly SettledItem[];
  /** Items that go back, where any does. */
  left: number;
}

const MAX_EVENTS_PER_LINE = 500;

/** Counts, tells and writes down what a settled claim has come to. Never in the way of delivery. */
export function report(context: Context, job: Job, entries: readonly Reported[], requests: number): void {
  const { counters, emit, onSettled } = context;
  const { tenantId, destinationId, name: group } = job.claim.group;
  const items: SettledItem[] = [];
  const dead: Record<string, number> = {};
  let delivered = 0;
  let validated = 0;
  let withdrawn = 0;
  let retrying = 0;
  for (const entry of entries) {
    retrying += entry.left;
    for (const item of entry.settled) {
      items.push(item);
      if (item.status === "delivered") delivered++;
      else if (item.status === "validated") validated++;
      else if (item.status === "withdrawn") withdrawn++;
      else dead[item.reason ?? "unknown"] = (dead[item.reason ?? "unknown"] ?? 0) + 1;
    }
  }
  counters.delivered += delivered;
  counters.validated += validated;
  counters.withdrawn += withdrawn;
  counters.retried += retrying;
  for (const [reason, count] of Object.entries(dead)) {
    counters.dead[reason] = (counters.dead[reason] ?? 0) + count;
    emit({ type: "dead_letter", tenantId, destinationId, group, reason, items: count });
  }
  emit({ type: "settled", tenantId, destinationId, group, delivered, validated, retrying, dead, withdrawn, requests });
  if (items.length > 0) onSettled?.({ tenantId, destinationId, group, items });
  writeDown(context, job, items);
}

/** One line for the items that ended for the same reason without being delivered. */
function writeDown({ journal, clock }: Context, job: Job, items: readonly SettledItem[]): void {
  if (!journal.active) return;
  const { destinationId, name: group } = job.claim.group;
  const ended = Map.groupBy(
    items.filter(({ status }) => status === "dead" || status === "withdrawn"),
    ({ status, reason, message, requestId }) => JSON.stringify([status, reason, message, requestId]),
  );
  let lines = 0;
  for (const together of ended.values()) {
    for (let from = 0; from < together.length; from += MAX_EVENTS_PER_LINE) {
      const some = together.slice(from, from + MAX_EVENTS_PER_LINE);
      const { status, reason, message, requestId } = some[0] as SettledItem;
      journal.add(destinationId, idsOf(some), {
        type: "end",
        id: `${job.claim.id}/end/${lines++}`,
        atMs: clock.now(),
        group,
        outcome: status === "withdrawn" ? "withdrawn" : "dead",
        reason,
        message,
        requestId,
        eventIds: some.flatMap(({ eventId }) => eventId ?? []),
      });
    }
  }
}

function idsOf(items: readonly SettledItem[]): string[] {
  return items.flatMap(({ eventId, orderId }) => [eventId, orderId].filter((id) => id !== undefined));
}
