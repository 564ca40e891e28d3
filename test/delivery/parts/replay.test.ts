import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSealer } from "../../../src/auth/index.ts";
import type { Context, Restored } from "../../../src/delivery/context.ts";
import { type DeadDetail, encodeDetail } from "../../../src/delivery/dead.ts";
import type { Consent, Sealer } from "../../../src/delivery/interfaces.ts";
import { encodeList } from "../../../src/delivery/list-payload.ts";
import {
  decodeEvents,
  decodeMembers,
  encodeEvents,
  encodeMembers,
  openPayload,
  payloadAad,
  type StoredEvent,
  type StoredMember,
  sealPayload,
} from "../../../src/delivery/payload.ts";
import { newProgress, type Progress, writeProgress } from "../../../src/delivery/progress.ts";
import { type ReplayOptions, replay } from "../../../src/delivery/replay.ts";
import { settingsOf } from "../../../src/delivery/settings.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { NewEntry } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { eventsOf, hashOf } from "../support.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);
const NOTHING = { matched: 1, replayed: 0, items: 0, skipped: {}, withdrawn: 0 };

const event = (n: number, more: Partial<StoredEvent> = {}): StoredEvent => ({
  ...{ json: `{"event_id":"e-${n}"}`, eventId: `e-${n}`, eventName: "PURCHASE", eventTime: START / 1_000 },
  ...{ subjects: [`subject-${n}`], acceptedAtMs: START },
  ...more,
});

const member = (n: number, op: StoredMember["op"], more: Partial<StoredMember> = {}): StoredMember => ({
  ...{ op, identifiers: [{ kind: 0, hash: Buffer.from(hashOf(n), "hex") }], person: undefined },
  ...{ subjects: [`subject-${n}`], acceptedAtMs: START, eventId: `e-${n}` },
  ...more,
});

interface Options {
  sealer?: Sealer;
  consent?: Consent["allowed"];
  name?: string;
  settings?: object;
  members?: boolean;
}

async function world({ sealer, consent, name = "events/pixel-1", settings = {}, members = true }: Options = {}) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const appended: NewEntry[] = [];
  const outbox: typeof inner.outbox = {
    ...inner.outbox,
    append(entries) {
      appended.push(...entries);
      return inner.outbox.append(entries);
    },
  };
  const { members: kept, ...rest } = inner;
  const storage = { ...rest, outbox, ...(members && kept && { members: kept }) };
  const fate: { restored: Restored | undefined } = { restored: undefined };
  const context = {
    ...{ storage, clock, random: () => 0.5, sealer, settings: settingsOf(settings) },
    restored: () => fate.restored,
    ...(consent && { consent: { allowed: consent } }),
  } as unknown as Context;
  const group = eventsOf({ name });
  const aad = payloadAad("acme", "d1", name);
  await storage.outbox.open([group]);

  const seal = (content: Uint8Array) => sealPayload(content, aad, sealer);
  let entries = 0;
  async function claimOf(payload: Uint8Array, items: number, leaseMs = 1_000) {
    const id = `entry-${entries++}`;
    await inner.outbox.append([{ id, group, priority: 0, items, payload }]);
    const claim = await inner.outbox.claim({ owner: "w", leaseMs, maxItems: 2_000, maxBytes: 1e6 });
    if (!claim) throw new Error("nothing waits");
    return { id, claim };
  }
  /** A dead letter of one item, or with `itemIndex` -1 of a whole entry that a worker gave up. */
  async function die(content: Uint8Array, detail: Partial<DeadDetail> = {}, itemIndex = 0): Promise<void> {
    const { id, claim } = await claimOf(await seal(content), 1);
    const sealed = await seal(encodeDetail({ attempts: 0, ...detail }));
    const payload = await seal(content);
    await inner.outbox.settle(claim, [{ id, dead: [{ itemIndex, reason: "rejected", payload, detail: sealed }] }]);
  }
  /** An entry that the engine buried after so long, claimed and never settled `claims` times since its last note. */
  async function buried(events: StoredEvent[], o: { progress?: Progress; afterMs?: number; claims?: number } = {}) {
    const { id, claim } = await claimOf(await seal(encodeEvents(events)), events.length);
    const progress = o.progress ? writeProgress(o.progress) : new Uint8Array();
    await inner.outbox.settle(claim, [{ id, rest: { retryInMs: 0, progress } }]);
    for (let n = 0; n < (o.claims ?? 0); n++) {
      await inner.outbox.claim({ owner: "w", leaseMs: 1, maxItems: 2_000, maxBytes: 1e6 });
      await clock.advance(2);
    }
    await clock.advance(o.afterMs ?? 0);
    await inner.outbox.bury({ destinationId: "d1" }, "dropped", { limit: 10 });
  }
  const letters = async () => (await inner.outbox.dead.list({ destinationId: "d1", limit: 1_000 })).items;
  const again = (o: Partial<ReplayOptions> = {}) => clock.run(replay(context, { destinationId: "d1", ...o }));
  async function queued(): Promise<StoredEvent[][]> {
    const open = async ({ payload }: NewEntry) => decodeEvents(await openPayload(payload, aad, sealer));
    return Promise.all(appended.map(open));
  }
  return { clock, storage, context, fate, aad, appended, seal, die, buried, letters, again, queued };
}

