import { describe, expect, it } from "vitest";
import type { DeliveryEvent } from "../../../src/delivery/index.ts";
import type { SegmentSendOptions } from "../../../src/delivery/interfaces.ts";
import { deleteSurplus, ensureSegment, type ReadySegment } from "../../../src/delivery/segment-ensure.ts";
import {
  changeSegmentLink,
  readSegmentLink,
  type SegmentLink,
  segmentMarker,
  writeSegmentLink,
} from "../../../src/delivery/segment-link.ts";
import { DEFAULT_SETTINGS } from "../../../src/delivery/settings.ts";
import { Secret } from "../../../src/errors.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Records } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { altered, failure, fakeSegments } from "../support.ts";

const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const DAY = 86_400_000;
const NEW: SegmentLink = { key: "vip", name: "VIP", adAccountId: "a1", state: "new", generation: 1 };
const LINKED = { state: "ready", segmentId: "s1" } as const;
const READY = { ...LINKED, renewAfterMs: undefined };
const MARKER = segmentMarker(VIP, NEW);

/** Records of which some calls fail, or meet somebody else who was faster. */
type Hook = (op: "put" | "delete", key: string) => Promise<void> | void;

interface Options {
  link?: Partial<SegmentLink> | undefined;
  restoredAgeMs?: number;
  hook?: Hook;
  fault?: Parameters<typeof fakeSegments>[0];
}

async function setup(options: Options = { link: {} }) {
  const clock = createFakeClock();
  const storage = memory({ clock });
  if (options.link) await writeSegmentLink(storage.records, VIP, { ...NEW, ...options.link }, 0);
  const records = altered(storage.records, {
    async put(...of: Parameters<Records["put"]>) {
      await options.hook?.("put", of[0]);
      return storage.records.put(...of);
    },
    async delete(...of: Parameters<Records["delete"]>) {
      await options.hook?.("delete", of[0]);
      return storage.records.delete(...of);
    },
  });
  const segments = fakeSegments(options.fault);
  const asked: unknown[] = [];
  const sender = {
    ...segments,
    segments: {
      ...segments.segments,
      create(account: string, segment: { name: string; description?: string }, o: SegmentSendOptions) {
        asked.push([account, segment, o]);
        return segments.segments.create(account, segment, o);
      },
      list(account: string, o: SegmentSendOptions) {
        asked.push([account, o]);
        return segments.segments.list(account, o);
      },
      async delete(id: string, o: SegmentSendOptions) {
        asked.push([id, o]);
        return segments.segments.delete(id, o);
      },
    },
  };
  const seen: DeliveryEvent[] = [];
  const tasks: unknown[] = [];
  const gate = {
    passed: 0,
    async pass() {
      gate.passed++;
    },
  };
  const { restoredAgeMs } = options;
  const context = {
    storage: { ...storage, records },
    emit: (event: DeliveryEvent) => void seen.push(event),
    settings: DEFAULT_SETTINGS,
    restored: () => (restoredAgeMs === undefined ? undefined : { restoredAgeMs, backupAgeMs: restoredAgeMs }),
    lists: { task: async (...of: unknown[]) => tasks.push(of.slice(0, 3)) },
  };
  const call: SegmentSendOptions = { token: new Secret("token"), timeoutMs: 7 };
  return {
    ...{ clock, records: storage.records, segments, asked, seen, tasks, gate, call },
    ensure: (ref = VIP) => ensureSegment(context, sender, ref, call, gate),
    tidy: (ready: Partial<ReadySegment> & { link: SegmentLink }) =>
      deleteSurplus(context, sender, VIP, { ...READY, ...ready }, call, gate),
    stored: async () => (await readSegmentLink(storage.records, VIP))?.link,
    ops: () => segments.calls.map(({ op }) => op),
  };
}

describe("a segment's link", () => {
  it.each<[string, Partial<SegmentLink> | undefined, object]>([
    ["that is not stored", undefined, { state: "missing" }],
    ["whose segment was deleted", { state: "deleted", segmentId: "s1" }, { state: "deleted", segmentId: "s1" }],
    ["whose segment was deleted before its id was known", { state: "deleted" }, { state: "deleted", segmentId: "" }],
    ["that a person stopped", { state: "stopped", segmentId: "s1" }, { state: "stopped" }],
    ["whose segment is there", { state: "ready", segmentId: "s1" }, { ...READY, link: { ...NEW, ...LINKED } }],
    [
      "whose segment forgets members",
      { state: "ready", segmentId: "s1", retentionInDays: 8 },
      { ...READY, renewAfterMs: 5 * DAY, link: { ...NEW, ...LINKED, retentionInDays: 8 } },
    ],
  ])("%s is answered without a request", async (_, link, answer) => {
    const { ensure, ops, gate, seen } = await setup({ link });
    expect(await ensure()).toEqual(answer);
    expect([ops(), gate.passed, seen]).toEqual([[], 0, []]);
  });
});

