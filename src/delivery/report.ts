import type { Context } from "./context.ts";
import type { SettledItem } from "./emitted.ts";
import type { Job } from "./job.ts";
import type { JournalLine } from "./journal.ts";

/** What the report needs of a worked-on entry. */
export interface Reported {
  settled: readonly SettledItem[];
  /** Items that go back, where any does. */
  left: number;
}

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

/** One line for what went well of each request, one for each item that did not. */
function writeDown(context: Context, job: Job, items: readonly SettledItem[]): void {
  const { journal, settings, clock, random } = context;
  if (!journal.active) return;
  const { destinationId, name: group } = job.claim.group;
  const atMs = clock.now();
  let lines = 0;
  const line = (outcome: JournalLine["outcome"], more: Partial<JournalLine>): JournalLine => ({
    id: `${job.claim.id}/${lines++}`,
    atMs,
    group,
    outcome,
    items: 1,
    ...more,
  });
  const well = new Map<string, SettledItem[]>();
  for (const item of items) {
    if (item.status === "dead" || item.status === "withdrawn") {
      const { reason, message, requestId } = item;
      journal.add(destinationId, idsOf([item]), line(item.status, { reason, message, requestId }));
    } else {
      const key = `${item.status} ${item.requestId ?? ""}`;
      const together = well.get(key);
      if (together) together.push(item);
      else well.set(key, [item]);
    }
  }
  for (const together of well.values()) {
    const [first] = together;
    if (!first || settings.journalShare === 0 || random() >= settings.journalShare) continue;
    const outcome = first.status === "validated" ? "validated" : "delivered";
    journal.add(destinationId, idsOf(together), line(outcome, { requestId: first.requestId, items: together.length }));
  }
}

function idsOf(items: readonly SettledItem[]): string[] {
  const ids: string[] = [];
  for (const { eventId, orderId } of items) {
    if (eventId !== undefined) ids.push(eventId);
    if (orderId !== undefined) ids.push(orderId);
  }
  return ids;
}