const idsOf = (entries: StoredEvent[][]) => entries.map((events) => events.map(({ eventId }) => eventId));
const doubtsOf = (entries: StoredEvent[][]) => entries.map((events) => events.map(({ doubtMs }) => doubtMs));

describe("a replay", () => {
  it("queues a letter behind live traffic, at its old position, known for as long as it may be here", async () => {
    const { again, appended, die, letters, queued } = await world();
    await die(encodeEvents([event(1, { orderId: "o-1", rule: "shop", testEventCode: "T" })]));
    const [letter] = await letters();
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 1 });
    expect(appended).toMatchObject([
      {
        ...{ group: { destinationId: "d1", name: "events/pixel-1" }, priority: 3, items: 1 },
        ...{ position: letter?.position, dedupeMs: 30 * DAY },
      },
    ]);
    expect(await queued()).toEqual([
      [{ ...event(1), orderId: "o-1", rule: "shop", testEventCode: "T", validateOnly: false }],
    ]);
    expect(await letters()).toEqual([]);
  });

  it("keeps an id as long as a repeated call is known, where that is longer", async () => {
    const { again, appended, die } = await world({ settings: { dedupeMs: 40 * DAY } });
    await die(encodeEvents([event(1)]));
    await again();
    expect(appended[0]?.dedupeMs).toBe(40 * DAY);
  });

  it("makes the same entry of the same letter, and another one of another", async () => {
    const { again, appended, die, storage } = await world();
    await die(encodeEvents([event(1)]));
    await die(encodeEvents([event(1)]));
    const remove = storage.outbox.dead.delete;
    Object.assign(storage.outbox.dead, { delete: async () => 0 });
    await again();
    Object.assign(storage.outbox.dead, { delete: remove });
    await again();
    const ids = appended.map(({ id }) => id);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
  });

  it("adds up over as many pages as there are", async () => {
    const { again, die, letters } = await world();
    for (let n = 0; n < 502; n++) {
      const old = n % 251 === 0 ? { maxAgeMs: 1 } : {};
      await die(encodeEvents([event(n, { eventTime: START / 1_000 - 1, ...old })]));
    }
    const report = { matched: 502, replayed: 500, items: 500, skipped: { event_too_old: 2 }, withdrawn: 0 };
    expect(await again({ dryRun: true })).toEqual(report);
    expect(await letters()).toHaveLength(502);
    expect(await again()).toEqual(report);
    expect(await letters()).toHaveLength(2);
  });
});

