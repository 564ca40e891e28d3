import { describe, expect, it } from "vitest";
import type { DeliveryItem, MemberItem } from "../../../src/delivery/index.ts";
import { decodeEvents, decodeMembers, eventBytes, memberBytes, openPayload } from "../../../src/delivery/payload.ts";
import { type PrepareOptions, prepareItems } from "../../../src/delivery/prepare.ts";
import { event, hashOf, member, promisesDone } from "../support.ts";

const OPTIONS: PrepareOptions = {
  sealer: undefined,
  maxEntryBytes: 8 * 1024 * 1024,
  lingerMs: 200,
  memberLingerMs: 60_000,
  dedupeMs: 7_000,
};
const prepare = (items: DeliveryItem[], more: Partial<PrepareOptions> = {}) =>
  prepareItems(items, { ...OPTIONS, ...more });
const indexes = async (items: DeliveryItem[], more: Partial<PrepareOptions> = {}) =>
  (await prepare(items, more)).entries.map(({ itemIndexes }) => itemIndexes);
const identifiers = (count: number): MemberItem["identifiers"] =>
  Array.from({ length: count }, (_, n) => ({ kind: 0, hash: hashOf(1_000 + n) }));

describe("the items of a call", () => {
  it("become an entry for each group, in the order of their first items", async () => {
    const { entries, tooLarge } = await prepare([
      event(1),
      member(1, "add"),
      event(2, { destinationId: "d2" }),
      member(2, "add", { link: "bulk", bulk: true }),
      event(3),
      event(4, { assetId: "pixel-2" }),
      member(3, "remove"),
    ]);
    expect(tooLarge).toEqual([]);
    const of = (destinationId: string, name: string, more: object) => ({
      ...{ id: expect.any(String), group: { destinationId, name }, payload: expect.anything(), dedupeMs: 7_000 },
      ...more,
    });
    expect(entries).toEqual([
      of("d1", "events/pixel-1", { priority: 0, items: 2, delayMs: 200, itemIndexes: [0, 4] }),
      of("d1", "members/vip", { priority: 1, items: 1, delayMs: 60_000, itemIndexes: [1, 6] }),
      of("d2", "events/pixel-1", { priority: 0, items: 1, delayMs: 200, itemIndexes: [2] }),
      of("d1", "members/bulk", { priority: 2, items: 1, delayMs: 60_000, itemIndexes: [3] }),
      of("d1", "events/pixel-2", { priority: 0, items: 1, delayMs: 200, itemIndexes: [5] }),
    ]);
    const opened = await Promise.all(entries.map(({ payload }) => openPayload(payload, "", undefined)));
    expect(decodeEvents(opened[0] as Uint8Array).map(({ eventId }) => eventId)).toEqual(["e-1", "e-3"]);
    expect(decodeMembers(opened[1] as Uint8Array).map(({ op }) => op)).toEqual(["add", "remove"]);
  });

  it("are sealed for the place they are stored in", async () => {
    const places: string[] = [];
    const sealer = {
      seal(plain: Uint8Array, aad: string) {
        places.push(aad);
        return plain;
      },
      open: (sealed: Uint8Array) => sealed,
    };
    await prepare([event(1), member(1, "add", { tenantId: "t2", destinationId: "d2" })], { sealer });
    expect(places).toEqual(["acme/d1/outbox/events%2Fpixel-1", "t2/d2/outbox/members%2Fvip"]);
  });

  it("are there once all of them are sealed, however long that takes", async () => {
    const done = Promise.withResolvers<void>();
    const sealer = {
      seal: async (plain: Uint8Array) => {
        if (Buffer.from(plain).includes("e-2")) await done.promise;
        return plain;
      },
      open: (sealed: Uint8Array) => sealed,
    };
    let ready = false;
    const preparing = prepare([event(1), event(2, { assetId: "pixel-2" })], { sealer }).finally(() => {
      ready = true;
    });
    await promisesDone();
    expect(ready).toBe(false);
    done.resolve();
    expect((await preparing).entries).toMatchObject([{ items: 1 }, { items: 1 }]);
  });

  it("fill one request: 2,000 events", async () => {
    const events = Array.from({ length: 2_001 }, (_, n) => event(n));
    expect((await prepare(events)).entries.map(({ items }) => items)).toEqual([2_000, 1]);
  });

  it.each([
    [0, 1],
    [1, 1],
    [50, 1],
    [51, 2],
    [100, 2],
  ])("count an item for every 50 identifiers: %d are %d", async (count, items) => {
    const { entries } = await prepare([member(1, "add", { identifiers: identifiers(count) })]);
    expect(entries).toMatchObject([{ items }]);
  });

  it("fill an entry to its last byte", async () => {
    const items = [1, 2, 3].map((n) => event(n));
    const each = eventBytes(items[0] as (typeof items)[0]);
    expect(await indexes(items, { maxEntryBytes: 2 * each + 512 })).toEqual([[0, 1], [2]]);
    expect(await indexes(items, { maxEntryBytes: 2 * each + 511 })).toEqual([[0], [1], [2]]);
    const members = [1, 2, 3].map((n) => member(n, "add"));
    const ofMember = memberBytes(members[0] as MemberItem);
    expect(await indexes(members, { maxEntryBytes: 2 * ofMember + 512 })).toEqual([[0, 1], [2]]);
  });

  it("never fill an entry beyond what a request may hold, whatever the engine takes", async () => {
    const json = JSON.stringify({ pad: "x".repeat(1_400_000) });
    expect(await indexes([1, 2, 3].map((n) => event(n, { json })))).toEqual([[0, 1], [2]]);
  });

  it("that no entry holds are named, and the others are prepared", async () => {
    const small = event(2);
    const json = JSON.stringify({ pad: "x".repeat(500) });
    const { entries, tooLarge } = await prepare(
      [event(1, { json }), small, member(1, "add", { identifiers: identifiers(40) }), event(3, { json })],
      { maxEntryBytes: eventBytes(small) + 512 },
    );
    expect(tooLarge).toEqual([0, 2, 3]);
    expect(entries.map(({ itemIndexes }) => itemIndexes)).toEqual([[1]]);
  });

  it("fit an engine of small entries, whatever letters they are written in", async () => {
    const json = JSON.stringify({ event_id: "e", note: "漢字".repeat(300) });
    const items = Array.from({ length: 100 }, (_, n) => event(n, { json, orderId: `order-${n}`.repeat(20) }));
    const { entries, tooLarge } = await prepare(items, { maxEntryBytes: 65_536 });
    expect(tooLarge).toEqual([]);
    expect(entries.flatMap(({ itemIndexes }) => itemIndexes)).toEqual(items.map((_, n) => n));
    expect(Math.max(...entries.map(({ payload }) => payload.byteLength))).toBeLessThanOrEqual(65_536);
  });

  it("of bulk work go apart from live changes", async () => {
    const bulk = true;
    const items = [member(1, "add"), member(2, "add", { bulk }), member(3, "add", { bulk }), member(4, "add")];
    const { entries } = await prepare(items);
    expect(entries.map(({ itemIndexes, priority }) => [itemIndexes, priority])).toEqual([
      [[0], 1],
      [[1, 2], 2],
      [[3], 1],
    ]);
  });

  it("that say both of one identifier go apart, however it is written", async () => {
    const hash = "ab".repeat(32);
    const said = (op: "add" | "remove", as: string | Uint8Array, kind: 0 | 1 = 0) =>
      member(1, op, {
        identifiers: [
          { kind: 2, hash: hashOf(op === "add" ? 5 : 6) },
          { kind, hash: as },
        ],
      });
    const again = Buffer.from(hash, "hex");
    expect(await indexes([said("add", hash), said("remove", hash.toUpperCase()), said("remove", again)])).toEqual([
      [0],
      [1, 2],
    ]);
    expect(await indexes([said("add", hash.toUpperCase()), said("add", again), said("remove", again)])).toEqual([
      [0, 1],
      [2],
    ]);
    expect(await indexes([said("add", hash), said("remove", hash, 1)])).toEqual([[0, 1]]);
    expect(await indexes([event(1), event(1)])).toEqual([[0, 1]]);
  });
});

