import { describe, expect, it } from "vitest";
import { encodeLine, type JournalLine, type JournalPart, journalId } from "../../../src/delivery/journal-line.ts";
import { type EventReceipt, exportReceipts, findReceipts, type ReceiptQuery } from "../../../src/delivery/receipts.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Journal } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NO_JOURNAL = {
  code: "capability_missing",
  kind: "fix_configuration",
  message: "This storage keeps no journal, so there are no receipts to find.",
  fix: "Use a storage with the journal port, or keep receipts yourself with the `receipts` plugin hook.",
};

type Line = JournalLine extends infer L ? (L extends JournalLine ? Omit<L, "id" | "atMs"> : never) : never;

const part = (target: string, more: Partial<JournalPart> = {}): JournalPart => ({
  rule: "shop",
  channel: "server",
  target,
  status: "queued",
  ...more,
});
const decided = (eventId: string, parts: JournalPart[], orderId?: string): Line => ({
  type: "ingest",
  offered: 1,
  events: [{ eventId, orderId, parts }],
});
const request = (eventIds: string[], status = "delivered", purpose = "events"): Line => ({
  type: "request",
  group: "events/pixel-1",
  items: eventIds.length,
  purpose,
  answers: [{ status: status as "delivered", items: eventIds.length, eventIds }],
});
const ended = (eventIds: string[], outcome: "dead" | "withdrawn" | "unchanged", reason?: string): Line => ({
  type: "end",
  group: "events/pixel-1",
  outcome,
  reason,
  eventIds,
});

/** A journal, and what was asked of it. */
function world() {
  const clock = createFakeClock();
  const journal = memory({ clock }).journal as Journal;
  const asked: Parameters<Journal["find"]>[0][] = [];
  const watched: Journal = {
    ...journal,
    find(o) {
      asked.push(o);
      return journal.find(o);
    },
  };
  let lines = 0;
  async function write(ids: string[], line: Line, more: { id?: string; atMs?: number } = {}): Promise<void> {
    const data = encodeLine({ id: `line-${lines++}`, atMs: clock.now(), ...line, ...more } as JournalLine);
    await journal.write([{ destinationId: "d1", ids: ids.map(journalId), data }]);
  }
  const find = (query: ReceiptQuery) => findReceipts(watched, "d1", query, clock.now());
  async function exported(window: Pick<ReceiptQuery, "sinceMs" | "untilMs"> = {}): Promise<Record<string, unknown>[]> {
    const texts: string[] = [];
    for await (const text of exportReceipts(watched, "d1", window, () => clock.now())) texts.push(text);
    expect(texts.every((text) => text.indexOf("\n") === text.length - 1)).toBe(true);
    return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }
  return { clock, journal, asked, write, find, exported };
}