describe("a replay of events", () => {
  it("leaves what is older than Snapchat takes, to the millisecond", async () => {
    const { again, clock, die } = await world({ settings: { entryRetentionMs: 2 * HOUR } });
    await die(encodeEvents([event(1, { maxAgeMs: HOUR })]));
    await die(encodeEvents([event(2)]));
    await clock.advance(HOUR);
    expect(await again({ dryRun: true })).toMatchObject({ replayed: 2, skipped: {} });
    await clock.advance(1);
    expect(await again({ dryRun: true })).toMatchObject({ replayed: 1, skipped: { event_too_old: 1 } });
    await clock.advance(HOUR - 1);
    expect(await again({ dryRun: true })).toMatchObject({ replayed: 1, skipped: { event_too_old: 1 } });
    await clock.advance(1);
    expect(await again({ dryRun: true })).toMatchObject({ replayed: 0, skipped: { event_too_old: 2 } });
  });

  it("leaves what Snapchat may have had for longer than it remembers, and notes for how long it may", async () => {
    const { again, clock, die, queued } = await world();
    await die(encodeEvents([event(1)]), { unknownForMs: HOUR });
    await clock.advance(47 * HOUR + 1);
    expect(await again()).toEqual({ ...NOTHING, skipped: { outcome_unknown: 1 } });
    clock.jump(-1);
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 1 });
    expect(doubtsOf(await queued())).toEqual([[48 * HOUR]]);
  });

  it("forgets that doubt where it is told to send it whatever comes of it", async () => {
    const { again, clock, die, queued } = await world();
    await die(encodeEvents([event(1)]), { unknownForMs: HOUR });
    await clock.advance(60 * HOUR);
    expect(await again({ resendUnknown: true })).toEqual({ ...NOTHING, replayed: 1, items: 1 });
    expect(doubtsOf(await queued())).toEqual([[undefined]]);
  });

  it("has no doubt about an item that Snapchat refused", async () => {
    const { again, clock, die, queued } = await world();
    await die(encodeEvents([event(1, { doubtMs: HOUR })]));
    await clock.advance(60 * HOUR);
    await again();
    expect(doubtsOf(await queued())).toEqual([[undefined]]);
  });

  it("removes what was withdrawn, and asks with all that is known of it", async () => {
    const asked: unknown[] = [];
    const { again, die, letters, appended } = await world({
      consent: (...args) => {
        asked.push(args);
        return false;
      },
    });
    await die(encodeEvents([event(1)]));
    expect(await again({ dryRun: true })).toEqual({ ...NOTHING, withdrawn: 1 });
    expect(asked).toMatchObject([["acme", "d1", ["subject-1"], START, { eventId: "e-1", json: '{"event_id":"e-1"}' }]]);
    expect(await letters()).toHaveLength(1);
    expect(await again()).toEqual({ ...NOTHING, withdrawn: 1 });
    expect([await letters(), appended]).toEqual([[], []]);
  });

  it("sends of a whole entry what may still be sent, as one entry", async () => {
    const { again, die, letters, queued, appended } = await world({
      consent: async (_tenant, _destination, [subject]) => subject !== "subject-2",
    });
    await die(encodeEvents([event(1), event(2), event(3)]), {}, -1);
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 2 });
    expect(idsOf(await queued())).toEqual([["e-1", "e-3"]]);
    expect(appended[0]?.items).toBe(2);
    expect(await letters()).toEqual([]);
  });

  it("leaves a whole entry of which something is too old: it would be forgotten", async () => {
    const { again, clock, die, letters } = await world();
    await die(encodeEvents([event(1), event(2, { maxAgeMs: HOUR }), event(3)]), {}, -1);
    await clock.advance(2 * HOUR);
    expect(await again()).toEqual({ ...NOTHING, skipped: { event_too_old: 1 } });
    expect(await letters()).toHaveLength(1);
  });

  it("leaves a whole entry of which everything is delivered", async () => {
    const { again, die } = await world({ consent: () => false });
    await die(encodeEvents([event(1), event(2)]), { done: Buffer.of(0b11).toString("base64") }, -1);
    expect(await again()).toEqual({ ...NOTHING, skipped: { delivered: 1 } });
  });

  it("leaves out of an entry that every worker died of what was delivered before", async () => {
    const { again, clock, die, queued } = await world();
    const detail = { attempts: 3, unknownForMs: 2 * HOUR, done: Buffer.of(0b010).toString("base64") };
    await die(encodeEvents([event(1), event(2), event(3)]), detail, -1);
    await clock.advance(HOUR);
    expect(await again()).toMatchObject({ replayed: 1, items: 2 });
    expect(idsOf(await queued())).toEqual([["e-1", "e-3"]]);
    expect(doubtsOf(await queued())).toEqual([[3 * HOUR, 3 * HOUR]]);
  });
});

