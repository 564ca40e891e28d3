import { describe, expect, it } from "vitest";
import { decodeLine, type RequestLine } from "../../../src/delivery/journal-line.ts";
import { nothing, SegmentGone } from "../../../src/delivery/members-tell.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Members } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { failure, hashOf, member, setupSegment } from "../support.ts";

const READY = { state: "ready", segmentId: "s1" } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function setup(options: Parameters<typeof setupSegment>[0] & { members?: Partial<Members> | null } = {}) {
  const clock = createFakeClock();
  const { members, ...inner } = memory({ clock });
  const own = options.members === null ? {} : { members: { ...(members as Members), ...options.members } };
  const one = await setupSegment({
    ...{ link: READY, clock, storage: { ...inner, ...own } },
    ...options,
    settings: { journalShare: 1, ...options.settings },
  });
  return {
    ...{ ...one, members: members as Members },
    told: () => one.segments.calls.map(({ op, segmentId, hashes }) => `${op} ${segmentId} ${hashes.length}`),
    held: (filter = {}) => (members as Members).count(one.ref, filter),
    async lines() {
      const found = await inner.journal?.find({ destinationId: "d1", fromAgeMs: 0, toAgeMs: 1e12, limit: 100 });
      return (found?.items ?? []).toReversed().map((data) => decodeLine(data) as RequestLine);
    },
  };
}

describe("what a batch changes", () => {
  it("is told in as many requests as it takes, each counted and written down", async () => {
    const { delivery, work, told, lines, seen, held } = await setup({ settings: { identifiersPerRequest: 2 } });
    await delivery.append([1, 2, 3].map((n) => member(n, "add", { eventId: `e-${n}` })));
    await work(1_000);
    await delivery.append([1, 2, 3].map((n) => member(n, "remove")));
    await work(1_000);
    expect(told()).toEqual(["add s1 2", "add s1 1", "remove s1 2", "remove s1 1"]);
    expect(delivery.counters).toMatchObject({ membersAdded: 3, membersRemoved: 3, membersAccepted: 6, requests: 4 });
    const eventIds = ["e-1", "e-2", "e-3"];
    const written = (await lines()).map(({ purpose, items, answers }) => ({ purpose, items, answers }));
    const answer = { status: "delivered" };
    expect(written).toEqual([
      { purpose: "members/add", items: 2, answers: [{ ...answer, items: 2, eventIds }] },
      { purpose: "members/add", items: 1, answers: [{ ...answer, items: 1, eventIds }] },
      { purpose: "members/remove", items: 2, answers: [{ ...answer, items: 2, eventIds: [] }] },
      { purpose: "members/remove", items: 1, answers: [{ ...answer, items: 1, eventIds: [] }] },
    ]);
    expect([await held(), seen.filter(({ type }) => type === "members_sent").length]).toEqual([0, 2]);
  });

  it("is written down with Snapchat's id of the request, how long it took, and what was not taken", async () => {
    const { delivery, work, lines, segments, clock } = await setup();
    segments.members.add = async () => {
      await clock.sleep(70);
      return { accepted: 1, requestId: "r-1" };
    };
    await delivery.append([member(1, "add"), member(2, "add")]);
    await work(1_000);
    expect(await lines()).toMatchObject([
      {
        ...{ requestId: "r-1", durationMs: 70, items: 2 },
        answers: [{ status: "delivered", code: "identifiers_not_taken", message: expect.stringContaining("1 of 2") }],
      },
    ]);
  });

  it("is written down where it failed", async () => {
    const { delivery, work, lines, held } = await setup({
      async fault() {
        throw failure("http_error", { status: 503, requestId: "r-2" });
      },
    });
    await delivery.append([member(1, "add", { eventId: "e-1" })]);
    await work(500);
    expect(await lines()).toMatchObject([
      {
        purpose: "members/add",
        requestId: "r-2",
        durationMs: 0,
        items: 1,
        answers: [{ status: "retry", code: "http_error" }],
      },
    ]);
    expect(await held()).toBe(0);
  });

  it("is all told where nothing remembers members, and again where it is asked for again", async () => {
    const { delivery, work, told } = await setup({ members: null });
    await delivery.append([member(1, "add")]);
    await work(500);
    await delivery.append([member(1, "add", { eventId: "again" })]);
    await work(500);
    expect(told()).toEqual(["add s1 1", "add s1 1"]);
    expect(delivery.counters.delivered).toBe(2);
  });

  it("is remembered as told by nobody's run where it was a single change, and by its run where it was a list", async () => {
    const { delivery, work, held, ref } = await setup();
    await delivery.append([member(1, "add")]);
    const hashes = Buffer.from(hashOf(2), "hex");
    const page = { op: "add" as const, kind: 0 as const, persons: undefined, acceptedAtMs: 9, hashes };
    await delivery.lists.page(ref, "p", page, 500);
    await work(500);
    expect([await held(), await held({ run: 500 }), await held({ notSeenIn: 500 })]).toEqual([2, 1, 1]);
  });
});

