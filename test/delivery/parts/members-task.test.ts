import { describe, expect, it } from "vitest";
import type { SegmentTask } from "../../../src/delivery/list-payload.ts";
import { readSegmentLink } from "../../../src/delivery/segment-link.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { MemberOp, Members, SegmentRef } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { hashOf, setupSegment } from "../support.ts";

const READY = { state: "ready", segmentId: "s1" } as const;
const DAY = 86_400_000;
const NOTHING = { added: 0, removed: 0, accepted: 0, requests: 0 };
const ANN = new Uint8Array(16).fill(1);
const BOB = new Uint8Array(16).fill(2);
const POSITION = 100;

interface Options extends NonNullable<Parameters<typeof setupSegment>[0]> {
  /** At most so many rows a page, whatever is asked for. */
  rowsAPage?: number;
  remembers?: boolean;
}

async function setup({ rowsAPage = 1e9, remembers = true, ...options }: Options = {}) {
  const clock = createFakeClock();
  const inner = memory({ clock });
  const { members: _, ...others } = inner;
  const members = inner.members as Members;
  const limits: number[] = [];
  const scan: Members["scan"] = (segment, filter) => {
    limits.push(filter.limit);
    return members.scan(segment, { ...filter, limit: Math.min(filter.limit, rowsAPage) });
  };
  const storage = { ...others, ...(remembers && { members: { ...members, scan } }) };
  const one = await setupSegment({ link: READY, ...options, clock, storage });
  const { delivery, segments, ref } = one;
  return {
    ...{ ...one, members, limits },
    /** Rows that are there already, at position 1. */
    hold: (ops: Partial<MemberOp>[], o: { of?: SegmentRef; run?: number } = {}) =>
      members.commit(
        o.of ?? ref,
        ops.map((op) => ({ op: "add", kind: 0, hash: bytes(1), person: ANN, position: 1, ...op }) as MemberOp),
        { fence: 0, sent: new Uint8Array(10).fill(255), ...(o.run === undefined ? {} : { run: o.run }) },
      ),
    /** Requests as `add 1 2`. */
    told: () =>
      segments.calls.map(({ op, hashes }) =>
        [op, ...hashes.map((hash) => Number.parseInt(hash, 16)).toSorted()].join(" "),
      ),
    async run(task: SegmentTask["task"], more: { from?: string; position?: number } = {}) {
      const { position = POSITION, ...rest } = more;
      await delivery.lists.task(ref, task, { task, ...rest }, { position });
      await one.work(500);
      return delivery.lists.done(ref, task);
    },
    link: async () => (await readSegmentLink(inner.records, ref))?.link,
    rows: async (filter = {}) =>
      (await members.scan(ref, { ...filter, limit: 100 })).items
        .map(({ hash, position }) => `${Number.parseInt(Buffer.from(hash).toString("hex"), 16)} at ${position}`)
        .toSorted(),
  };
}

const bytes = (n: number) => new Uint8Array(Buffer.from(hashOf(n), "hex"));

describe("make", () => {
  it("makes the segment and tells nobody", async () => {
    const { run, told, hold } = await setup({ link: {} });
    await hold([{}]);
    expect([await run("make"), told()]).toEqual([NOTHING, ["create"]]);
  });
});

describe("sweep", () => {
  it("takes out whom the run did not see and nobody spoke of since, and notes that the list was mirrored", async () => {
    const { run, told, hold, rows, link } = await setup();
    await hold([{ hash: bytes(1) }, { hash: bytes(2), person: BOB }]);
    await hold([{ hash: bytes(3) }], { run: POSITION });
    await hold([
      { hash: bytes(4), position: POSITION },
      { hash: bytes(5), position: POSITION + 1 },
    ]);
    expect(await run("sweep")).toEqual({ added: 0, removed: 2, accepted: 2, requests: 1 });
    expect([told(), await rows()]).toEqual([["remove 1 2"], ["3 at 1", "4 at 100", "5 at 101"]]);
    expect((await link())?.mirroredAt).toBe(POSITION);
  });

  it("takes out nobody whom somebody else still names", async () => {
    const { run, told, hold, rows } = await setup();
    await hold([{ person: ANN }, { person: BOB, position: POSITION + 1 }]);
    expect([await run("sweep"), told(), await rows()]).toEqual([NOTHING, [], ["1 at 101"]]);
  });

  it("notes the last list", async () => {
    const { run, link } = await setup({ link: { ...READY, mirroredAt: POSITION } });
    await run("sweep", { position: POSITION + 1 });
    expect((await link())?.mirroredAt).toBe(POSITION + 1);
  });

  it("notes nothing where its claim was lost", async () => {
    const { run, hold, link, members, ref, delivery } = await setup();
    await hold([{}]);
    await members.commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    expect(await run("sweep")).toBeUndefined();
    expect([await link(), delivery.counters.lost]).toEqual([expect.not.objectContaining({ mirroredAt: POSITION }), 1]);
  });
});