describe("a replay of an entry that the engine buried", () => {
  it("has no doubt about what nobody ever had in hand", async () => {
    const { again, buried, queued } = await world();
    await buried([event(1)], { afterMs: 60 * HOUR });
    await again();
    expect(doubtsOf(await queued())).toEqual([[undefined]]);
  });

  it("leaves out what was delivered, and dates a doubt by what the entry remembers", async () => {
    const { again, buried, clock, queued } = await world();
    const progress = { ...newProgress(3), done: Uint8Array.of(0b001), writtenAgeMs: HOUR };
    progress.unknown.push({ ageMs: HOUR, items: Uint8Array.of(0b010) });
    await buried([event(1), event(2), event(3)], { progress, afterMs: 3 * HOUR });
    await clock.advance(2 * HOUR);
    await again();
    expect(idsOf(await queued())).toEqual([["e-2", "e-3"]]);
    expect(doubtsOf(await queued())).toEqual([[4 * HOUR, undefined]]);
  });

  it("doubts all that somebody had in hand since the last note and never spoke of", async () => {
    const { again, buried, clock, queued } = await world();
    await buried([event(1)], { progress: { ...newProgress(1), writtenAgeMs: HOUR }, afterMs: 3 * HOUR - 2, claims: 1 });
    await clock.advance(HOUR);
    await again();
    expect(doubtsOf(await queued())).toEqual([[3 * HOUR]]);
  });

  it("doubts such an entry from its beginning where nothing was noted", async () => {
    const { again, buried, queued } = await world();
    await buried([event(1)], { afterMs: 3 * HOUR - 4, claims: 2 });
    await again();
    expect(doubtsOf(await queued())).toEqual([[3 * HOUR]]);
  });

  it("doubts what an earlier replay doubted for as long as it is accepted", async () => {
    const { again, buried, queued } = await world();
    await buried([event(1, { doubtMs: 5, acceptedAtMs: START - HOUR })], { afterMs: 2 * HOUR });
    await again();
    expect(doubtsOf(await queued())).toEqual([[3 * HOUR]]);
  });

  it("never takes an entry for younger than its death, whatever the clock of its host said", async () => {
    const { again, buried, clock, queued } = await world();
    const ahead = { acceptedAtMs: START + 50 * HOUR };
    await buried([event(1, { doubtMs: 5, ...ahead })]);
    const progress = { ...newProgress(1), unknown: [{ ageMs: 5 * HOUR, items: Uint8Array.of(1) }] };
    await buried([event(2, ahead)], { progress });
    await buried([event(3, ahead)], { progress: { ...newProgress(1), writtenAgeMs: 5 * HOUR }, claims: 1 });
    await clock.advance(2 * HOUR - 2);
    await again();
    expect(new Map(idsOf(await queued()).map(([id], n) => [id, n]))).toEqual(
      new Map([
        ["e-3", 0],
        ["e-2", 1],
        ["e-1", 2],
      ]),
    );
    expect(doubtsOf(await queued())).toEqual([[0], [0], [2 * HOUR]]);
  });
});