describe("a segment that is not made yet", () => {
  it("is made once, told, and linked", async () => {
    const { ensure, ops, gate, seen, stored } = await setup({
      link: { problem: { code: "c", message: "m", fix: "f" } },
    });
    const link = { ...NEW, state: "ready", segmentId: "seg-1", givenName: "VIP" };
    const made = await ensure();
    expect(made).toEqual({ ...READY, segmentId: "seg-1", made: true, link });
    expect([await stored(), ops(), gate.passed]).toEqual([link, ["create"], 1]);
    expect(seen).toEqual([{ type: "segment_created", ...VIP, segmentId: "seg-1" }]);
    const { made: _, ...again } = made as ReadySegment;
    expect(await ensure()).toEqual(again);
    expect([ops(), gate.passed]).toEqual([["create"], 1]);
  });

  it.each([
    [{}, { name: "VIP", description: MARKER }],
    [{ description: "" }, { name: "VIP", description: MARKER }],
    [
      { description: "Best customers", retentionInDays: 30 },
      { name: "VIP", description: `Best customers ${MARKER}`, retentionInDays: 30 },
    ],
  ])("is asked for with what its link says, and its marker: %j", async (link, segment) => {
    const { ensure, asked, call } = await setup({ link });
    await ensure();
    const options = { ...call, explainRefusal: true, beforeRequest: expect.any(Function) };
    expect(asked).toStrictEqual([["a1", segment, options]]);
  });

  it("needs a slot more for each further request that its creation takes", async () => {
    const { ensure, asked, gate } = await setup();
    await ensure();
    const [[, , options]] = asked as [[unknown, unknown, SegmentSendOptions]];
    const passed: number[] = [];
    for (let n = 0; n < 3; n++) {
      await options.beforeRequest?.();
      passed.push(gate.passed);
    }
    expect(passed).toEqual([1, 2, 3]);
  });

  it("is written down as being made before it is asked for", async () => {
    const states: unknown[] = [];
    const { ensure, stored } = await setup({
      link: {},
      fault: async (_, when) => void states.push([when, (await stored())?.state]),
    });
    await ensure();
    expect(states).toEqual([
      ["before", "creating"],
      ["after", "creating"],
    ]);
  });
});

describe("a segment that may have been made", () => {
  const looks = { link: { state: "creating" } as const };

  it("is looked for by its marker and linked where it is found", async () => {
    const { ensure, asked, call, gate, ops, segments, seen, stored } = await setup(looks);
    segments.made.push(
      { id: "s0", name: "VIP" } as never,
      { id: "s1", name: "VIP", description: "cdp:vip#0" },
      { id: "s2", name: "VIP", description: `Best customers ${MARKER}` },
      { id: "s3", name: "VIP", description: MARKER },
    );
    const link = { ...NEW, state: "ready", segmentId: "s2", givenName: "VIP" };
    expect(await ensure()).toEqual({ ...READY, segmentId: "s2", made: true, link });
    expect([await stored(), ops(), gate.passed]).toEqual([link, ["list"], 1]);
    expect(asked).toEqual([["a1", call]]);
    expect(seen).toEqual([{ type: "segment_created", ...VIP, segmentId: "s2" }]);
  });

  it("is made where it is not found", async () => {
    const { ensure, ops, gate, segments } = await setup(looks);
    segments.made.push({ id: "s1", name: "VIP", description: "cdp:vip#0" });
    expect(await ensure()).toMatchObject({ state: "ready", segmentId: "seg-1" });
    expect([ops(), gate.passed]).toEqual([["list", "create"], 2]);
  });

  it.each([
    ["after a backup came back", DEFAULT_SETTINGS.entryRetentionMs - 1, ["list", "create"]],
    ["no more once nothing that came with it can wait still", DEFAULT_SETTINGS.entryRetentionMs, ["create"]],
  ])("%s", async (_, restoredAgeMs, expected) => {
    const { ensure, ops } = await setup({ link: {}, restoredAgeMs });
    await ensure();
    expect(ops()).toEqual(expected);
  });
});

