import { describe, expect, it } from "vitest";
import type { Context, Restored } from "../../../src/delivery/context.ts";
import { decodeDetail } from "../../../src/delivery/dead.ts";
import { bury, memoryEndsAtAge, type OpenEvents, openEvents, outcomeOf } from "../../../src/delivery/events-entry.ts";
import type { Job } from "../../../src/delivery/job.ts";
import {
  decodeEvents,
  encodeEvents,
  openPayload,
  payloadAad,
  type StoredEvent,
  sealPayload,
} from "../../../src/delivery/payload.ts";
import { markUnknown, newProgress, type Progress, readProgress, unknownSince } from "../../../src/delivery/progress.ts";
import { settingsOf } from "../../../src/delivery/settings.ts";
import type { ClaimedEntry } from "../../../src/storage/ports.ts";
import { event, eventsOf } from "../support.ts";

const AAD = payloadAad("acme", "d1", "events/pixel-1");
/** Bytes that open in their own place only. */
const sealer = {
  seal: (plain: Uint8Array, aad: string) => Buffer.concat([Buffer.from(aad), plain]),
  open(sealed: Uint8Array, aad: string) {
    if (!Buffer.from(sealed).toString().startsWith(aad)) throw new Error("elsewhere");
    return sealed.subarray(Buffer.byteLength(aad));
  },
};

function around({ restored, settings = {} }: { restored?: Restored; settings?: object } = {}) {
  const emitted: unknown[] = [];
  const context = {
    sealer,
    emit: (one: unknown) => emitted.push(one),
    restored: () => restored,
    settings: settingsOf(settings),
  } as unknown as Context;
  return { context, emitted };
}
const jobAt = (ageMs: number) => ({ claim: { group: eventsOf() }, ageMs: () => ageMs }) as unknown as Job;

async function entry(events: StoredEvent[], aad = AAD, id = "entry-1"): Promise<ClaimedEntry> {
  const payload = await sealPayload(encodeEvents(events), aad, sealer);
  return { id, payload, items: events.length, position: 1, claims: 1, ageMs: 0 };
}
async function opened(events: StoredEvent[], ageMs: number, o: Parameters<typeof around>[0] = {}, progress?: Progress) {
  const { context } = around(o);
  const started = { entry: await entry(events), progress: progress ?? newProgress(events.length) };
  const [open] = (await openEvents(context, jobAt(ageMs), [started])).opened;
  return { context, open: open as OpenEvents };
}
const doubts = ({ progress, events }: OpenEvents) => events.map((_, index) => unknownSince(progress, index));

describe("entries of events", () => {
  it("are opened; one that does not open waits five minutes with what it remembers, and is told of", async () => {
    const { context, emitted } = around();
    const progress = { ...newProgress(1), attempts: 3 };
    const { opened: found, waiting } = await openEvents(context, jobAt(700), [
      { entry: await entry([event(1)], "another place"), progress },
      { entry: await entry([event(2)]), progress: newProgress(1) },
    ]);
    expect(found).toMatchObject([{ events: [{ eventId: "e-2" }], dead: [], settled: [], openedAgeMs: 700 }]);
    expect(waiting).toMatchObject([{ id: "entry-1", rest: { retryInMs: 300_000 } }]);
    expect(readProgress(waiting[0]?.rest?.progress, 1)).toEqual(progress);
    expect(emitted).toEqual([
      {
        ...{ type: "entry_unreadable", tenantId: "acme", destinationId: "d1", group: "events/pixel-1" },
        reason: "payload_unreadable",
      },
    ]);
  });

  it("that were queued again are in doubt for as long as Snapchat may have had them", async () => {
    const { open } = await opened([event(1), { ...event(2), doubtMs: 900 }, { ...event(3), doubtMs: 0 }], 100);
    expect(doubts(open).map((since) => since && since + 0)).toEqual([undefined, -900, -0]);
  });

  it.each<[string, number, (number | undefined)[]]>([
    ["that came later are in no doubt", 400, [undefined, undefined]],
    ["that came with it may have been sent since it was taken", 401, [undefined, 0]],
    ["from then on", 1_000, [undefined, 100]],
  ])("of a database from a backup: those %s", async (_, ageMs, since) => {
    const progress = newProgress(2);
    progress.done[0] = 1;
    const restored = { backupAgeMs: 900, restoredAgeMs: 400 };
    const { open } = await opened([event(1), event(2)], ageMs, { restored }, progress);
    expect(doubts(open)).toEqual(since);
  });
});

