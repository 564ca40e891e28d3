import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSealer } from "../../../src/auth/index.ts";
import type { Context } from "../../../src/delivery/context.ts";
import { encodeDetail } from "../../../src/delivery/dead.ts";
import { detailOf, listDeadLetters, matching, purgeDeadLetters } from "../../../src/delivery/dead-letters.ts";
import type { Sealer } from "../../../src/delivery/interfaces.ts";
import { payloadAad, sealPayload } from "../../../src/delivery/payload.ts";
import { newProgress, writeProgress } from "../../../src/delivery/progress.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { DeadLetter } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { eventsOf } from "../support.ts";

const HOUR = 3_600_000;
const NOTHING = new Uint8Array();
const DETAIL = {
  ...{ attempts: 4, message: "value is missing", code: "E1", requestId: "r-1" },
  ...{ eventId: "e-1", eventName: "PURCHASE", eventTime: 1_767_225_600 },
};

async function world({ sealer, name = "events/pixel-1" }: { sealer?: Sealer; name?: string } = {}) {
  const clock = createFakeClock();
  const storage = memory({ clock });
  const context = { storage, sealer } as unknown as Context;
  const asked: Parameters<typeof storage.outbox.dead.list>[0][] = [];
  const { list } = storage.outbox.dead;
  Object.assign(storage.outbox.dead, {
    list(o: Parameters<typeof list>[0]) {
      asked.push(o);
      return list(o);
    },
  });
  await storage.outbox.open([eventsOf({ name }), eventsOf({ destinationId: "d2", name })]);
  let entries = 0;
  async function die(letters: Partial<DeadLetter>[], destinationId = "d1"): Promise<void> {
    const id = `entry-${entries++}`;
    await storage.outbox.append([{ id, group: { destinationId, name }, priority: 0, items: 9, payload: NOTHING }]);
    const claim = await storage.outbox.claim({ owner: "w", leaseMs: 1_000, maxItems: 9, maxBytes: 9 });
    if (!claim) throw new Error("nothing waits");
    const dead = letters.map((letter, itemIndex) => ({
      ...{ itemIndex, reason: "rejected", payload: NOTHING, detail: NOTHING },
      ...letter,
    }));
    await storage.outbox.settle(claim, [{ id, dead }]);
  }
  const detail = (own: object = DETAIL, destinationId = "d1") =>
    sealPayload(encodeDetail(own as typeof DETAIL), payloadAad("acme", destinationId, name), sealer);
  return { clock, storage, context, die, detail, asked };
}

describe("a dead letter, as a person reads it,", () => {
  it("says whose it is, why it died and how long ago, in Snapchat's words", async () => {
    const { clock, context, die, detail } = await world();
    await die([{ detail: await detail() }]);
    await clock.advance(HOUR);
    const { items } = await listDeadLetters(context, { destinationId: "d1" });
    expect(items).toEqual([
      {
        ...{ id: expect.any(String), tenantId: "acme", destinationId: "d1", type: "event", of: "pixel-1" },
        ...{ reason: "rejected", ageMs: HOUR, whole: false, ...DETAIL },
      },
    ]);
  });

  it("is a segment's where its group is, and an event's of a group that nobody knows", async () => {
    const members = await world({ name: "members/vip" });
    await members.die([{ itemIndex: -1 }]);
    const [member] = (await listDeadLetters(members.context, { destinationId: "d1" })).items;
    expect(member).toMatchObject({ type: "member", of: "vip", whole: true, attempts: 0 });
    const newer = await world({ name: "catalog/1" });
    await newer.die([{}]);
    const [other] = (await listDeadLetters(newer.context, { destinationId: "d1" })).items;
    expect(other).toMatchObject({ type: "event", of: "catalog/1", whole: false });
  });

  it("is told of as far as it can be read where its keys are gone", async () => {
    const sealer = createSealer({ keys: [randomBytes(32).toString("base64")] });
    const { context, die, detail } = await world({ sealer });
    await die([{ detail: await detail() }]);
    const keyless = { ...context, sealer: undefined };
    const [found] = (await listDeadLetters(keyless, { destinationId: "d1" })).items;
    expect(found).toMatchObject({ reason: "rejected", attempts: 0 });
    expect(found?.message).toBeUndefined();
    expect((await listDeadLetters(context, { destinationId: "d1" })).items).toMatchObject([DETAIL]);
  });

  it("says the attempts of an entry that the engine buried, from what the entry remembers", async () => {
    const { context, die, detail } = await world();
    const newer = Uint8Array.of(9, 1, 2);
    await die([
      { itemIndex: -1, detail: writeProgress({ ...newProgress(9), attempts: 7 }) },
      { itemIndex: -1, detail: NOTHING },
      { itemIndex: -1, detail: newer },
      { detail: Uint8Array.of(1, 0, 9) },
      { detail: await detail({ attempts: 2 }) },
    ]);
    const { items } = await listDeadLetters(context, { destinationId: "d1" });
    expect(items.map(({ attempts }) => attempts)).toEqual([2, 0, 0, 0, 7]);
  });

  it("has its detail opened for its own place only", async () => {
    const { storage, context, die, detail } = await world({
      sealer: createSealer({ keys: [randomBytes(32).toString("base64")] }),
    });
    await die([{ detail: await detail(DETAIL, "d2") }]);
    const { items } = await storage.outbox.dead.list({ destinationId: "d1", limit: 1 });
    await expect(detailOf(context, items[0] as DeadLetter)).rejects.toThrow();
  });
});