describe("a creation that failed", () => {
  it.each<[string, unknown, string]>([
    ["because Snapchat refused it", failure("http_error", { status: 400 }), "new"],
    ["because Snapchat refused it (499)", failure("http_error", { status: 499 }), "new"],
    ["before it left", failure("slot_refused", { sent: "no" }), "new"],
    ["with a redirect", failure("http_error", { status: 399 }), "creating"],
    ["because Snapchat waited too long for it", failure("http_error", { status: 408 }), "creating"],
    ["because Snapchat was down", failure("http_error", { status: 500 }), "creating"],
    ["without an answer", failure("request_timeout", { sent: "maybe" }), "creating"],
    ["with a status that says nothing", failure("http_error", { status: "450" }), "creating"],
    ["by a fault", Object.assign(new Error("socket"), { details: { status: 400 } }), "creating"],
  ])("%s leaves the link as %s", async (_, error, state) => {
    const { ensure, stored, seen, ops } = await setup({
      link: { description: "d" },
      fault: () => Promise.reject(error),
    });
    await expect(ensure()).rejects.toBe(error);
    expect(await stored()).toEqual({ ...NEW, description: "d", state });
    await expect(ensure()).rejects.toBe(error);
    expect([ops().at(-1), seen]).toEqual([state === "new" ? "create" : "list", []]);
  });
});

describe("while another process makes the segment", () => {
  const blocked = () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    return { waiting, go };
  };

  it("nobody else does, and others are told when to ask again", async () => {
    const { waiting, go } = blocked();
    const { ensure, ops, clock, records } = await setup({ link: {}, fault: () => waiting });
    await writeSegmentLink(records, { ...VIP, link: "other" }, NEW, 0);
    const first = ensure();
    await clock.advance(0);
    expect(await ensure()).toEqual({ state: "busy", retryInMs: 5_000 });
    const other = ensure({ ...VIP, link: "other" });
    await clock.advance(0);
    expect(ops()).toEqual(["create", "create"]);
    go();
    expect(await Promise.all([first, other])).toMatchObject([{ state: "ready" }, { state: "ready" }]);
  });

  it("and was killed, its turn ends with its lease", async () => {
    const { ensure, ops, clock } = await setup({ link: {}, fault: () => new Promise(() => {}) });
    void ensure();
    await clock.advance(DEFAULT_SETTINGS.leaseMs - 1);
    expect(await ensure()).toMatchObject({ state: "busy" });
    await clock.advance(1);
    void ensure();
    await clock.advance(0);
    expect(ops()).toEqual(["create", "list"]);
  });

  it("its turn ends with its work, whatever came of it", async () => {
    let faults = 1;
    const { ensure, clock } = await setup({
      link: {},
      fault: () => {
        if (faults-- > 0) throw failure("http_error", { status: 400 });
      },
    });
    await expect(ensure()).rejects.toMatchObject({ code: "http_error" });
    expect(await ensure()).toMatchObject({ state: "ready" });
    expect(clock.monotonic()).toBe(0);
  });

  it("an engine that fails is told, but not where only the turn cannot be given back", async () => {
    const fails = (at: string) => ({
      link: {},
      hook: (op: string, key: string) => {
        if (`${op} ${key.split("/")[0]}` === at) throw storageError("unavailable", "away", "-");
      },
    });
    await expect((await setup(fails("put ~lock"))).ensure()).rejects.toMatchObject({ code: "unavailable" });
    await expect((await setup(fails("put segment"))).ensure()).rejects.toMatchObject({ code: "unavailable" });
    expect(await (await setup(fails("delete ~lock"))).ensure()).toMatchObject({ state: "ready" });
  });
});

