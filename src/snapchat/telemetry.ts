import type { Attributes, Counter, Meter } from "@opentelemetry/api";
import type { DeliveryEvent, DeliveryStats } from "../delivery/index.ts";
import { type HttpAnswer, openTelemetry } from "../http/index.ts";
import type { Receipt } from "./receipt.ts";
import type { SendOutcome } from "./send-now.ts";

/** Counts what happens in OpenTelemetry's instruments, where the host has them. No tenant and no person in any label. */
export interface Telemetry {
  tracked(receipts: readonly Receipt[]): void;
  sent(outcomes: readonly SendOutcome[]): void;
  happened(event: DeliveryEvent): void;
  answered(answer: HttpAnswer): void;
  close(): void;
}

const METER = "snapchat-destination";

/**
 * Metrics of one composition. What happens before `@opentelemetry/api` is loaded is counted when it is.
 *
 * @param stats read when the host collects: what waits, and how long
 */
export function createTelemetry(stats: () => Promise<DeliveryStats>): Telemetry {
  let instruments: Instruments | undefined;
  let early: ((instruments: Instruments) => void)[] | undefined = [];
  let closed = false;

  void openTelemetry().then((api) => {
    if (api && !closed) {
      instruments = createInstruments(api.metrics.getMeter(METER), stats);
      for (const record of early ?? []) record(instruments);
    }
    early = undefined;
  });

  function record(work: (instruments: Instruments) => void): void {
    if (instruments) work(instruments);
    else early?.push(work);
  }

  return {
    tracked: (receipts) => record((to) => countReceipts(to.events, to.parts, receipts)),
    sent: (outcomes) => record((to) => countReceipts(to.sent, to.sentParts, outcomes)),
    happened: (event) => record((to) => countEvent(to, event)),
    answered: ({ label, status, durationMs }) =>
      record(({ requests, duration }) => {
        const labels: Attributes = { request: label, status: status === undefined ? "none" : String(status) };
        requests.add(1, labels);
        duration.record(durationMs / 1_000, labels);
      }),
    close() {
      closed = true;
      instruments?.close();
    },
  };
}

type Instruments = ReturnType<typeof createInstruments>;

function createInstruments(meter: Meter, stats: () => Promise<DeliveryStats>) {
  const waiting = meter.createObservableGauge("snapchat.outbox.items", {
    description: "Items that wait to be delivered.",
    unit: "{item}",
  });
  const oldest = meter.createObservableGauge("snapchat.outbox.oldest_age", {
    description: "How long the oldest waiting item of any destination has waited.",
    unit: "s",
  });
  const dead = meter.createObservableGauge("snapchat.dead_letters", {
    description: "Items that could not be delivered and wait for a person, by reason.",
    unit: "{item}",
  });
  const observe: Parameters<Meter["addBatchObservableCallback"]>[0] = async (result) => {
    // A storage that does not answer shows in health(); a gap in the gauge says the same.
    const seen = await stats().catch(() => undefined);
    if (!seen) return;
    result.observe(waiting, seen.waiting);
    result.observe(oldest, Math.max(0, ...seen.destinations.map(({ oldestAgeMs }) => oldestAgeMs)) / 1_000);
    const reasons: Record<string, number> = {};
    for (const destination of seen.destinations) {
      for (const [reason, count] of Object.entries(destination.dead)) reasons[reason] = (reasons[reason] ?? 0) + count;
    }
    for (const [reason, count] of Object.entries(reasons)) result.observe(dead, count, { reason });
  };
  meter.addBatchObservableCallback(observe, [waiting, oldest, dead]);
  return {
    events: meter.createCounter("snapchat.track.events", {
      description: "Host events offered, by the status of their receipt.",
      unit: "{event}",
    }),
    sent: meter.createCounter("snapchat.send_now.events", {
      description: "Host events of sendNow, by the status of their outcome; retries are counted each time.",
      unit: "{event}",
    }),
    sentParts: meter.createCounter("snapchat.send_now.parts", {
      description: "What became of host events of sendNow by rule, channel by channel, with the reason.",
      unit: "{part}",
    }),
    parts: meter.createCounter("snapchat.track.parts", {
      description: "What became of host events by rule, channel by channel, with the reason.",
      unit: "{part}",
    }),
    items: meter.createCounter("snapchat.delivery.items", {
      description: "Snap events and membership changes by outcome; delivered means that Snapchat said so.",
      unit: "{item}",
    }),
    requests: meter.createCounter("snapchat.requests", {
      description: "Requests to Snapchat that ended, by request and HTTP status (none: no answer).",
      unit: "{request}",
    }),
    duration: meter.createHistogram("snapchat.request.duration", {
      description: "From the call to the end of the answer.",
      unit: "s",
      // OpenTelemetry's recommendation for HTTP, up to our deadline.
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15] },
    }),
    happenings: meter.createCounter("snapchat.happenings", {
      description: "Things an operator may want to hear of: lost logins, rate limits, circuits, lost claims, faults.",
      unit: "{happening}",
    }),
    close: () => meter.removeBatchObservableCallback(observe, [waiting, oldest, dead]),
  };
}

function countReceipts(events: Counter, parts: Counter, receipts: readonly (Receipt | SendOutcome)[]): void {
  const byStatus = new Map<string, number>();
  const byPart = new Map<string, { count: number; labels: Attributes }>();
  for (const receipt of receipts) {
    byStatus.set(receipt.status, (byStatus.get(receipt.status) ?? 0) + 1);
    for (const { channel, status, reason = "none" } of receipt.parts) {
      const key = `${channel} ${status} ${reason}`;
      const found = byPart.get(key);
      if (found) found.count++;
      else byPart.set(key, { count: 1, labels: { channel, status, reason: lowCardinality(reason) } });
    }
  }
  for (const [status, count] of byStatus) events.add(count, { status });
  for (const { count, labels } of byPart.values()) parts.add(count, labels);
}

/** Reasons are ours, but a plugin words its own after a colon. */
function lowCardinality(reason: string): string {
  return /^[a-z0-9_]{1,64}$/.test(reason) ? reason : "other";
}

function countEvent({ items, happenings }: Instruments, event: DeliveryEvent): void {
  if (event.type !== "settled") {
    if (event.type !== "dead_letter") happenings.add(1, { type: event.type });
    return;
  }
  const type = event.group.startsWith("members/") ? "member" : "event";
  const count = (outcome: string, amount: number, reason?: string) => {
    if (amount > 0) items.add(amount, { type, outcome, ...(reason === undefined ? {} : { reason }) });
  };
  count("delivered", event.delivered);
  count("validated", event.validated);
  count("retrying", event.retrying);
  count("withdrawn", event.withdrawn);
  for (const [reason, amount] of Object.entries(event.dead)) count("dead", amount, lowCardinality(reason));
}