describe("dead letters are listed", () => {
  async function three() {
    const w = await world();
    for (const reason of ["rejected", "expired", "rejected"]) {
      await w.die([{ reason }]);
      await w.clock.advance(HOUR);
    }
    await w.die([{}], "d2");
    const ages = async (o: object) =>
      (await listDeadLetters(w.context, { destinationId: "d1", ...o })).items.map(({ ageMs }) => ageMs / HOUR);
    return { ...w, ages };
  }

  it("newest first, by reason and age, bounds included", async () => {
    const { ages, asked } = await three();
    expect(await ages({})).toEqual([1, 2, 3]);
    expect(asked).toStrictEqual([{ destinationId: "d1", limit: 100 }]);
    expect(await ages({ reason: "rejected" })).toEqual([1, 3]);
    expect(await ages({ maxAgeMs: 2 * HOUR })).toEqual([1, 2]);
    expect(await ages({ minAgeMs: 2 * HOUR })).toEqual([2, 3]);
    expect(await ages({ minAgeMs: 2 * HOUR, maxAgeMs: 2 * HOUR })).toEqual([2]);
  });

  it("in pages, also where a page holds none that is old enough", async () => {
    const { context } = await three();
    const first = await listDeadLetters(context, { destinationId: "d1", minAgeMs: 3 * HOUR, limit: 2 });
    expect([first.items.length, typeof first.after]).toEqual([0, "string"]);
    const options = { destinationId: "d1", minAgeMs: 3 * HOUR, limit: 2, after: first.after };
    expect(await listDeadLetters(context, options)).toMatchObject({ items: [{ ageMs: 3 * HOUR }] });
  });

  it("and purged: as many as match, by all conditions together", async () => {
    const { context, storage, ages } = await three();
    const { items } = await listDeadLetters(context, { destinationId: "d1" });
    const ids = items.map(({ id }) => id);
    const purge = (o: object) => purgeDeadLetters(context, { destinationId: "d1", ...o });
    expect(await purge({ ids: [] })).toBe(0);
    expect(await purge({ ids, reason: "expired", minAgeMs: 2.1 * HOUR })).toBe(0);
    expect(await purge({ ids: ids.slice(1), reason: "rejected" })).toBe(1);
    expect(await ages({})).toEqual([1, 2]);
    expect(await purge({ maxAgeMs: HOUR })).toBe(1);
    expect(await purge({ minAgeMs: 2 * HOUR })).toBe(1);
    expect(await ages({})).toEqual([]);
    expect(await storage.outbox.depth(["d2"])).toMatchObject([{ dead: { rejected: 1 } }]);
  });

  it("and purged over as many pages as there are", async () => {
    const { context, die, asked } = await world();
    for (let n = 0; n < 3; n++) await die(Array.from({ length: 200 }, (_, itemIndex) => ({ itemIndex })));
    const pages: number[] = [];
    for await (const letters of matching(context.storage, { destinationId: "d1" })) pages.push(letters.length);
    expect(pages).toEqual([500, 100]);
    expect(asked).toStrictEqual([
      { destinationId: "d1", limit: 500 },
      { destinationId: "d1", limit: 500, after: expect.any(String) },
    ]);
    expect(await purgeDeadLetters(context, { destinationId: "d1" })).toBe(600);
  });

  it("no page of them is empty where none matches", async () => {
    const { context, die } = await world();
    await die([{}]);
    const found = [];
    for await (const letters of matching(context.storage, { destinationId: "d1", ids: ["another"] }))
      found.push(letters);
    expect(found).toEqual([]);
  });
});