describe("a link that somebody else changed meanwhile", () => {
  /** The change comes before the nth write of the link. */
  async function beaten(nth: number, change: Partial<SegmentLink>, more: Options = {}) {
    let writes = 0;
    const one = await setup({
      link: {},
      ...more,
      async hook(_, key) {
        if (key.startsWith("segment/") && ++writes === nth) {
          await changeSegmentLink(one.records, VIP, (link) => ({ ...link, ...change }));
        }
      },
    });
    return one;
  }

  it("before its segment is asked for is looked at again soon, and nothing is asked for", async () => {
    const { ensure, ops, tasks, stored, seen } = await beaten(1, { name: "n" });
    expect(await ensure()).toEqual({ state: "busy", retryInMs: 1_000 });
    expect([ops(), tasks, seen, (await stored())?.state]).toEqual([[], [], [], "new"]);
  });

  it("while its segment was made notes that one, and that somebody has to look at it", async () => {
    const { ensure, tasks, stored, seen } = await beaten(2, { segmentId: "s9", state: "ready", surplus: ["s0"] });
    expect(await ensure()).toEqual({ state: "busy", retryInMs: 1_000 });
    expect(await stored()).toMatchObject({ segmentId: "s9", surplus: ["s0", "seg-1"] });
    expect(tasks).toEqual([[VIP, "surplus seg-1", { task: "make" }]]);
    expect(seen).toEqual([]);
  });

  it("to the same segment notes nothing", async () => {
    const { ensure, tasks, stored } = await beaten(2, { segmentId: "seg-1", state: "ready" });
    expect(await ensure()).toEqual({ state: "busy", retryInMs: 1_000 });
    expect([(await stored())?.surplus, tasks]).toEqual([undefined, []]);
  });

  it("while its segment was found is looked at again soon", async () => {
    const { ensure, segments, tasks, stored } = await beaten(1, { name: "n" }, { link: { state: "creating" } });
    segments.made.push({ id: "s1", name: "VIP", description: MARKER });
    expect(await ensure()).toEqual({ state: "busy", retryInMs: 1_000 });
    expect([(await stored())?.surplus, tasks]).toEqual([undefined, []]);
  });

  it("and is gone leaves nothing to note", async () => {
    let writes = 0;
    const one = await setup({
      link: {},
      async hook(_, key) {
        if (key.startsWith("segment/") && ++writes === 2) await one.records.delete(key);
      },
    });
    expect(await one.ensure()).toEqual({ state: "busy", retryInMs: 1_000 });
    expect([await one.stored(), one.tasks]).toEqual([undefined, []]);
  });

  it("is not noted where the engine failed instead", async () => {
    let writes = 0;
    const { ensure, stored, tasks } = await setup({
      link: {},
      hook(_, key) {
        if (key.startsWith("segment/") && ++writes === 2) throw storageError("unavailable", "away", "-");
      },
    });
    await expect(ensure()).rejects.toMatchObject({ code: "unavailable" });
    expect([await stored(), tasks]).toEqual([{ ...NEW, state: "creating" }, []]);
  });
});

describe("segments that were made twice", () => {
  const link = (surplus: string[]): SegmentLink => ({ ...NEW, ...LINKED, surplus });
  const noted = (surplus: string[], more: Options = {}) => setup({ link: link(surplus), ...more });

  it("are deleted, told and forgotten, each under a slot of its own, but for the linked one", async () => {
    const { tidy, asked, call, gate, seen, stored } = await noted(["s0", "s1", "s2"]);
    await tidy({ link: link(["s0", "s1", "s2"]) });
    expect(asked).toEqual([
      ["s0", call],
      ["s2", call],
    ]);
    expect(gate.passed).toBe(2);
    expect(seen).toEqual(["s0", "s2"].map((segmentId) => ({ type: "segment_surplus_deleted", ...VIP, segmentId })));
    expect(await stored()).toStrictEqual({ ...NEW, ...LINKED });
  });

  it("are forgotten one by one: what is noted meanwhile stays", async () => {
    const { tidy, stored } = await noted(["s0", "s2"]);
    await tidy({ link: link(["s0"]) });
    expect((await stored())?.surplus).toEqual(["s2"]);
  });

  it("leave nothing to do where there are none", async () => {
    const { tidy, ops, gate, stored } = await noted([]);
    await tidy({ link: { ...NEW, ...LINKED } });
    expect([ops(), gate.passed, (await stored())?.surplus]).toEqual([[], 0, []]);
  });

  it.each([
    ["gone", failure("http_error", { status: 404 })],
    ["out of reach", failure("http_error", { status: 403 })],
    ["kept by Snapchat", failure("http_error", { status: 400 })],
  ])("are left alone where they are %s", async (_, error) => {
    const { tidy, seen, stored } = await noted(["s0"], { fault: () => Promise.reject(error) });
    await tidy({ link: link(["s0"]) });
    expect([seen, (await stored())?.surplus]).toEqual([[], undefined]);
  });

  it.each([
    failure("slot_refused", { sent: "no" }),
    failure("http_error", { status: 429 }),
    failure("http_error", { status: 401 }),
    failure("http_error", { status: 503 }),
  ])("stay noted where another try may mend it: %j", async (error) => {
    const { tidy, seen, stored } = await noted(["s0"], { fault: () => Promise.reject(error) });
    await expect(tidy({ link: link(["s0"]) })).rejects.toBe(error);
    expect([seen, (await stored())?.surplus]).toEqual([[], ["s0"]]);
  });
});
