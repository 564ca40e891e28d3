import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import type { DeliveryEvent } from "../../../src/delivery/emitted.ts";
import { type SegmentLink, writeSegmentLink } from "../../../src/delivery/segment-link.ts";
import { settingsOf } from "../../../src/delivery/settings.ts";
import { keepSwept, sweep, sweepWithin } from "../../../src/delivery/sweep.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Depth, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LOCK = "~lock/delivery/sweep";

/** A storage whose retention calls are noted and answered from `answers`, `true` where there is none left. */
function world({ depths = [], without = [] }: { depths?: Partial<Depth>[]; without?: string[] } = {}) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const called: unknown[] = [];
  const answers: boolean[] = [];
  const effects: (() => void)[] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]) => {
      called.push([name, ...args]);
      effects.shift()?.();
      return answers.shift() ?? true;
    };
  const storage = {
    ...inner,
    outbox: {
      ...inner.outbox,
      depth: async () => depths.map((depth) => ({ paused: [], ...depth })),
      bury: note("bury"),
      expire: note("expire"),
    },
    members: { ...inner.members, expire: note("members") },
    journal: { ...inner.journal, expire: note("journal") },
    ...Object.fromEntries(without.map((port) => [port, undefined])),
  } as unknown as Storage;
  const emitted: DeliveryEvent[] = [];
  const context = {
    ...{ storage, clock, random: () => 0.5, emit: (event: DeliveryEvent) => emitted.push(event) },
    settings: settingsOf({ entryRetentionMs: 10 * DAY, deadLetterRetentionMs: 3 * DAY, journalRetentionMs: DAY }),
    lists: { task: async () => 1 },
  } as unknown as Context;
  const names = () => called.map((call) => (call as string[])[0]);
  return { clock, storage, context, called, names, answers, effects, emitted };
}

describe("a sweep", () => {
  it("buries entries past their age where there are any, and removes what is past its retention", async () => {
    const { context, called } = world({
      depths: [
        { destinationId: "young", oldestAgeMs: 10 * DAY },
        { destinationId: "old", oldestAgeMs: 10 * DAY + 1 },
      ],
    });
    await sweep(context);
    expect(called).toEqual([
      ["bury", { destinationId: "old" }, "expired", { limit: 1_000, olderThanMs: 10 * DAY }],
      ["expire", { limit: 1_000, deadOlderThanMs: 3 * DAY }],
      ["journal", DAY, { limit: 1_000 }],
      ["members", 13 * DAY, { limit: 1_000 }],
    ]);
  });

  it("asks again until nothing is left", async () => {
    const { context, names, answers } = world();
    answers.push(false, false, true, false);
    await sweep(context);
    expect(names()).toEqual(["expire", "expire", "expire", "journal", "journal", "members"]);
  });

  it("ends where it is told to", async () => {
    const { context, names, answers, effects } = world();
    const stop = new AbortController();
    answers.push(false, false, false);
    effects.push(
      () => {},
      () => stop.abort(),
    );
    await sweep(context, stop.signal);
    expect(names()).toEqual(["expire", "expire"]);
  });

  it("takes back the pause of a segment that is not deleted any more", async () => {
    const { context, storage } = world({
      depths: [
        { destinationId: "d1", oldestAgeMs: 0, paused: ["segment_deleted"] },
        { destinationId: "d2", oldestAgeMs: 0, paused: ["operator"] },
      ],
    });
    const segment = (destinationId: string, link: string, state: SegmentLink["state"]) =>
      writeSegmentLink(
        storage.records,
        { tenantId: "acme", destinationId, link },
        { key: link, name: link, adAccountId: "a", state, generation: 1 },
        0,
      );
    await segment("d1", "again", "new");
    await segment("d1", "gone", "deleted");
    await segment("d1", "stopped", "stopped");
    await segment("d2", "again", "ready");
    const resumed: unknown[] = [];
    storage.outbox.resume = async (...call) => void resumed.push(call);
    await sweep(context);
    expect(resumed).toEqual([
      [{ destinationId: "d1", group: "members/again" }, "segment_deleted"],
      [{ destinationId: "d1", group: "members/stopped" }, "segment_deleted"],
    ]);
  });

  it("leaves alone what the engine does not keep", async () => {
    const { context, names } = world({ without: ["members", "journal"] });
    await sweep(context);
    expect(names()).toEqual(["expire"]);
  });
});