describe("Snapchat knows an event again", () => {
  const HOUR = 3_600_000;
  const ends = async (more: Partial<StoredEvent>, settings: object) => {
    const progress = newProgress(1);
    markUnknown(progress, [0], 70, 1);
    const { context, open } = await opened([{ ...event(1), ...more }], 100, { settings }, progress);
    return memoryEndsAtAge(context, open, 0);
  };

  it("for two days after it may have come first, and that is not asked of one that never left", async () => {
    expect(await ends({}, {})).toBe(70 + 48 * HOUR);
    const { context, open } = await opened([event(1)], 100);
    expect(memoryEndsAtAge(context, open, 0)).toBeUndefined();
    expect(
      memoryEndsAtAge(
        context,
        { ...open, progress: { ...open.progress, unknown: [{ ageMs: 5, items: Uint8Array.of(2) }] } },
        1,
      ),
    ).toBe(5 + 48 * HOUR);
  });

  it.each<[string, Partial<StoredEvent>, number]>([
    ["a purchase with an order id", { orderId: "o-1" }, 90 * HOUR],
    ["a purchase without", {}, 48 * HOUR],
    ["something else with an order id", { orderId: "o-1", eventName: "VIEW_CONTENT" }, 48 * HOUR],
  ])("longer where the host says so: %s", async (_, more, ms) => {
    expect(await ends(more, { purchaseUnknownMs: 90 * HOUR })).toBe(70 + ms);
    expect(await ends(more, { purchaseUnknownMs: HOUR })).toBe(70 + 48 * HOUR);
    expect(await ends(more, {})).toBe(70 + 48 * HOUR);
  });
});

describe("an event that ends as a dead letter", () => {
  const words = { code: "E1", message: "No value.", requestId: "r-1" };

  it("keeps itself alone, Snapchat's words and what was tried, sealed for its place", async () => {
    const progress = { ...newProgress(2), attempts: 4 };
    markUnknown(progress, [1], 300, 2);
    const full = { ...event(2), orderId: "o-2", rule: "r-2" };
    const { context, open } = await opened([event(1), full], 1_000.4, {}, progress);
    bury(jobAt(1_000.4), open, 1, "rejected", words);
    expect(open.settled).toEqual([
      {
        ...{ eventId: "e-2", orderId: "o-2", rule: "r-2", status: "dead", reason: "rejected" },
        ...{ message: "No value.", requestId: "r-1" },
      },
    ]);
    const { id, dead = [], rest } = await outcomeOf(context, jobAt(1_000.4), open, 0);
    expect([id, rest]).toEqual(["entry-1", undefined]);
    expect(dead).toMatchObject([{ itemIndex: 1, reason: "rejected" }]);
    const [payload, detail] = await Promise.all(
      [dead[0]?.payload, dead[0]?.detail].map((sealed) => openPayload(sealed as Uint8Array, AAD, sealer)),
    );
    expect(decodeEvents(payload as Uint8Array)).toMatchObject([{ eventId: "e-2", json: full.json, rule: "r-2" }]);
    expect(decodeDetail(detail as Uint8Array)).toEqual({
      ...{ ...words, attempts: 4, unknownForMs: 700 },
      ...{ eventId: "e-2", eventName: "PURCHASE", eventTime: full.eventTime },
    });
  });

  it("is in no doubt where it never left", async () => {
    const { open } = await opened([event(1)], 1_000);
    bury(jobAt(1_000), open, 0, "event_too_old", {});
    expect(open.dead[0]?.detail).not.toHaveProperty("unknownForMs");
  });
});

describe("an entry after its claim", () => {
  const again = { attempt: true, minDelayMs: 0 };

  it("is gone where all of it is settled", async () => {
    const { context, open } = await opened([event(1)], 100);
    expect(await outcomeOf(context, jobAt(200), open, 5)).toEqual({ id: "entry-1" });
  });

  it("waits in whole milliseconds and remembers when that was written down; its dead letters go their way", async () => {
    const { context, open } = await opened([event(1), event(2)], 100);
    open.again = again;
    open.progress.attempts = 2;
    const alone = await outcomeOf(context, jobAt(900), open, 70.2);
    expect(alone).toEqual({ id: "entry-1", rest: { retryInMs: 71, progress: expect.anything() } });
    expect(readProgress(alone.rest?.progress, 2)).toMatchObject({ attempts: 2, writtenAgeMs: 900 });
    bury(jobAt(900), open, 0, "rejected", {});
    const both = await outcomeOf(context, jobAt(900), open, 70);
    expect(both).toMatchObject({ id: "entry-1", dead: [{ itemIndex: 0 }], rest: { retryInMs: 70 } });
  });
});
