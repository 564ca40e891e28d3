import { describe, expect, it } from "vitest";
import type { ListPage } from "../../../src/delivery/list-payload.ts";
import { decodeList } from "../../../src/delivery/list-payload.ts";
import { createListQueue, type ListQueueOptions } from "../../../src/delivery/list-queue.ts";
import { UNNAMED } from "../../../src/delivery/members-fold.ts";
import { writePageDone } from "../../../src/delivery/page-done.ts";
import { openPayload, payloadAad } from "../../../src/delivery/payload.ts";
import { segmentGroup } from "../../../src/delivery/segment-link.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { MemberOp, Members, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { altered, hashBytes, seeded } from "../support.ts";

const DAY = 86_400_000;
const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const OTHER = { ...VIP, link: "other" };
const ANN = new Uint8Array(16).fill(1);
const BOB = new Uint8Array(16).fill(2);
const SENT = new Uint8Array(1_250).fill(255);

const page = (hashes: number[], more: Partial<ListPage> = {}): Omit<ListPage, "type"> => ({
  ...{ op: "add", kind: 0, persons: undefined, acceptedAtMs: 9 },
  hashes: Buffer.concat(hashes.map(hashBytes)),
  ...more,
});

async function setup(options: Partial<ListQueueOptions> & { outbox?: Partial<Storage["outbox"]> } = {}) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const outbox = altered(inner.outbox, options.outbox);
  const storage = options.storage ?? { ...inner, outbox };
  await inner.outbox.open([segmentGroup(VIP, "c1"), segmentGroup(OTHER, "c1")]);
  const queue = createListQueue({
    ...{ sealer: undefined, clock, random: seeded(1), identifiersPerRequest: 100_000, dedupeMs: 2 * DAY },
    ...options,
    storage,
  });
  const claim = (leaseMs = 1_000) => inner.outbox.claim({ owner: "w", leaseMs, maxItems: 10_000, maxBytes: 1e9 });
  const members = inner.members as Members;
  const hold = (ops: Partial<MemberOp>[], fence = 1, run?: number) =>
    members.commit(
      VIP,
      ops.map((op) => ({ op: "add", kind: 0, hash: hashBytes(1), person: ANN, position: 1, ...op }) as MemberOp),
      { fence, sent: SENT, ...(run === undefined ? {} : { run }) },
    );
  return { clock, storage: inner, queue, claim, members, hold };
}

describe("pages of a list hold", () => {
  const withEntries = (maxEntryBytes: number) => {
    const storage = memory();
    return { storage: { ...storage, capabilities: { ...storage.capabilities, maxEntryBytes } } };
  };

  it.each([
    ["as many identifiers as a request", { identifiersPerRequest: 500 }, 500],
    ["no more than Snapchat takes", { identifiersPerRequest: 1e6 }, 100_000],
    ["what an entry of the engine holds", withEntries(1_024 + 48 * 1_000), 1_000],
    ["what an entry of the engine holds", withEntries(1_024 + 48 * 1_000 - 1), 999],
    ["one at least", withEntries(1_024 + 47), 1],
  ])("%s", async (_, options, size) => {
    const inner = memory().capabilities.maxEntryBytes;
    expect(inner).toBeGreaterThan(1_024 + 48 * 100_000);
    expect((await setup(options)).queue.pageSize).toBe(size);
  });
});