describe("a replay after a backup was brought back", () => {
  it("doubts the letters that came with it since the backup was taken, and no younger ones", async () => {
    const { again, clock, die, fate, queued } = await world();
    await die(encodeEvents([event(1)]));
    await clock.advance(HOUR);
    fate.restored = { backupAgeMs: 5 * HOUR, restoredAgeMs: HOUR };
    await again({ dryRun: true });
    await die(encodeEvents([event(2)]));
    fate.restored = { backupAgeMs: 5 * HOUR, restoredAgeMs: HOUR - 1 };
    await again();
    expect(doubtsOf(await queued())).toEqual([[undefined], [5 * HOUR]]);
    await die(encodeEvents([event(3)]));
    await clock.advance(HOUR);
    fate.restored = { backupAgeMs: 5 * HOUR, restoredAgeMs: HOUR };
    await again();
    expect(doubtsOf(await queued())[2]).toEqual([undefined]);
  });

  it("keeps the longer one of two doubts", async () => {
    const { again, clock, die, fate, queued } = await world();
    await die(encodeEvents([event(1)]), { unknownForMs: 7 * HOUR });
    await die(encodeEvents([event(2)]), { unknownForMs: HOUR });
    await clock.advance(1);
    fate.restored = { backupAgeMs: 5 * HOUR, restoredAgeMs: 0 };
    await again();
    expect(doubtsOf(await queued())).toEqual([[5 * HOUR], [7 * HOUR + 1]]);
  });
});

describe("a replay leaves alone", () => {
  it("what a newer version wrote", async () => {
    const { again, context, storage } = await world();
    const id = "newer";
    await storage.outbox.append([
      { id, group: { destinationId: "d1", name: "events/pixel-1" }, priority: 0, items: 1, payload: Uint8Array.of(9) },
    ]);
    await storage.outbox.bury({ destinationId: "d1" }, "expired", { limit: 1 });
    expect(await again()).toEqual({ ...NOTHING, skipped: { unknown_format: 1 } });
    expect(context.storage).toBe(storage);
    const catalog = await world({ name: "catalog/1" });
    await catalog.die(encodeEvents([event(1)]));
    expect(await catalog.again()).toEqual({ ...NOTHING, skipped: { unknown_format: 1 } });
  });

  it("what a newer version noted something about: it may have been delivered", async () => {
    const item = await world();
    await item.die(encodeEvents([event(1)]), {}, 0);
    const { storage } = item;
    const { list } = storage.outbox.dead;
    const newer =
      (detail: Uint8Array): typeof list =>
      async (o) => {
        const page = await list(o);
        return { ...page, items: page.items.map((letter) => ({ ...letter, detail })) };
      };
    for (const detail of [Uint8Array.of(1, 0, 9), Uint8Array.of(9, 7)]) {
      Object.assign(storage.outbox.dead, { list: newer(detail) });
      expect(await item.again()).toEqual({ ...NOTHING, skipped: { unknown_format: 1 } });
    }
    expect(await item.letters()).toHaveLength(1);
  });

  it("what it has nothing to do about, without a word to the engine", async () => {
    const { again, clock, die, storage } = await world();
    await die(encodeEvents([event(1, { maxAgeMs: 1 })]));
    await clock.advance(HOUR);
    const refuse = () => Promise.reject(new Error("nothing was to be changed"));
    storage.outbox.append = refuse;
    Object.assign(storage.outbox.dead, { delete: refuse });
    expect(await again()).toMatchObject({ skipped: { event_too_old: 1 } });
  });

  it("what does not open with the keys at hand", async () => {
    const sealer = createSealer({ keys: [randomBytes(32).toString("base64")] });
    const { again, context, clock, die, letters } = await world({ sealer });
    await die(encodeEvents([event(1)]));
    const keyless = { ...context, sealer: undefined };
    expect(await clock.run(replay(keyless, { destinationId: "d1" }))).toEqual({
      ...NOTHING,
      skipped: { payload_unreadable: 1 },
    });
    expect(await letters()).toHaveLength(1);
    expect(await again()).toMatchObject({ replayed: 1 });
  });

  it("what goes into a group that is closed, and counts it as left", async () => {
    const { again, die, letters, storage } = await world();
    await die(encodeEvents([event(1), event(2)]), {}, -1);
    await die(encodeEvents([event(3)]));
    storage.outbox.append = () => Promise.reject(storageError("unknown_group", "It is closed.", "Open it."));
    expect(await again()).toEqual({ matched: 2, replayed: 0, items: 0, skipped: { group_closed: 2 }, withdrawn: 0 });
    expect(await letters()).toHaveLength(2);
  });

  it("everything where the engine fails, after it was asked again for five seconds", async () => {
    const { again, clock, die, letters, storage } = await world();
    await die(encodeEvents([event(1)]));
    storage.outbox.append = () => Promise.reject(storageError("unavailable", "It is away.", "Wait."));
    const began = clock.monotonic();
    await expect(again()).rejects.toMatchObject({ code: "unavailable" });
    expect(clock.monotonic() - began).toBeGreaterThan(2_500);
    expect(clock.monotonic() - began).toBeLessThanOrEqual(5_000);
    storage.outbox.append = () => Promise.reject(new TypeError("a bug"));
    await expect(again()).rejects.toThrow("a bug");
    expect(await letters()).toHaveLength(1);
  });
});

