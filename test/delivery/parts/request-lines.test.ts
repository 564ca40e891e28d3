import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import type { Line } from "../../../src/delivery/events-entry.ts";
import type { EventOutcome, RequestRecord } from "../../../src/delivery/interfaces.ts";
import type { Job } from "../../../src/delivery/job.ts";
import { type JournalLine, sampled } from "../../../src/delivery/journal-line.ts";
import type { StoredEvent } from "../../../src/delivery/payload.ts";
import { requestLines } from "../../../src/delivery/request-lines.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

function world({ share = 1, active = true } = {}) {
  const clock = createFakeClock();
  const written: { destinationId: string; ids: readonly string[]; line: JournalLine }[] = [];
  const journal = {
    active,
    add: (destinationId: string, ids: readonly string[], line: JournalLine) =>
      written.push({ destinationId, ids, line }),
  };
  const context = { journal, clock, settings: { journalShare: share } } as unknown as Context;
  const claim = { id: "claim-1", group: { tenantId: "acme", destinationId: "d1", name: "events/pixel-1" } };
  const lines = requestLines(context, { claim } as unknown as Job);
  return { clock, written, lines, base: { type: "request", group: "events/pixel-1", atMs: clock.now() } };
}

const batch = (...events: Partial<StoredEvent>[]): Line[] =>
  events.map((more, index) => {
    const event = { eventId: `e-${index}`, eventName: "PURCHASE", ...more };
    return { of: { events: [event] }, index: 0 } as unknown as Line;
  });

const said = (status: EventOutcome["status"], more: Partial<EventOutcome> = {}): EventOutcome => ({
  status,
  known: true,
  ...more,
});
const went = (more: Partial<RequestRecord> = {}): RequestRecord => ({ status: 200, durationMs: 30, items: 1, ...more });

describe("the line of a request of events", () => {
  it("says how it went, and what Snapchat said about which events", () => {
    const { lines, written, base } = world();
    lines.events(
      batch({ orderId: "o-0" }, {}, { validateOnly: true }, {}, {}, { validateOnly: true }),
      [
        said("delivered"),
        said("rejected", { code: "E1", message: "no value" }),
        said("delivered"),
        said("rejected", { code: "E1", message: "no value" }),
        said("rejected", { code: "E1", message: "no currency" }),
        said("rejected", { code: "E2", message: "no value" }),
      ],
      [went({ status: 400, durationMs: 12, items: 6 })],
    );
    expect(written).toEqual([]);
    lines.write();
    expect(written).toEqual([
      {
        destinationId: "d1",
        ids: ["e-0", "o-0", "e-1", "e-2", "e-3", "e-4", "e-5"],
        line: {
          ...base,
          ...{ id: "claim-1/0", httpStatus: 400, durationMs: 12, items: 6, purpose: "events" },
          answers: [
            { status: "delivered", items: 1, eventIds: ["e-0"] },
            { status: "rejected", items: 2, eventIds: ["e-1", "e-3"], code: "E1", message: "no value" },
            { status: "validated", items: 1, eventIds: ["e-2"] },
            { status: "rejected", items: 1, eventIds: ["e-4"], code: "E1", message: "no currency" },
            { status: "rejected", items: 1, eventIds: ["e-5"], code: "E2", message: "no value" },
          ],
        },
      },
    ]);
    lines.write();
    expect(written).toHaveLength(1);
  });

  it("keeps apart what differs in its code only, and puts together what has neither code nor words", () => {
    const { lines, written } = world();
    const outcomes = [said("retry"), said("retry", { code: "E1" }), said("retry"), said("retry", { message: "E1" })];
    lines.events(batch({}, {}, {}, {}), outcomes, [went()]);
    lines.write();
    expect(written[0]?.line).toMatchObject({ answers: [{ items: 2 }, { items: 1 }, { items: 1 }] });
  });

  it("of several requests the one with an event's request id told of it", () => {
    const { lines, written } = world();
    lines.events(
      batch({}, {}, {}),
      [said("delivered", { requestId: "r-2" }), said("rejected", { requestId: "r-1" }), said("delivered")],
      [went({ requestId: "r-1" }), went({ requestId: "r-2" }), went({ requestId: "r-3" })],
    );
    lines.write();
    expect(written.map(({ line, ids }) => [line.id, (line as { requestId?: string }).requestId, ids])).toEqual([
      ["claim-1/0", "r-1", ["e-1"]],
      ["claim-1/1", "r-2", ["e-0"]],
      ["claim-1/2", "r-3", []],
    ]);
  });

  it.each([
    ["the last one", ["validate", undefined, "events"], 2],
    ["the last that did not only validate", ["validate", "events", "validate"], 1],
    ["the last validation where there is nothing else", ["validate", "validate", "validate"], 2],
  ])("without request ids %s told of the events", (_, purposes, decisive) => {
    const { lines, written } = world();
    const requests = purposes.map((purpose, n) => went({ status: 200 + n, ...(purpose && { purpose }) }));
    lines.events(batch({}, {}), [said("delivered"), said("rejected")], requests);
    lines.write();
    expect(written.map(({ ids }) => ids.length)).toEqual([0, 1, 2].map((n) => (n === decisive ? 2 : 0)));
    expect(written.map(({ line }) => (line as { purpose?: string }).purpose)).toEqual(
      purposes.map((purpose) => purpose ?? "events"),
    );
  });

  it("says nothing about an event without an outcome, nor about an outcome without an event", () => {
    const { lines, written } = world();
    const gone = { of: { events: [] }, index: 0 } as unknown as Line;
    lines.events([...batch({}, {}), gone], [said("delivered"), undefined as never, said("delivered")], [went()]);
    lines.write();
    expect(written[0]).toMatchObject({ ids: ["e-0"], line: { answers: [{ items: 1, eventIds: ["e-0"] }] } });
  });

  it("names the events of the sample only, and counts all", () => {
    const { lines, written } = world({ share: 0.5 });
    const ids = Array.from({ length: 40 }, (_, n) => `e-${n}`);
    const inSample = ids.filter((id) => sampled(id, 0.5));
    // A second rule's event is in the sample where the host's event is.
    const events = ids.flatMap((eventId) => [{ eventId }, { eventId: `${eventId}.PURCHASE` }]);
    lines.events(
      batch(...events),
      events.map(() => said("delivered")),
      [went({ items: 80 })],
    );
    lines.write();
    const expected = inSample.flatMap((id) => [id, `${id}.PURCHASE`]);
    expect(written[0]).toMatchObject({ ids: expected, line: { answers: [{ items: 80, eventIds: expected }] } });
  });
});