describe("a task", () => {
  it("stands behind all that is queued, or where it is told to, once for an id", async () => {
    const { queue, claim } = await setup();
    const first = await queue.task(VIP, "run 1", { task: "make" });
    const second = await queue.task(VIP, "run 2", { task: "make" });
    expect(second).toBeGreaterThan(first);
    expect(await queue.task(VIP, "run 1", { task: "make" })).toBe(first);
    expect(await queue.task(VIP, "sweep", { task: "sweep" }, { position: first })).toBe(first);
    const claimed = await claim();
    expect(claimed?.entries.map(({ position, items }) => [position, items])).toEqual([
      [first, 1],
      [first, 1],
      [second, 1],
    ]);
    const payloads = await Promise.all(
      (claimed?.entries ?? []).map(({ payload }) =>
        openPayload(payload, payloadAad("acme", "d1", "members/vip"), undefined),
      ),
    );
    expect(payloads.map(decodeList)).toEqual(
      ["make", "sweep", "make"].map((task) => ({ type: "task", task, from: undefined })),
    );
  });

  it("of another segment is another one", async () => {
    const { queue, storage } = await setup();
    await queue.task(VIP, "run", { task: "make" });
    await queue.task(OTHER, "run", { task: "make" });
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 2, items: 2 }]);
  });

  it("waits for as long as it is told to", async () => {
    const { queue, claim, clock } = await setup();
    await queue.task(VIP, "run", { task: "make" }, { delayMs: 500 });
    await clock.advance(499);
    expect(await claim()).toBeUndefined();
    await clock.advance(1);
    expect(await claim()).toMatchObject({ group: { name: "members/vip" } });
  });

  it("is the same one for as long after it has left as events are", async () => {
    const { queue, claim, clock, storage } = await setup();
    const left = async () => {
      const claimed = await claim();
      if (!claimed) return "none";
      return storage.outbox.settle(
        claimed,
        claimed.entries.map(({ id }) => ({ id })),
      );
    };
    await queue.task(VIP, "run", { task: "make" });
    expect(await left()).toBe("settled");
    await clock.advance(2 * DAY - 1);
    await queue.task(VIP, "run", { task: "make" });
    expect(await left()).toBe("none");
    await clock.advance(1);
    await queue.task(VIP, "run", { task: "make" });
    expect(await left()).toBe("settled");
  });

  it("goes behind live changes", async () => {
    const { queue, claim, storage } = await setup();
    await queue.task(VIP, "run", { task: "make" });
    const group = { destinationId: "d1", name: "members/other" };
    await storage.outbox.append([{ id: "live", group, priority: 1, items: 1, payload: Uint8Array.of(1) }]);
    expect(await claim()).toMatchObject({ group: { name: "members/other" } });
  });

  it("is offered again while the engine is away, for half a minute", async () => {
    let asked = 0;
    const away = async () => {
      asked++;
      throw storageError("unavailable", "away", "-", { retryAfterMs: 10_000 });
    };
    const { queue, clock } = await setup({ outbox: { append: away } });
    await expect(clock.run(queue.task(VIP, "run", { task: "make" }))).rejects.toMatchObject({ code: "unavailable" });
    expect([asked, clock.monotonic()]).toEqual([4, 30_000]);
  });
});

describe("a page", () => {
  it("stands at its run's position and is counted as events are: by fifties of identifiers", async () => {
    const { queue, claim } = await setup();
    for (const [id, count] of Object.entries({ none: 0, one: 1, full: 50, more: 51 })) {
      await queue.page(VIP, id, page(Array.from({ length: count }, (_, n) => n)), 7);
    }
    const claimed = await claim();
    const counted = claimed?.entries.map(({ position, items }) => `${position}: ${items}`);
    expect(counted?.toSorted()).toEqual(["7: 1", "7: 1", "7: 1", "7: 2"]);
  });

  it("is stored once for an id, and sealed where there are keys", async () => {
    const sealed: string[] = [];
    const sealer = {
      seal(plain: Uint8Array, aad: string) {
        sealed.push(aad);
        return plain.toReversed();
      },
      open: (bytes: Uint8Array) => bytes.toReversed(),
    };
    const { queue, claim } = await setup({ sealer });
    await queue.page(VIP, "p", page([1, 2]), 7);
    await queue.page(VIP, "p", page([1, 2]), 7);
    const entries = (await claim())?.entries ?? [];
    expect(entries).toHaveLength(1);
    const content = await openPayload(entries[0]?.payload ?? new Uint8Array(), "", sealer);
    expect(decodeList(content)).toMatchObject({ type: "page", op: "add", acceptedAtMs: 9 });
    expect(new Set(sealed)).toEqual(new Set([payloadAad("acme", "d1", "members/vip")]));
  });
});