describe("sweeps of several processes", () => {
  it("are one in an hour, whoever asks", async () => {
    const { clock, context, names } = world();
    await sweepWithin(context, 1_000);
    await sweepWithin(context, 1_000);
    expect(names()).toEqual(["expire", "journal", "members"]);
    await clock.advance(0.9 * HOUR - 1);
    await sweepWithin(context, 1_000);
    expect(names()).toHaveLength(3);
    await clock.advance(1);
    await sweepWithin(context, 1_000);
    expect(names()).toHaveLength(6);
  });

  it("take no time where there is none", async () => {
    const { clock, context, names, storage } = world();
    await sweepWithin(context, 0);
    await sweepWithin(context, -1);
    expect([names(), clock.sleeping, await storage.records.get(LOCK)]).toEqual([[], 0, undefined]);
  });

  it("leave no timer behind", async () => {
    const { clock, context } = world();
    await sweepWithin(context, 1_000);
    expect(clock.sleeping).toBe(0);
  });

  it("go on at once in another process where one was cut off by its time", async () => {
    const { clock, context, names, storage } = world();
    const expire = storage.outbox.expire;
    storage.outbox.expire = async (o) => {
      await expire(o);
      await clock.sleep(400);
      return false;
    };
    const over = sweepWithin(context, 1_000);
    await clock.advance(999);
    expect([names().length, (await storage.records.get(LOCK)) === undefined]).toEqual([3, false]);
    await clock.run(over, { maxMs: 1 });
    await clock.advance(400);
    expect(names()).toEqual(["expire", "expire", "expire"]);
    expect(await storage.records.get(LOCK)).toBeUndefined();
  });

  it("that fail are told of, and tried again next time", async () => {
    const { clock, context, storage, emitted } = world();
    const { expire } = storage.outbox;
    storage.outbox.expire = () => Promise.reject(new Error("away"));
    const ended = new AbortController();
    const kept = keepSwept(context, ended.signal);
    await clock.advance(1);
    expect(emitted).toEqual([
      { type: "worker_error", code: "sweep_failed", message: "Old rows could not be removed; tried again later." },
    ]);
    storage.outbox.expire = expire;
    storage.records.put = () => Promise.reject(new Error("away"));
    await clock.advance(HOUR);
    expect(emitted).toHaveLength(2);
    ended.abort();
    await kept;
  });

  it("say nothing where it is another's turn", async () => {
    const { context, emitted, names } = world();
    await sweepWithin(context, 1_000);
    await sweepWithin(context, 1_000);
    expect([emitted, names().length]).toEqual([[], 3]);
  });
});

describe("a worker's sweeps", () => {
  it.each([
    [0, 0.9],
    [0.5, 1],
    [1, 1.1],
  ])("come every hour, give or take a tenth (random %s: %s h)", async (random, hours) => {
    const { clock, context, names } = world();
    const ended = new AbortController();
    const kept = keepSwept({ ...context, random: () => random }, ended.signal);
    await clock.advance(hours * HOUR - 1);
    expect(names()).toHaveLength(3);
    await clock.advance(2);
    expect(names()).toHaveLength(6);
    ended.abort();
    await kept;
    expect(clock.sleeping).toBe(0);
  });

  it("do not begin where it has stopped", async () => {
    const { context, names } = world();
    await keepSwept(context, AbortSignal.abort());
    expect(names()).toEqual([]);
  });
});
