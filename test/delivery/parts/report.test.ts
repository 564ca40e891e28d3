import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import { newCounters } from "../../../src/delivery/counters.ts";
import type { DeliveryEvent, OnSettled, SettledItem } from "../../../src/delivery/emitted.ts";
import type { Job } from "../../../src/delivery/job.ts";
import type { EndLine } from "../../../src/delivery/journal-line.ts";
import { report } from "../../../src/delivery/report.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const GROUP = { tenantId: "acme", destinationId: "d1", name: "events/pixel-1" };
const WHERE = { tenantId: "acme", destinationId: "d1", group: "events/pixel-1" };

function world({ active = true } = {}) {
  const clock = createFakeClock();
  const counters = newCounters();
  const emitted: DeliveryEvent[] = [];
  const told: Parameters<OnSettled>[0][] = [];
  const lines: { destinationId: string; ids: readonly string[]; line: EndLine }[] = [];
  const journal = {
    active,
    add: (destinationId: string, ids: readonly string[], line: EndLine) => lines.push({ destinationId, ids, line }),
  };
  const context = {
    counters,
    clock,
    journal,
    emit: (event: DeliveryEvent) => emitted.push(event),
    onSettled: (settled: Parameters<OnSettled>[0]) => told.push(settled),
  } as unknown as Context;
  const job = { claim: { id: "claim-1", group: GROUP } } as unknown as Job;
  return { clock, counters, emitted, told, lines, context, job };
}

const item = (n: number, status: SettledItem["status"], more: Partial<SettledItem> = {}): SettledItem => ({
  eventId: `e-${n}`,
  status,
  ...more,
});

describe("the report of a claim", () => {
  const entries = [
    { settled: [item(1, "delivered"), item(2, "dead", { reason: "rejected" }), item(3, "validated")], left: 2 },
    { settled: [item(4, "dead", { reason: "rejected" }), item(5, "withdrawn"), item(6, "delivered")], left: 3 },
    { settled: [item(7, "dead"), item(8, "dead"), item(9, "dead", { reason: "event_too_old" })], left: 0 },
  ];
  const dead = { rejected: 2, unknown: 2, event_too_old: 1 };

  it("counts what has come of the items, on top of what was counted before", () => {
    const { context, job, counters } = world();
    report(context, job, entries, 4);
    expect(counters).toEqual({ ...newCounters(), delivered: 2, validated: 1, withdrawn: 1, retried: 5, dead });
    report(context, job, entries, 4);
    const twice = { rejected: 4, unknown: 4, event_too_old: 2 };
    expect(counters).toEqual({ ...newCounters(), delivered: 4, validated: 2, withdrawn: 2, retried: 10, dead: twice });
  });

  it("tells of each reason for which something died, and of the whole claim", () => {
    const { context, job, emitted, told } = world();
    report(context, job, entries, 4);
    expect(emitted).toEqual([
      { type: "dead_letter", ...WHERE, reason: "rejected", items: 2 },
      { type: "dead_letter", ...WHERE, reason: "unknown", items: 2 },
      { type: "dead_letter", ...WHERE, reason: "event_too_old", items: 1 },
      { type: "settled", ...WHERE, delivered: 2, validated: 1, retrying: 5, dead, withdrawn: 1, requests: 4 },
    ]);
    expect(told).toEqual([{ ...WHERE, items: entries.flatMap(({ settled }) => settled) }]);
  });

  it("tells nobody of items where none has ended", () => {
    const { context, job, emitted, told, lines } = world();
    report(context, job, [{ settled: [], left: 2 }], 1);
    expect(emitted).toMatchObject([{ type: "settled", retrying: 2, delivered: 0, dead: {} }]);
    expect([told, lines]).toEqual([[], []]);
  });

  it("asks nothing of a host that does not listen", () => {
    const { context, job, counters } = world();
    report({ ...context, onSettled: undefined }, job, entries, 1);
    expect(counters.delivered).toBe(2);
  });
});

describe("the journal of what ended without being delivered", () => {
  it("has one line for those that ended for the same reason, found by event and order", () => {
    const { context, job, lines, clock } = world();
    const refused = { reason: "rejected", message: "no value", requestId: "r-1" };
    const settled = [
      item(1, "dead", { ...refused, orderId: "o-1" }),
      item(2, "delivered"),
      item(3, "withdrawn"),
      item(4, "dead", refused),
      item(5, "dead", { ...refused, message: "no currency" }),
      item(6, "validated"),
      item(7, "dead", { ...refused, requestId: "r-2" }),
      { eventId: undefined, status: "withdrawn" } as const,
    ];
    report(context, job, [{ settled, left: 0 }], 1);
    const line = { type: "end", atMs: clock.now(), group: "events/pixel-1" };
    expect(lines).toEqual([
      {
        destinationId: "d1",
        ids: ["e-1", "o-1", "e-4"],
        line: { ...line, id: "claim-1/end/0", outcome: "dead", ...refused, eventIds: ["e-1", "e-4"] },
      },
      {
        destinationId: "d1",
        ids: ["e-3"],
        line: { ...line, id: "claim-1/end/1", outcome: "withdrawn", eventIds: ["e-3"] },
      },
      {
        destinationId: "d1",
        ids: ["e-5"],
        line: { ...line, id: "claim-1/end/2", outcome: "dead", ...refused, message: "no currency", eventIds: ["e-5"] },
      },
      {
        destinationId: "d1",
        ids: ["e-7"],
        line: { ...line, id: "claim-1/end/3", outcome: "dead", ...refused, requestId: "r-2", eventIds: ["e-7"] },
      },
    ]);
  });

  it("holds 500 events a line", () => {
    const { context, job, lines } = world();
    const settled = Array.from({ length: 1_000 }, (_, n) => item(n, "dead", { reason: "expired" }));
    report(context, job, [{ settled, left: 0 }], 0);
    expect(lines.map(({ line }) => [line.id, line.eventIds.length, line.eventIds[0]])).toEqual([
      ["claim-1/end/0", 500, "e-0"],
      ["claim-1/end/1", 500, "e-500"],
    ]);
    expect(lines.map(({ ids }) => ids.length)).toEqual([500, 500]);
  });

  it("is not written where the engine keeps none", () => {
    const { context, job, lines } = world({ active: false });
    report(context, job, [{ settled: [item(1, "dead")], left: 0 }], 1);
    expect(lines).toEqual([]);
  });
});