describe("what a page would change now", () => {
  it("are the places of what Snapchat's list does not say already", async () => {
    const { queue, hold } = await setup();
    await hold([
      { hash: hashBytes(1), person: UNNAMED },
      { hash: hashBytes(3), person: UNNAMED },
    ]);
    expect(await queue.changing(VIP, page([1, 2, 3, 4]), 7, {})).toEqual(new Set([1, 3]));
    expect(await queue.changing(VIP, page([1, 2, 3, 4], { op: "remove" }), 7, {})).toEqual(new Set([0, 2]));
    expect(await queue.changing(OTHER, page([1, 2]), 7, {})).toEqual(new Set([0, 1]));
  });

  it("are found on long pages, and of people by name", async () => {
    const { queue, hold } = await setup();
    const long = Array.from({ length: 1_500 }, (_, n) => n);
    const held = long.filter((n) => n !== 3 && n !== 1_234);
    await hold(held.map((n) => ({ hash: hashBytes(n), person: BOB })));
    expect(await queue.changing(VIP, page(long), 7, {})).toEqual(new Set([3, 1_234]));
    const persons = Buffer.concat([BOB, BOB, BOB]);
    const leave = page([2, 3, 4], { op: "remove", persons });
    expect(await queue.changing(VIP, leave, 7, {})).toEqual(new Set([0, 2]));
  });

  it("are also members that Snapchat is about to forget", async () => {
    const { queue, hold, clock } = await setup();
    await hold([{ person: UNNAMED }]);
    const eight = { retentionInDays: 8 };
    await clock.advance(5 * DAY);
    expect(await queue.changing(VIP, page([1]), 7, eight)).toEqual(new Set());
    await clock.advance(1);
    expect(await queue.changing(VIP, page([1]), 7, eight)).toEqual(new Set([0]));
    expect(await queue.changing(VIP, page([1]), 7, {})).toEqual(new Set());
  });

  it("is not known where nothing remembers members", async () => {
    const { members: _, ...storage } = memory();
    const { queue } = await setup({ storage });
    expect(await queue.changing(VIP, page([1]), 7, {})).toBeUndefined();
    expect(await queue.leaving(VIP, 7)).toEqual({ leaving: 0, held: 0 });
  });
});

describe("what a run that has read everything makes leave", () => {
  it("is what it did not see and nobody spoke of since", async () => {
    const { queue, hold } = await setup();
    await hold([1, 2, 3].map((n) => ({ hash: hashBytes(n) })));
    await hold(
      [
        { hash: hashBytes(4), position: 7 },
        { hash: hashBytes(5), position: 8 },
      ],
      2,
    );
    await hold([{ hash: hashBytes(1), position: 7 }], 3, 7);
    expect(await queue.leaving(VIP, 7)).toEqual({ leaving: 2, held: 5 });
    expect(await queue.leaving(OTHER, 7)).toEqual({ leaving: 0, held: 0 });
  });

  it("are identifiers that nobody is left to hold, each counted once", async () => {
    const { queue, hold } = await setup();
    await hold([{}, { person: BOB }, { hash: hashBytes(2) }, { hash: hashBytes(2), person: BOB, position: 8 }]);
    expect(await queue.leaving(VIP, 7)).toEqual({ leaving: 1, held: 2 });
    await hold([{ position: 9 }], 2);
    expect(await queue.leaving(VIP, 7)).toEqual({ leaving: 0, held: 0 });
  });

  it("is counted to its end, however much it is", async () => {
    const storage = memory();
    const members = storage.members as Members;
    const asked: (string | undefined)[] = [];
    const scan: Members["scan"] = (segment, filter) => {
      asked.push(filter.after);
      return members.scan(segment, { ...filter, limit: 2 });
    };
    const { queue } = await setup({ storage: { ...storage, members: { ...members, scan } } });
    const add = { ...{ op: "add" as const, kind: 0 as const }, person: ANN, position: 1 };
    await members.commit(
      VIP,
      [1, 2, 3, 4, 5].map((n) => ({ ...add, hash: hashBytes(n) })),
      { fence: 1, sent: SENT },
    );
    expect(await queue.leaving(VIP, 7)).toEqual({ leaving: 5, held: 5 });
    expect(asked).toEqual([undefined, expect.any(String), expect.any(String)]);
  });
});

describe("who waits for a page", () => {
  it("learns what became of it, once it is done", async () => {
    const { queue, claim, storage } = await setup();
    await queue.page(VIP, "p", page([1]), 7);
    expect(await queue.done(VIP, "p")).toBeUndefined();
    const [entry] = (await claim())?.entries ?? [];
    const done = { added: 1, removed: 0, accepted: 1, requests: 1 };
    await writePageDone(storage.records, VIP, entry?.id ?? "", done);
    expect(await queue.done(VIP, "p")).toEqual(done);
    expect([await queue.done(VIP, "q"), await queue.done(OTHER, "p")]).toEqual([undefined, undefined]);
  });

  it("learns why it will never be done", async () => {
    const { queue, storage } = await setup();
    await queue.page(VIP, "p", page([1]), 7);
    expect(await queue.dead(VIP, "p")).toBeUndefined();
    await storage.outbox.bury({ destinationId: "d1" }, "dropped", { limit: 10 });
    await queue.page(OTHER, "p", page([1]), 7);
    await storage.outbox.bury({ destinationId: "d1" }, "expired", { limit: 10 });
    expect(await queue.dead(VIP, "p")).toBe("dropped");
    expect(await queue.dead(OTHER, "p")).toBe("expired");
    expect(await queue.dead(VIP, "q")).toBeUndefined();
  });
});
