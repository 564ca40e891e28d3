import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import type { Control } from "../../../src/delivery/control.ts";
import { newCounters } from "../../../src/delivery/counters.ts";
import { healthOf, statsOf } from "../../../src/delivery/stats.ts";
import type { Depth } from "../../../src/storage/ports.ts";

const MINUTE = 60_000;

const depth = (destinationId: string, more: Partial<Depth> = {}): Depth => ({
  ...{ destinationId, entries: 1, items: 1, bytes: 10, oldestAgeMs: 0, paused: [], dead: {} },
  ...more,
});

interface Found {
  depths?: Depth[];
  paused?: string[];
  circuits?: { asset: string; retryInMs: number }[];
  dropped?: number;
}

function world({ depths = [], paused = [], circuits = [], dropped = 0 }: Found) {
  const counters = newCounters();
  const limits = [{ key: "token/1", factor: 0.5, blockedForMs: 0 }];
  const context = {
    storage: { outbox: { depth: async () => depths } },
    counters,
    circuits: { open: () => circuits },
    limits: { lowered: () => limits },
    journal: { dropped },
  } as unknown as Context;
  const control = { paused: async () => paused } as unknown as Control;
  return { counters, limits, context, control };
}

const problemsOf = async (found: Found) => {
  const { context, control } = world(found);
  const { ok, problems } = await healthOf(context, control);
  expect(ok).toBe(problems.length === 0);
  return problems;
};

describe("stats", () => {
  it("add up over destinations, as they are now", async () => {
    const depths = [
      depth("d1", { items: 3, dead: { rejected: 2, expired: 1 } }),
      depth("d2", { items: 4, dead: { rejected: 5 } }),
    ];
    const circuits = [{ asset: "events/pixel-1", retryInMs: 5 }];
    const { counters, limits, context, control } = world({ depths, paused: ["lunch"], circuits });
    counters.delivered = 1;
    counters.dead.rejected = 1;
    const stats = await statsOf(context, control);
    expect(stats).toEqual({
      ...{ destinations: depths, waiting: 7, deadLetters: 8, paused: ["lunch"], circuits, limits },
      counters: { ...newCounters(), delivered: 1, dead: { rejected: 1 } },
    });
    counters.delivered = 2;
    counters.dead.rejected = 2;
    expect(stats.counters).toMatchObject({ delivered: 1, dead: { rejected: 1 } });
  });
});

describe("health", () => {
  it("has nothing to say where work is young, done, or nobody's", async () => {
    expect(await problemsOf({})).toEqual([]);
    const depths = [
      depth("young", { oldestAgeMs: 15 * MINUTE }),
      depth("empty", { items: 0, oldestAgeMs: 60 * MINUTE }),
      depth("paused and empty", { items: 0, paused: ["operator"] }),
    ];
    expect(await problemsOf({ depths })).toEqual([]);
  });

  it("says that the engine does not answer", async () => {
    const { context, control } = world({});
    const away = { ...context, storage: { outbox: { depth: () => Promise.reject(new Error("away")) } } };
    expect(await healthOf(away as unknown as Context, control)).toEqual({
      ok: false,
      problems: [
        {
          code: "storage_unavailable",
          message: "The storage engine does not answer.",
          fix: "Check the database; nothing is accepted or sent until it is back.",
        },
      ],
    });
  });

  it.each<[string, Found, object]>([
    [
      "everything is paused",
      { paused: ["lunch", "operator"] },
      {
        code: "paused",
        message: "Everything is paused (lunch, operator).",
        fix: "Call resume() for each reason when delivery shall go on.",
      },
    ],
    [
      "a login is lost, whatever else holds the work",
      { depths: [depth("d1", { paused: ["operator", "reauth_required", "segment_deleted"] })] },
      {
        code: "reauth_required",
        message: "Work waits because Snapchat does not accept the login or token any more.",
        fix: "Have somebody sign in at Snapchat again, or paste a new Conversions API token.",
        destinationId: "d1",
      },
    ],
    [
      "a segment was deleted",
      { depths: [depth("d1", { paused: ["operator", "segment_deleted"] })] },
      {
        code: "segment_deleted",
        message: "Membership waits because its segment was deleted in Ads Manager.",
        fix: "Decide whether the segment is made again or no longer kept in step.",
        destinationId: "d1",
      },
    ],
    [
      "somebody paused a destination, also where its work is late for that",
      { depths: [depth("d1", { paused: ["lunch", "operator"], oldestAgeMs: 60 * MINUTE })] },
      {
        code: "paused",
        message: "Work waits (lunch, operator).",
        fix: "Call resume() for each reason when it shall go on.",
        destinationId: "d1",
      },
    ],
    [
      "work is late",
      { depths: [depth("d1", { oldestAgeMs: 15 * MINUTE + 1 })] },
      {
        code: "late",
        message: "The oldest item has waited for 15 minutes.",
        fix: "Check that a worker runs. The destination's verify() says what Snapchat refuses, stats() which circuits and limits are in the way.",
        destinationId: "d1",
      },
    ],
    [
      "an asset fails",
      { circuits: [{ asset: "events/pixel-1", retryInMs: 1_001 }] },
      {
        code: "circuit_open",
        message: "Snapchat fails for events/pixel-1; tried again in 2 s.",
        fix: "Nothing has to be done; if it stays, look at the dead letters and the journal for Snapchat's words.",
      },
    ],
    [
      "the journal loses lines",
      { dropped: 3 },
      {
        code: "journal_dropped",
        message: "3 journal lines could not be written; delivery itself is not affected.",
        fix: "Check the journal's engine.",
      },
    ],
  ])("says that %s", async (_, found, problem) => {
    expect(await problemsOf(found)).toEqual([problem]);
  });

  it("says all of it, of every destination", async () => {
    const problems = await problemsOf({
      ...{ paused: ["lunch"], circuits: [{ asset: "events/pixel-1", retryInMs: 1 }], dropped: 1 },
      depths: [depth("d1", { oldestAgeMs: 61 * MINUTE }), depth("d2", { paused: ["operator"] })],
    });
    expect(problems.map(({ code, destinationId }) => [code, destinationId])).toEqual([
      ["paused", undefined],
      ["late", "d1"],
      ["paused", "d2"],
      ["circuit_open", undefined],
      ["journal_dropped", undefined],
    ]);
  });
});
