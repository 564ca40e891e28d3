import { describe, expect, it } from "vitest";
import { createAppender, type GroupRef } from "../../../src/delivery/append.ts";
import type { DeliveryItem } from "../../../src/delivery/index.ts";
import { settingsOf } from "../../../src/delivery/settings.ts";
import type { Appended, Depth, Group, NewEntry, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { event, eventsOf, member } from "../support.ts";

type Call = { ids: string[]; groups: string[]; tx: unknown };
const failed = (code: string, retryable = false) => Object.assign(new Error(code), { code, retryable });
const STORED: Appended = { status: "stored", position: 1 };
const TX = { query: () => {} };

interface Options {
  transactions?: boolean;
  append?: (entries: NewEntry[], call: number) => Appended[];
  depth?: (destinationId: string) => Promise<Partial<Depth> | undefined>;
  openGroup?: ((ref: GroupRef) => Promise<Group | undefined>) | undefined;
  settings?: { maxQueuedItems?: number; maxQueuedBytes?: number };
  maxEntryBytes?: number;
}

/** The way into an engine that says what the test wants, and what it was told. */
function appending(options: Options = {}) {
  const { append = (entries) => entries.map(() => STORED), depth = async () => undefined } = options;
  const clock = createFakeClock();
  const calls: Call[] = [];
  const opened: Group[][] = [];
  const asked: string[] = [];
  const storage = {
    name: "test",
    capabilities: { transactions: options.transactions ?? true },
    outbox: {
      async append(entries: NewEntry[], o?: { tx?: unknown }) {
        const ids = entries.map(({ id }) => id);
        calls.push({ ids, groups: entries.map(({ group }) => `${group.destinationId} ${group.name}`), tx: o?.tx });
        return append(entries, calls.length - 1);
      },
      async open(groups: Group[]) {
        opened.push(groups);
      },
      async depth([id = ""]: string[]) {
        asked.push(id);
        const found = await depth(id);
        return found ? [found] : [];
      },
    },
  } as unknown as Storage;
  const appender = createAppender({
    ...{ storage, clock, random: () => 0, settings: settingsOf(options.settings), openGroup: options.openGroup },
    prepare: () => ({
      ...{
        sealer: undefined,
        maxEntryBytes: options.maxEntryBytes ?? 1e6,
        lingerMs: 0,
        memberLingerMs: 0,
        dedupeMs: 0,
      },
    }),
  });
  return { ...appender, clock, calls, opened, asked };
}

describe("an append", () => {
  it("of nothing asks nothing", async () => {
    const { append, calls, asked } = appending({ transactions: false });
    expect(await append([], { tx: TX })).toEqual([]);
    expect([calls, asked]).toEqual([[], []]);
  });

  it("answers for each item in order: queued, a duplicate, or too large for the engine", async () => {
    const { append, calls } = appending({
      maxEntryBytes: 2_000,
      append: (entries) =>
        entries.map(({ group }) => (group.name.endsWith("1") ? { ...STORED, status: "duplicate" } : STORED)),
    });
    const answers = await append([
      event(1),
      event(2, { assetId: "pixel-2" }),
      event(3, { json: JSON.stringify({ pad: "x".repeat(2_000) }) }),
      event(4),
      member(1, "add"),
    ]);
    expect(answers).toEqual(["duplicate", "queued", "too_large", "duplicate", "queued"]);
    expect(calls).toMatchObject([
      { groups: ["d1 events/pixel-1", "d1 events/pixel-2", "d1 members/vip"], tx: undefined },
    ]);
  });

  it("stores a thousand entries with each call of the engine", async () => {
    let calls = 0;
    const { append, calls: told } = appending({
      append: (entries) => entries.map(() => (calls > 1 ? STORED : { ...STORED, status: "duplicate" })),
    });
    const items = Array.from({ length: 2_001 }, (_, n) => event(n, { assetId: `pixel-${n}` }));
    calls = 1;
    const answers = await append(items);
    expect(told.map(({ ids }) => ids.length)).toEqual([1_000, 1_000, 1]);
    expect(new Set(told.flatMap(({ ids }) => ids)).size).toBe(2_001);
    expect(answers).toEqual(Array(2_001).fill("duplicate"));
  });

  it("is repeated for five seconds while the engine is away", async () => {
    let away = 3;
    const brief = appending({
      append(entries) {
        if (away-- > 0) throw failed("unavailable", true);
        return entries.map(() => STORED);
      },
    });
    expect(await brief.clock.run(brief.append([event(1)]))).toEqual(["queued"]);
    const long = appending({
      append() {
        throw failed("unavailable", true);
      },
    });
    await expect(long.clock.run(long.append([event(1)]))).rejects.toThrow("unavailable");
    expect(long.clock.monotonic()).toBe(5_000);
  });

  it.each(["too_large", "corrupt"])("that the engine refuses fails as it says, and opens nothing: %s", async (code) => {
    const { append, opened } = appending({
      openGroup: async (ref) => eventsOf(ref),
      append() {
        throw failed(code);
      },
    });
    await expect(append([event(1)])).rejects.toThrow(code);
    expect(opened).toEqual([]);
  });

  it("that fails otherwise is not repeated", async () => {
    const { append, calls } = appending({
      append() {
        throw Object.assign(new Error("own"), { code: "unknown_group" });
      },
    });
    await expect(append([event(1)])).rejects.toThrow("own");
    expect(calls).toHaveLength(1);
  });
});

describe("groups that the outbox does not know yet", () => {
  const unknownAtFirst = (entries: NewEntry[], call: number) => {
    if (call === 0) throw failed("unknown_group");
    return entries.map(() => STORED);
  };
  const items: DeliveryItem[] = [
    event(1),
    event(2),
    event(3, { destinationId: "d2", tenantId: "t2" }),
    member(1, "add"),
    event(4, { assetId: "gone" }),
  ];

  it("are opened all together, each once, and the call is repeated", async () => {
    const asked: GroupRef[] = [];
    const { append, calls, opened } = appending({
      append: unknownAtFirst,
      openGroup: async (ref) => {
        asked.push(ref);
        return ref.name === "events/gone" ? undefined : eventsOf(ref);
      },
    });
    expect(await append(items)).toEqual(Array(5).fill("queued"));
    const refs = [
      { tenantId: "acme", destinationId: "d1", name: "events/pixel-1" },
      { tenantId: "t2", destinationId: "d2", name: "events/pixel-1" },
      { tenantId: "acme", destinationId: "d1", name: "members/vip" },
      { tenantId: "acme", destinationId: "d1", name: "events/gone" },
    ];
    expect(asked).toEqual(refs);
    expect(opened).toEqual([refs.slice(0, 3).map((ref) => eventsOf(ref))]);
    expect(calls).toHaveLength(2);
    expect(calls[1]?.ids).toEqual(calls[0]?.ids);
  });

  it.each<[string, Options["openGroup"]]>([
    ["nobody opens any", undefined],
    ["none is to be", async () => undefined],
  ])("stay unknown where %s", async (_, openGroup) => {
    const { append, calls, opened } = appending({
      openGroup,
      append() {
        throw failed("unknown_group");
      },
    });
    await expect(append([event(1)])).rejects.toThrow("unknown_group");
    expect([calls.length, opened]).toEqual([2, []]);
  });

  it("are asked for again where the outbox forgot them", async () => {
    const asked: string[] = [];
    const { append } = appending({
      append: (entries, call) => unknownAtFirst(entries, call === 2 ? 0 : call),
      openGroup: async (ref) => {
        asked.push(ref.name);
        return eventsOf(ref);
      },
    });
    await append([event(1)]);
    await append([event(2)]);
    expect(asked).toEqual(["events/pixel-1", "events/pixel-1"]);
  });

  it("of a host's transaction are opened before it, once", async () => {
    const asked: string[] = [];
    const { append, calls, opened } = appending({
      openGroup: async (ref) => {
        asked.push(`${ref.destinationId} ${ref.name}`);
        return eventsOf(ref);
      },
    });
    expect(await append([event(1), event(2)], { tx: TX })).toEqual(["queued", "queued"]);
    await append([event(3), event(4, { destinationId: "d2" }), member(1, "add")], { tx: TX });
    await append([event(5)], { tx: TX });
    expect(asked).toEqual(["d1 events/pixel-1", "d2 events/pixel-1", "d1 members/vip"]);
    expect(opened).toHaveLength(2);
    expect(calls.map(({ tx }) => tx)).toEqual([TX, TX, TX]);
  });
});

describe("an append in the host's transaction", () => {
  it("is refused by an engine that has none", async () => {
    const { append, calls } = appending({ transactions: false });
    await expect(append([event(1)], { tx: TX })).rejects.toMatchObject({
      code: "capability_missing",
      kind: "fix_configuration",
      message: "The test storage cannot append inside the host's own transaction.",
      fix: "Call without `tx`, or use the Postgres adapter.",
    });
    expect(calls).toEqual([]);
    expect(await append([event(1)])).toEqual(["queued"]);
  });

  it("is tried once: a statement that failed has ended it", async () => {
    const { append, calls } = appending({
      append() {
        throw failed("unavailable", true);
      },
    });
    await expect(append([event(1)], { tx: TX })).rejects.toThrow("unavailable");
    expect(calls).toHaveLength(1);
  });
});

describe("a destination with too much waiting", () => {
  const waiting =
    (items: number, bytes = 0) =>
    async () => ({ items, bytes });
  const oneEvent = async (bytes = 0) => {
    let payload = 0;
    const { append } = appending({
      append(entries) {
        payload = entries[0]?.payload.byteLength ?? 0;
        return entries.map(() => STORED);
      },
    });
    await append([event(1)]);
    return payload + bytes;
  };

  it("takes what fits to the last item and the last byte, and no more", async () => {
    const settings = { maxQueuedItems: 10, maxQueuedBytes: 1_000 + (await oneEvent()) };
    const at = (items: number, bytes: number) => appending({ settings, depth: waiting(items, bytes) });
    expect(await at(9, 1_000).append([event(1)])).toEqual(["queued"]);
    for (const full of [at(10, 0), at(0, 1_001)]) {
      await expect(full.append([event(1)])).rejects.toMatchObject({ code: "outbox_full" });
      expect(full.calls).toEqual([]);
    }
  });

  it("refuses, and says what to do; what the call holds for others is stored", async () => {
    const full = appending({
      settings: { maxQueuedItems: 10 },
      depth: async (id) => ({ items: id === "d2" ? 0 : 10, bytes: 70 }),
    });
    const items = ["d1", "d2", "d3"].map((destinationId) => event(1, { destinationId }));
    await expect(full.append(items)).rejects.toMatchObject({
      code: "outbox_full",
      kind: "capacity",
      message: "Too much waits already for d1, d3 (10 items); nothing for it was stored, the rest of the call was.",
      fix: "Offer the same call again later: what is stored answers `duplicate`. Find out why it does not drain, or raise `maxQueuedItems`.",
      details: { destinationId: "d1", items: 10, bytes: 70, destinations: 2 },
      retryAfterMs: 5_000,
    });
    expect(full.calls).toMatchObject([{ groups: ["d2 events/pixel-1"] }]);
  });

  it("ends a call in the host's transaction before anything is stored or opened", async () => {
    const opens: string[] = [];
    const full = appending({
      settings: { maxQueuedItems: 10 },
      depth: async (id) => ({ items: id === "d1" ? 10 : 0, bytes: 0 }),
      openGroup: async (ref) => {
        opens.push(ref.name);
        return eventsOf(ref);
      },
    });
    await expect(full.append([event(1), event(2, { destinationId: "d2" })], { tx: TX })).rejects.toMatchObject({
      code: "outbox_full",
    });
    expect([full.calls, opens]).toEqual([[], []]);
  });

  it("is known by what was stored a moment ago as well", async () => {
    const { append, clock, asked } = appending({ settings: { maxQueuedItems: 3 }, depth: waiting(0) });
    await append([event(1), event(2, { assetId: "pixel-2" })]);
    await append([event(3)]);
    await expect(append([event(4)])).rejects.toMatchObject({ details: { items: 3 } });
    await clock.advance(999);
    await expect(append([event(4)])).rejects.toThrow();
    expect(asked).toEqual(["d1"]);
    await clock.advance(1);
    expect(await append([event(4)])).toEqual(["queued"]);
    expect(asked).toEqual(["d1", "d1"]);
  });

  it("by its bytes, too", async () => {
    const settings = { maxQueuedBytes: 2 * (await oneEvent()) };
    const { append } = appending({ settings, depth: waiting(0) });
    await append([event(1)]);
    await append([event(2)]);
    await expect(append([event(3)])).rejects.toMatchObject({ code: "outbox_full" });
  });

  it("is asked about for all calls at once; the first of them wait for the answer, later ones do not", async () => {
    let answers = 0;
    const { append, clock, asked } = appending({
      settings: { maxQueuedItems: 5 },
      depth: async () => {
        await clock.sleep(400);
        return { items: 5 * answers++, bytes: 0 };
      },
    });
    const done: number[] = [];
    const calls = [1, 2].map((n) => append([event(n)]).then(() => done.push(n)));
    await clock.advance(399);
    expect([done, asked]).toEqual([[], ["d1"]]);
    await clock.run(Promise.all(calls));
    await clock.advance(1_000);
    expect(await append([event(3)])).toEqual(["queued"]);
    expect(await append([event(4)])).toEqual(["queued"]);
    expect(asked).toEqual(["d1", "d1"]);
    await clock.advance(400);
    await expect(append([event(5)])).rejects.toMatchObject({ code: "outbox_full" });
  });

  it("fails the call where its depth was never known, and nothing where an older one is", async () => {
    let away = true;
    const { append, clock, asked } = appending({
      depth: async () => {
        if (away) throw failed("unavailable", true);
        return { items: 1, bytes: 1 };
      },
    });
    await expect(append([event(1)])).rejects.toThrow("unavailable");
    away = false;
    expect(await append([event(1)])).toEqual(["queued"]);
    away = true;
    await clock.advance(1_000);
    expect(await append([event(2)])).toEqual(["queued"]);
    await clock.advance(0);
    expect(await append([event(3)])).toEqual(["queued"]);
    expect(asked).toHaveLength(4);
  });

  it("keeps nobody waiting for another: all are asked about together", async () => {
    const { append, clock } = appending({
      depth: async () => {
        await clock.sleep(300);
        return undefined;
      },
    });
    await clock.run(append([1, 2, 3].map((n) => event(n, { destinationId: `d${n}` }))));
    expect(clock.monotonic()).toBe(300);
  });
});
