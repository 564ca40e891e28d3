import { type PreparedEvent, prepareEvent } from "../src/capi/index.ts";
import { systemClock } from "../src/clock.ts";
import { createRouter } from "../src/rules/create-router.ts";
import { createSignals } from "../src/snapchat/signals/signals.ts";
import { memory } from "../src/storage/memory/index.ts";
import type { SnapEventInput } from "../src/wire/event.ts";
import { setToggle } from "../src/workflow/index.ts";
import { presets } from "../src/workflow/presets/index.ts";
import { sources } from "../src/workflow/sources/index.ts";
import { segmentPurchase } from "./purchases.ts";
import { atMost, type Bench, perSecond } from "./row.ts";

const EVENTS = 1_000;

/** What counting the signal costs, beside the way of the same events from the envelope to the JSON for Snapchat. */
export const rows: Bench = async ({ smoke }) => {
  const ms = smoke ? 30 : 1_500;
  const nowMs = Date.now();
  const raw = Array.from({ length: EVENTS }, (_, index) => segmentPurchase(index, nowMs - 60_000));
  const router = createRouter(
    setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true }),
  );

  const pipeline = (envelope: unknown) => {
    const routed = router.route(sources.segment.read(envelope as object));
    const input = routed.decisions[0]?.event as SnapEventInput;
    return { input, prepared: prepareEvent(input, { nowMs }) as PreparedEvent };
  };
  const ready = raw.map(pipeline);
  const signals = createSignals({ records: memory().records, clock: systemClock });
  const of = { tenantId: "acme", destinationId: "d-1" };
  const parts = [
    { destinationId: "d-1", rule: "order_completed", channel: "server", target: "PURCHASE", status: "queued" },
  ] as const;
  const eventTime = Math.floor(nowMs / 1_000);
  const settled = { eventId: "e", eventName: "PURCHASE", eventTime, status: "delivered" } as const;
  const items = Array.from({ length: EVENTS }, () => settled);

  // In turns, so that a neighbour on the machine slows both.
  const best = { way: 0, counting: 0 };
  const rounds = smoke ? 1 : 5;
  for (let round = 0; round < rounds; round++) {
    const way = await perSecond(EVENTS, ms / rounds, () => {
      for (const envelope of raw) pipeline(envelope);
    });
    const counting = await perSecond(EVENTS, ms / rounds, () => {
      for (const { input, prepared } of ready) {
        signals.decided(of, parts);
        signals.accepted(of, input, prepared, true);
      }
      signals.settled({ ...of, items });
    });
    best.way = Math.max(best.way, way);
    best.counting = Math.max(best.counting, counting);
  }
  await signals.flush();
  return [
    {
      name: "signal counters, share of an event's way to JSON",
      value: (100 * best.way) / best.counting,
      unit: "%",
      goals: [atMost(3)],
    },
  ];
};
