import type { PreparedEvent } from "../capi/index.ts";
import type { Clock } from "../clock.ts";
import type { SettledItem } from "../delivery/index.ts";
import type { ActiveDestination, TenantData } from "../destinations/index.ts";
import type { Plugins } from "../plugins/index.ts";
import type { CanonicalEvent } from "../rules/event.ts";
import type { Records } from "../storage/ports.ts";
import type { SnapEventInput } from "../wire/event.ts";
import { hidesPerson, type Workflow } from "../workflow/index.ts";
import { createLastDelivered, type LastDelivered } from "./last-delivered.ts";
import type { ReceiptPart } from "./receipt.ts";
import { createSeenEvents, type SeenEvents } from "./seen-events.ts";
import { createSignals, type Signals } from "./signals/signals.ts";
import { createSkipShare, type SkipAlarm, type SkipShare } from "./skip-share.ts";

/** One event at one destination, decided. */
export interface Observed {
  destination: ActiveDestination;
  event: CanonicalEvent;
  parts: readonly ReceiptPart[];
  /** The host event's id. */
  eventId: string;
  /** Events that are ready to be sent, as mapped and as prepared. */
  accepted: readonly { input: SnapEventInput; prepared: PreparedEvent }[];
  /** The first destination of several that this event is offered to. */
  first: boolean;
}

/** What is remembered of events beside delivering them: names and times for the event screen, shares for the alarm. */
export interface EventActivity {
  readonly seen: SeenEvents;
  readonly delivered: LastDelivered;
  readonly skips: SkipShare;
  readonly signals: Signals;
  observe(observed: Observed): void;
  settled(settled: { tenantId: string; destinationId: string; items: readonly SettledItem[] }): void;
  flush(): Promise<void>;
  /** What is remembered of one destination, which goes. */
  forget(tenantId: string, destinationId: string): Promise<void>;
  /** For offboarding, after every destination was forgotten. */
  readonly tenantData: TenantData;
}

/** An id that was made from the event's facts: no browser carries the same one. */
const DIGEST = /^[0-9a-f]{32}$/;

export function createEventActivity(options: {
  records: Records;
  clock: Clock;
  alarm: (alarm: SkipAlarm) => void;
  notify: Plugins["notify"];
  windowMs?: number | undefined;
}): EventActivity {
  const { records, clock, notify } = options;
  const seen = createSeenEvents({ records, clock });
  const delivered = createLastDelivered({ records, clock });
  const signals = createSignals({ records, clock });
  const skips = createSkipShare({
    clock,
    ...(options.windowMs === undefined ? {} : { windowMs: options.windowMs }),
    alarm(alarm) {
      options.alarm(alarm);
      const { tenantId, destinationId, ...details } = alarm;
      const id = `skip_share/${destinationId}/${alarm.rule}/${alarm.reason}/${clock.now()}`;
      // A plugin's failure is told by the runner.
      void notify?.({ id, type: "skip_share", tenantId, destinationId, details });
    },
  });

  return {
    seen,
    delivered,
    skips,
    signals,
    observe({ destination, event, parts, eventId, accepted, first }) {
      const { tenantId, id: destinationId } = destination;
      const of = { tenantId, destinationId };
      signals.decided(of, parts);
      const shared = event.browserId !== undefined || event.id !== undefined || !DIGEST.test(eventId);
      for (const { input, prepared } of accepted) signals.accepted(of, input, prepared, shared);
      if (first) seen.note(tenantId, event, (destination.workflow as Workflow).rules);
      const unmapped = parts[0]?.reason === "unknown_event" && !hidesPerson(event.name) ? event.name : undefined;
      skips.note(of, parts, unmapped);
    },
    settled(settled) {
      delivered.note(settled);
      signals.settled(settled);
    },
    async flush() {
      await Promise.all([seen.flush(), delivered.flush(), signals.flush()]);
    },
    async forget(tenantId, destinationId) {
      await delivered.forget(tenantId, destinationId);
      await signals.forget({ tenantId, destinationId });
    },
    tenantData: { name: "event names", purge: (tenantId) => seen.forget(tenantId) },
  };
}