describe("what was told", () => {
  it("is written down once the engine is there again", async () => {
    let away = 2;
    const { delivery, work, told, members, held } = await setup({
      members: {
        async commit(...of) {
          if (away-- > 0) throw storageError("unavailable", "away", "-");
          return members.commit(...of);
        },
      },
    });
    await delivery.append([member(1, "add")]);
    await work(5_000);
    expect([told(), await held(), delivery.counters.delivered]).toEqual([["add s1 1"], 1, 1]);
  });

  it("is left to its lease where the engine stays away for half a minute", async () => {
    const { delivery, work, seen } = await setup({
      members: { commit: async () => Promise.reject(storageError("unavailable", "away", "-")) },
    });
    await delivery.append([member(1, "add")]);
    await work(45_000);
    expect(delivery.counters.delivered).toBe(0);
    expect(seen.filter(({ type }) => type === "settled")).toMatchObject([{ retrying: 1 }]);
  });

  it("is not done where a later claim has written already, and nothing more is told", async () => {
    const { delivery, work, told, members, ref } = await setup();
    await delivery.append([member(1, "add")]);
    await delivery.lists.task(ref, "t", { task: "make" });
    await delivery.append([member(2, "add")]);
    await members.commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    await work(500);
    expect([told(), delivery.counters.lost]).toEqual([["add s1 1"], 1]);
  });
});

describe("a member that was told long ago", () => {
  it.each<[string, object, object, number, number]>([
    ["as the delivery's settings say", {}, { renewMembersAfterMs: HOUR }, HOUR, 2],
    ["as the delivery's settings say, and not before", {}, { renewMembersAfterMs: HOUR }, HOUR - 2_000, 1],
    ["as the segment's retention says first", { retentionInDays: 8 }, { renewMembersAfterMs: HOUR }, 2 * HOUR, 1],
    ["as the segment's retention says", { retentionInDays: 8 }, {}, 5 * DAY, 2],
    ["never where nobody says so", {}, {}, 300 * DAY, 1],
  ])("is told again %s (%#)", async (_, link, settings, afterMs, times) => {
    const { delivery, work, told, clock } = await setup({ link: { ...READY, ...link }, settings });
    await delivery.append([member(1, "add")]);
    await work(500);
    await clock.advance(afterMs);
    await delivery.append([member(1, "add", { eventId: "again" })]);
    await work(500);
    expect(told()).toHaveLength(times);
  });
});

it("a segment that is gone says which one, and what Snapchat said", () => {
  const reason = failure("http_error", { status: 404 });
  const gone = new SegmentGone("s1", reason);
  expect([gone.message, gone.segmentId, gone.reason]).toEqual(["The segment is gone.", "s1", reason]);
  expect(nothing()).toEqual({ added: 0, removed: 0, accepted: 0, requests: 0 });
});