describe("receipts of one event", () => {
  it("tell its whole way, oldest first, with what Snapchat said", async () => {
    const { clock, write, find } = world();
    const at = clock.now();
    await write(["e-1", "o-1"], { ...decided("e-1", [part("PURCHASE")], "o-1"), inTransaction: true } as Line);
    await clock.advance(1_000);
    const answer = { status: "rejected" as const, items: 1, eventIds: ["e-1"], code: "E1", message: "no value" };
    await write(["e-1"], {
      type: "request",
      group: "events/pixel-1",
      httpStatus: 400,
      requestId: "r-1",
      durationMs: 30,
      items: 1,
      purpose: "events",
      answers: [answer],
    });
    await write(["e-1"], {
      type: "end",
      group: "events/pixel-1",
      outcome: "dead",
      reason: "rejected",
      message: "no value",
      requestId: "r-1",
      eventIds: ["e-1"],
    });
    const receipt: EventReceipt = {
      eventId: "e-1",
      orderId: "o-1",
      status: "dead",
      entries: [
        { type: "decision", atMs: at, ...part("PURCHASE"), inTransaction: true },
        {
          type: "attempt",
          atMs: at + 1_000,
          purpose: "events",
          group: "events/pixel-1",
          answer: "rejected",
          httpStatus: 400,
          requestId: "r-1",
          durationMs: 30,
          code: "E1",
          message: "no value",
        },
        {
          type: "end",
          atMs: at + 1_000,
          group: "events/pixel-1",
          outcome: "dead",
          reason: "rejected",
          message: "no value",
          requestId: "r-1",
        },
      ],
    };
    expect(await find({ eventId: "e-1" })).toStrictEqual({ items: [receipt] });
    expect(await find({ orderId: "o-1" })).toEqual({ items: [receipt] });
    expect(await find({ eventId: "e-2" })).toEqual({ items: [] });
  });

  it("say nothing of a transaction where there was none", async () => {
    const { write, find } = world();
    await write(["e-1"], decided("e-1", [part("PURCHASE")]));
    const [receipt] = (await find({ eventId: "e-1" })).items;
    expect(receipt?.entries[0]).not.toHaveProperty("inTransaction");
    expect(receipt).not.toHaveProperty("orderId");
  });

  it("hold what became of the second rule's event, which has a name behind its id", async () => {
    const { write, find, asked } = world();
    await write(["e-1", "o-1"], decided("e-1", [part("PURCHASE"), part("vip", { channel: "audience" })], "o-1"));
    await write(["e-1.PURCHASE"], request(["e-1.PURCHASE"]));
    await write(["e-1.vip"], request(["e-1.vip"], "rejected"));
    for (const query of [{ eventId: "e-1" }, { orderId: "o-1" }, { eventId: "e-1", orderId: "o-1" }]) {
      asked.length = 0;
      const { items } = await find(query);
      expect(items.map(({ eventId, status }) => [eventId, status])).toEqual([["e-1", "delivered"]]);
      expect(items[0]?.entries.map(({ type }) => type)).toEqual(["decision", "decision", "attempt"]);
      // Each id is asked for once, and none that cannot be in the journal.
      const expected = [...("orderId" in query ? ["o-1"] : []), "e-1", "e-1.PURCHASE"];
      expect(asked.map(({ id }) => id)).toEqual(expected);
      expect(asked[0]).toEqual({
        ...{ destinationId: "d1", id: expected[0], limit: 200 },
        ...{ fromAgeMs: 0, toAgeMs: 400 * DAY },
      });
    }
  });

  it("hold nothing of another event whose id looks like that of a segment's change", async () => {
    const { write, find } = world();
    await write(["e-1"], decided("e-1", [part("vip", { channel: "audience" })]));
    await write(["e-1.vip"], request(["e-1.vip"], "rejected"));
    expect((await find({})).items.map(({ eventId, status }) => [eventId, status])).toEqual([
      ["e-1", "queued"],
      ["e-1.vip", "rejected"],
    ]);
  });

  it("follow an end of the second rule's event as well", async () => {
    const { write, find } = world();
    await write(["e-1"], decided("e-1", [part("PURCHASE")]));
    await write(["e-1.PURCHASE"], ended(["e-1.PURCHASE"], "withdrawn"));
    expect((await find({ eventId: "e-1" })).items).toMatchObject([{ eventId: "e-1", status: "withdrawn" }]);
  });

  it("hold every event of an order, and no other event of the same calls", async () => {
    const { write, find } = world();
    const both: Line = {
      type: "ingest",
      offered: 3,
      events: [
        { eventId: "e-1", orderId: "o-1", parts: [part("PURCHASE")] },
        { eventId: "e-2", orderId: "o-2", parts: [part("PURCHASE")] },
        { eventId: "e-3", orderId: "o-1", parts: [part("PURCHASE")] },
      ],
    };
    await write(["e-1", "e-2", "e-3", "o-1", "o-2"], both);
    await write(["e-1", "e-2", "e-3"], request(["e-1", "e-2", "e-3"]));
    const of = async (query: ReceiptQuery) => (await find(query)).items.map(({ eventId }) => eventId);
    expect(await of({ orderId: "o-1" })).toEqual(["e-1", "e-3"]);
    expect(await of({ eventId: "e-2" })).toEqual(["e-2"]);
    expect(await of({ eventId: "e-3", orderId: "o-1" })).toEqual(["e-3"]);
    expect(await of({ eventId: "e-2", orderId: "o-1" })).toEqual([]);
  });

  it("are read over as many pages as there are, up to 2,000 lines, each counted once", async () => {
    const { write, find } = world();
    for (let n = 0; n < 450; n++) await write(["e-1"], request(["e-1"], "retry"));
    await write(["e-1"], request(["e-1"], "retry"), { id: "line-0" });
    expect((await find({ eventId: "e-1" })).items[0]?.entries).toHaveLength(450);
    for (let n = 0; n < 1_800; n++) await write(["e-1"], request(["e-1"], "retry"));
    expect((await find({ eventId: "e-1" })).items[0]?.entries).toHaveLength(2_000);
  });

  it("are found by ids that are too long for an engine", async () => {
    const { write, find } = world();
    const long = `e-${"1".repeat(300)}`;
    await write([long], request([long]));
    expect((await find({ eventId: long })).items).toMatchObject([{ eventId: long, status: "delivered" }]);
  });

  it("leave out what a newer version wrote", async () => {
    const { journal, write, find, exported } = world();
    await write(["e-1"], request(["e-1"]));
    await journal.write([{ destinationId: "d1", ids: ["e-1"], data: Buffer.from("\u0009{}") }]);
    expect((await find({ eventId: "e-1" })).items).toMatchObject([{ entries: [{ type: "attempt" }] }]);
    expect((await find({})).items).toHaveLength(1);
    expect(await exported()).toHaveLength(1);
  });

  it("are refused where the storage keeps no journal", async () => {
    await expect(findReceipts(undefined, "d1", { eventId: "e-1" }, 0)).rejects.toMatchObject(NO_JOURNAL);
    await expect(exportReceipts(undefined, "d1", {}, () => 0).next()).rejects.toMatchObject(NO_JOURNAL);
  });
});