describe("the line of a request about a segment", () => {
  const answer = { status: "delivered", startedMs: 0, httpStatus: 200, requestId: "r-1" } as const;
  const refused = { status: "rejected", startedMs: 0, requestId: "r-1", code: "E1", message: "no" } as const;

  it("says what was asked for, how long it took, and which events asked for it", async () => {
    const { clock, lines, written, base } = world();
    await clock.advance(70);
    const eventIds = () => ["e-1", "e-2"];
    lines.members({ op: "add", items: 5, eventIds }, answer);
    lines.members({ op: "remove", items: 1, eventIds }, { ...refused, httpStatus: 400, startedMs: 20 });
    lines.write();
    const line = { ...base, atMs: base.atMs + 70, requestId: "r-1" };
    expect(written).toEqual([
      {
        destinationId: "d1",
        ids: ["e-1", "e-2"],
        line: {
          ...line,
          ...{ id: "claim-1/0", httpStatus: 200, durationMs: 70, items: 5, purpose: "members/add" },
          answers: [{ status: "delivered", items: 5, eventIds: ["e-1", "e-2"] }],
        },
      },
      {
        destinationId: "d1",
        ids: ["e-1", "e-2"],
        line: {
          ...line,
          ...{ id: "claim-1/1", httpStatus: 400, durationMs: 50, items: 1, purpose: "members/remove" },
          answers: [{ status: "rejected", items: 1, eventIds: ["e-1", "e-2"], code: "E1", message: "no" }],
        },
      },
    ]);
  });

  it("that was made says its id, and is found by the segment's key", () => {
    const { lines, written, base } = world();
    lines.segmentMade({ key: "vip", name: "VIPs" }, "seg-1", () => ["e-1"]);
    lines.write();
    const eventIds = ["segment:vip", "e-1"];
    const message = 'The segment "VIPs" was made at Snapchat with the id seg-1.';
    expect(written).toEqual([
      {
        destinationId: "d1",
        ids: eventIds,
        line: {
          ...base,
          ...{ id: "claim-1/0", items: 1, purpose: "segments/create" },
          answers: [{ status: "delivered", items: 1, eventIds, message }],
        },
      },
    ]);
  });

  it("that could not be made says why", async () => {
    const { clock, lines, written, base } = world();
    await clock.advance(30);
    lines.segmentNotMade({ ...refused, startedMs: 10 }, () => ["e-1"]);
    lines.write();
    expect(written).toEqual([
      {
        destinationId: "d1",
        ids: ["e-1"],
        line: {
          ...base,
          ...{ atMs: base.atMs + 30, id: "claim-1/0", requestId: "r-1", durationMs: 20, items: 1 },
          purpose: "segments/create",
          answers: [{ status: "rejected", items: 1, eventIds: ["e-1"], code: "E1", message: "no" }],
        },
      },
    ]);
  });

  it("of changes that Snapchat holds already is an end, written at once; none where nobody asked for them", () => {
    const { lines, written, base } = world();
    lines.unchanged(() => []);
    expect(written).toEqual([]);
    lines.unchanged(() => ["e-1", "e-2"]);
    expect(written).toEqual([
      {
        destinationId: "d1",
        ids: ["e-1", "e-2"],
        line: { ...base, type: "end", id: "claim-1/unchanged", outcome: "unchanged", eventIds: ["e-1", "e-2"] },
      },
    ]);
  });

  it("names the events of the sample only", () => {
    const { lines, written } = world({ share: 0.5 });
    const ids = Array.from({ length: 40 }, (_, n) => `e-${n}`);
    const inSample = ids.filter((id) => sampled(id, 0.5));
    const eventIds = () => ids;
    lines.unchanged(eventIds);
    lines.members({ op: "add", items: 40, eventIds }, answer);
    lines.segmentNotMade(refused, eventIds);
    lines.segmentMade({ key: "vip", name: "VIPs" }, "seg-1", eventIds);
    lines.write();
    expect(written.map((line) => line.ids)).toEqual([inSample, inSample, inSample, ["segment:vip", ...inSample]]);
  });
});

it.each([
  ["the engine keeps no journal", { active: false }],
  ["the host wants none of it", { share: 0 }],
])("nothing is written where %s", (_, options) => {
  const { lines, written } = world(options);
  lines.events(batch({}), [said("delivered")], [went()]);
  lines.members({ op: "add", items: 1, eventIds: () => ["e-1"] }, { status: "delivered", startedMs: 0 });
  lines.segmentMade({ key: "vip", name: "VIPs" }, "seg-1", () => ["e-1"]);
  lines.segmentNotMade({ status: "rejected", startedMs: 0 }, () => ["e-1"]);
  lines.unchanged(() => ["e-1"]);
  lines.write();
  expect(written).toEqual([]);
});