describe("a replay of changes of membership", () => {
  const name = "members/vip";
  const page = encodeList({
    ...{ type: "page", op: "add", kind: 0, hashes: Buffer.from(hashOf(1), "hex"), persons: undefined },
    acceptedAtMs: START,
  });

  it("tells each change again, and behind it what Snapchat should hold", async () => {
    const asked: unknown[] = [];
    const { again, aad, appended, die } = await world({
      name,
      consent: async (...args) => {
        asked.push(args);
        return args[2][0] !== "subject-2";
      },
    });
    await die(encodeMembers([member(1, "add"), member(2, "add"), member(3, "remove")]));
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 1 });
    const [entry] = appended;
    if (!entry) throw new Error("nothing was queued");
    const told = decodeMembers(await openPayload(entry.payload, aad, undefined));
    expect(told.map(({ op, eventId, subjects }) => [op, eventId, subjects])).toEqual([
      ["add", "e-1", ["subject-1"]],
      ["assert", "e-1", []],
      ["assert", "e-2", []],
      ["remove", "e-3", ["subject-3"]],
      ["assert", "e-3", []],
    ]);
    expect(asked).toMatchObject([
      ["acme", "d1", ["subject-1"], START, { op: "add", identifiers: [{ kind: 0 }] }],
      ["acme", "d1", ["subject-2"], START, { op: "add" }],
    ]);
  });

  it("tells all where nobody is asked about consent, weighed at 50 identifiers an item", async () => {
    const { again, die } = await world({ name });
    await die(encodeMembers(Array.from({ length: 26 }, (_, n) => member(n, "add"))));
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 2 });
    await die(encodeMembers([]));
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 1 });
  });

  it("sends a page of a list as it is", async () => {
    const { again, aad, appended, die } = await world({ name, consent: () => false });
    await die(page);
    expect(await again()).toEqual({ ...NOTHING, replayed: 1, items: 1 });
    expect(Buffer.from(await openPayload(appended[0]?.payload ?? page, aad, undefined))).toEqual(Buffer.from(page));
  });

  it("leaves both where nothing remembers members: an old change would undo a later one", async () => {
    const { again, die, letters } = await world({ name, members: false });
    await die(page);
    await die(encodeMembers([member(1, "add")]));
    expect(await again()).toEqual({ ...NOTHING, matched: 2, skipped: { members_not_kept: 2 } });
    expect(await letters()).toHaveLength(2);
  });
});