describe("the status of an event", () => {
  const queued = decided("e-1", [part("PURCHASE")]);
  const decisions = (...statuses: string[]) =>
    decided(
      "e-1",
      statuses.map((status) => part("PURCHASE", { status })),
    );
  const made = (status = "delivered") => request(["e-1"], status, "segments/create");
  const members = (status: string) => request(["e-1"], status, "members/add");

  it.each<[string, string, Line[]]>([
    ["that one rule refused", "rejected", [decisions("skipped", "queued", "rejected", "duplicate")]],
    ["that is stored", "queued", [decisions("skipped", "duplicate", "queued")]],
    ["that was offered again", "duplicate", [decisions("skipped", "duplicate")]],
    ["that no rule wants", "skipped", [decisions("skipped")]],
    ["that is tried again", "queued", [queued, request(["e-1"], "retry")]],
    ["whose login is lost", "unauthorized", [queued, request(["e-1"], "unauthorized")]],
    ["that was taken at last", "delivered", [queued, request(["e-1"], "retry"), request(["e-1"])]],
    ["that died", "dead", [queued, request(["e-1"], "rejected"), ended(["e-1"], "dead")]],
    ["that Snapchat held already", "delivered", [queued, ended(["e-1"], "unchanged")]],
    ["that was replayed", "delivered", [queued, ended(["e-1"], "dead"), request(["e-1"])]],
    ["whose segment was made only", "queued", [queued, made()]],
    ["whose segment was made after it was told", "rejected", [members("rejected"), made()]],
    ["of which only a segment's making is known", "delivered", [made()]],
    ["whose segment could be made at last", "delivered", [made("retry"), made()]],
    ["of which only a segment's refusal is known", "queued", [made("retry")]],
  ])("%s: %s", async (_, status, lines) => {
    const { clock, write, find } = world();
    for (const line of lines) {
      await write(["e-1"], line);
      await clock.advance(1_000);
    }
    expect((await find({ eventId: "e-1" })).items.map((receipt) => receipt.status)).toEqual([status]);
  });

  it("is told by what came last, however the lines are stored; in one moment a decision comes first and an end last", async () => {
    const { clock, write, find } = world();
    const atMs = clock.now();
    await write(["e-1"], ended(["e-1"], "dead"), { atMs });
    await write(["e-1"], request(["e-1"], "retry"), { atMs });
    await write(["e-1"], queued, { atMs });
    const types = async () => (await find({ eventId: "e-1" })).items[0]?.entries.map(({ type }) => type);
    expect(await types()).toEqual(["decision", "attempt", "end"]);
    await write(["e-1"], request(["e-1"]), { atMs: atMs - 1 });
    expect(await types()).toEqual(["attempt", "decision", "attempt", "end"]);
  });
});