describe("renew", () => {
  const later = Date.UTC(2027, 0, 1);
  const forgets = { ...READY, retentionInDays: 8, renewAtMs: later };

  it("sends again who was sent five eighths of the retention ago, and notes when to look next", async () => {
    const { run, told, hold, clock, link, rows } = await setup({ link: forgets });
    await hold([{ hash: bytes(1) }, { hash: bytes(2) }]);
    await clock.advance(DAY);
    await hold([{ hash: bytes(3) }]);
    await clock.advance(4 * DAY + 1);
    const began = clock.now();
    expect(await run("renew")).toEqual({ added: 2, removed: 0, accepted: 2, requests: 1 });
    expect([told(), await rows()]).toEqual([["add 1 2"], ["1 at 1", "2 at 1", "3 at 1"]]);
    expect((await link())?.renewAtMs).toBe(began + DAY);
  });

  it("does nothing where Snapchat forgets nobody", async () => {
    const { run, told, hold, clock, link, limits } = await setup();
    await hold([{}]);
    await clock.advance(500 * DAY);
    expect([await run("renew"), told(), limits]).toEqual([NOTHING, [], []]);
    expect((await link())?.renewAtMs).toBeUndefined();
  });

  it("is looked for again where its claim was lost", async () => {
    const { run, hold, link, members, ref, clock } = await setup({ link: forgets });
    await hold([{}]);
    await members.commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    await clock.advance(6 * DAY);
    expect([await run("renew"), (await link())?.renewAtMs]).toEqual([undefined, later]);
  });
});

describe("refill", () => {
  it("sends everybody again, each identifier once", async () => {
    const { run, told, hold, rows } = await setup();
    await hold([{ hash: bytes(1) }, { hash: bytes(1), person: BOB }, { hash: bytes(2), position: 7 }]);
    expect(await run("refill")).toEqual({ added: 2, removed: 0, accepted: 2, requests: 1 });
    expect([told(), await rows()]).toEqual([["add 1 2"], ["1 at 1", "1 at 1", "2 at 7"]]);
  });

  it.each([
    [2, 1e9, ["add 2", "add 2", "add 1"], [2, 2, 2]],
    [3, 2, ["add 3", "add 2"], [3, 1, 3]],
    [5, 1e9, ["add 5"], [5]],
    [100_000, 1e9, ["add 5"], [10_000]],
    [100_000, 3, ["add 5"], [10_000, 10_000]],
  ])(
    "fills requests of %i, however many rows the engine answers at once (%i)",
    async (size, rowsAPage, counts, asked) => {
      const { run, told, hold, limits } = await setup({ rowsAPage, settings: { identifiersPerRequest: size } });
      await hold([1, 2, 3, 4, 5].map((n) => ({ hash: bytes(n) })));
      const done = await run("refill");
      expect(done).toEqual({ added: 5, removed: 0, accepted: 5, requests: counts.length });
      expect(told().map((line) => `add ${line.split(" ").length - 1}`)).toEqual(counts);
      expect(limits).toEqual(asked);
    },
  );

  it("ends where its claim was lost", async () => {
    const { run, told, hold, members, ref } = await setup({ settings: { identifiersPerRequest: 2 } });
    await hold([1, 2, 3].map((n) => ({ hash: bytes(n) })));
    await members.commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    expect([await run("refill"), told().length]).toEqual([undefined, 1]);
  });

  it("does nothing where nothing remembers members", async () => {
    const { run, told } = await setup({ remembers: false });
    expect([await run("refill"), told()]).toEqual([NOTHING, []]);
  });
});

describe("copy", () => {
  it("brings the members of another link in, at its own position", async () => {
    const { run, told, hold, rows, ref } = await setup();
    await hold([{ hash: bytes(1) }, { hash: bytes(2) }], { of: { ...ref, link: "before" } });
    await hold([{ hash: bytes(2) }, { hash: bytes(3) }]);
    expect(await run("copy", { from: "before" })).toEqual({ added: 1, removed: 0, accepted: 1, requests: 1 });
    expect([told(), await rows()]).toEqual([["add 1"], ["1 at 100", "2 at 100", "3 at 1"]]);
    expect(await rows({ run: POSITION })).toEqual([]);
  });

  it("of no link does nothing", async () => {
    const { run, told, hold } = await setup();
    await hold([{}]);
    expect([await run("copy"), told()]).toEqual([NOTHING, []]);
  });
});