describe("the id of an entry", () => {
  const idOf = async (...items: DeliveryItem[]) => (await prepare(items)).entries[0]?.id;

  it("is the one that earlier versions gave the same items: a call that comes again meets what it stored", async () => {
    expect(await idOf(event(1), event(2))).toBe("LQb7XYJpr7IcSgg7ixAsTkt_Ff1jmuC9DTJser5WKEM");
    expect(await idOf(member(1, "add"), member(2, "remove", { person: undefined, eventId: "e-2" }))).toBe(
      "nXOzx-PQVxO6hSp459ettQdeTXJxjXZdZcYUIvx8geE",
    );
  });

  it("says nothing about how a digest is written, nor what the host's words are", async () => {
    const hash = "ab".repeat(32);
    const written = (as: string | Uint8Array) => idOf(member(1, "add", { identifiers: [{ kind: 0, hash: as }] }));
    expect(
      new Set([await written(hash), await written(hash.toUpperCase()), await written(Buffer.from(hash, "hex"))]),
    ).toHaveLength(1);
    expect(await idOf(event(1, { json: "{}", acceptedAtMs: 5 }))).toBe(await idOf(event(1)));
    expect(await idOf(member(1, "add", { eventId: "e", acceptedAtMs: 5 }))).toBe(
      await idOf(member(1, "add", { eventId: "e" })),
    );
  });

  it.each<[string, DeliveryItem[]]>([
    ["tenant", [event(1, { tenantId: "t2" })]],
    ["destination", [event(1, { destinationId: "d2" })]],
    ["asset", [event(1, { assetId: "pixel-2" })]],
    ["event", [event(2)]],
    ["name of the event", [event(1, { eventName: "VIEW_CONTENT" })]],
    ["number of events", [event(1), event(1)]],
  ])("is another one for another %s", async (_, items) => {
    expect(await idOf(...items)).not.toBe(await idOf(event(1)));
  });

  it.each<[string, MemberItem]>([
    ["link", member(1, "add", { link: "b" })],
    ["direction", member(1, "remove")],
    ["identifier", member(1, "add", { identifiers: [{ kind: 0, hash: hashOf(2) }] })],
    ["kind", member(1, "add", { identifiers: [{ kind: 1, hash: hashOf(1) }] })],
    ["number of identifiers", member(1, "add", { identifiers: identifiers(2) })],
    ["person", member(1, "add", { person: new Uint8Array(16).fill(9) })],
    ["host's event", member(1, "add", { eventId: "e-9" })],
    ["time", member(1, "add", { acceptedAtMs: 5 })],
  ])("is another one for a membership's other %s", async (_, item) => {
    expect(await idOf(item)).not.toBe(await idOf(member(1, "add")));
  });
});