describe("receipts by time", () => {
  async function hours() {
    const w = world();
    for (let n = 0; n < 4; n++) {
      await w.write([`e-${n}`], request([`e-${n}`]));
      await w.clock.advance(HOUR);
    }
    const start = w.clock.now() - 4 * HOUR;
    const ids = async (query: ReceiptQuery) => (await w.find(query)).items.map(({ eventId }) => eventId);
    return { ...w, start, ids };
  }

  it("are those between two times, newest first", async () => {
    const { ids, start, asked, clock } = await hours();
    expect(await ids({})).toEqual(["e-3", "e-2", "e-1", "e-0"]);
    expect(asked.at(-1)).toStrictEqual({ destinationId: "d1", fromAgeMs: 0, toAgeMs: 400 * DAY, limit: 100 });
    expect(await ids({ sinceMs: start + HOUR })).toEqual(["e-3", "e-2", "e-1"]);
    expect(await ids({ untilMs: start + 2 * HOUR })).toEqual(["e-2", "e-1", "e-0"]);
    expect(await ids({ sinceMs: start + HOUR, untilMs: start + 2 * HOUR })).toEqual(["e-2", "e-1"]);
    expect(asked.at(-1)).toMatchObject({ fromAgeMs: 2 * HOUR, toAgeMs: 3 * HOUR });
    const later = clock.now() + HOUR;
    expect(await ids({ untilMs: later, sinceMs: later })).toEqual([]);
    expect(asked.at(-1)).toMatchObject({ fromAgeMs: 0, toAgeMs: 0 });
  });

  it("are read in pages of as many lines as asked for", async () => {
    const { find, asked } = await hours();
    const first = await find({ limit: 3 });
    expect(first.items.map(({ eventId }) => eventId)).toEqual(["e-3", "e-2", "e-1"]);
    expect(first.after).toEqual(expect.any(String));
    const second = await find({ limit: 3, after: first.after });
    expect(second).toStrictEqual({ items: [expect.objectContaining({ eventId: "e-0" })] });
    expect(asked.at(-1)).toMatchObject({ limit: 3, after: first.after });
  });

  it("count a line once that an engine has stored twice", async () => {
    const { write, find } = world();
    for (let n = 0; n < 2; n++) await write(["e-1"], request(["e-1"]), { id: "line" });
    expect((await find({})).items[0]?.entries).toHaveLength(1);
  });

  it("hold for one id only what is between two times", async () => {
    const { clock, write, find } = world();
    const start = clock.now();
    await write(["e-1"], request(["e-1"], "retry"));
    await clock.advance(HOUR);
    await write(["e-1"], request(["e-1"]));
    await clock.advance(HOUR);
    const answers = async (query: ReceiptQuery) =>
      (await find({ eventId: "e-1", ...query })).items[0]?.entries.map((entry) => "answer" in entry && entry.answer);
    expect(await answers({ untilMs: start })).toEqual(["retry"]);
    expect(await answers({ sinceMs: start + 1 })).toEqual(["delivered"]);
  });
});

describe("exported receipts", () => {
  it("are one line of JSON each, with the destination and the time in words, newest first", async () => {
    const { clock, write, exported } = world();
    await write(["e-1"], request(["e-1"], "retry"));
    await clock.advance(HOUR);
    await write(["e-1"], ended(["e-1"], "dead", "rejected"));
    expect(await exported()).toEqual([
      {
        destinationId: "d1",
        at: "2026-01-01T01:00:00.000Z",
        ...{ id: "line-1", atMs: Date.UTC(2026, 0, 1, 1), ...ended(["e-1"], "dead", "rejected") },
      },
      {
        destinationId: "d1",
        at: "2026-01-01T00:00:00.000Z",
        id: "line-0",
        atMs: Date.UTC(2026, 0, 1),
        ...request(["e-1"], "retry"),
      },
    ]);
  });

  it("are those between two times, over as many pages as there are", async () => {
    const { clock, write, exported, asked } = world();
    const start = clock.now();
    await write(["e-0"], request(["e-0"]));
    await clock.advance(HOUR);
    for (let n = 0; n < 501; n++) await write(["e-1"], request(["e-1"]));
    await clock.advance(HOUR);
    await write(["e-2"], request(["e-2"]));
    expect(await exported()).toHaveLength(503);
    expect(asked.map(({ fromAgeMs, toAgeMs, limit }) => [fromAgeMs, toAgeMs, limit])).toEqual([
      [0, 400 * DAY, 500],
      [0, 400 * DAY, 500],
    ]);
    expect("after" in (asked[0] ?? {})).toBe(false);
    expect(await exported({ sinceMs: start + HOUR })).toHaveLength(502);
    expect(await exported({ untilMs: start + HOUR })).toHaveLength(502);
    expect(await exported({ sinceMs: clock.now() + HOUR, untilMs: clock.now() + HOUR })).toHaveLength(1);
    expect(asked.at(-1)).toMatchObject({ fromAgeMs: 0, toAgeMs: 0 });
  });
});
