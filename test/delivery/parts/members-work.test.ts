import { describe, expect, it } from "vitest";
import type { SettledItem } from "../../../src/delivery/emitted.ts";
import type { SegmentSendOptions } from "../../../src/delivery/interfaces.ts";
import { decodeLine, type RequestLine } from "../../../src/delivery/journal-line.ts";
import { readProgress } from "../../../src/delivery/progress.ts";
import {
  changeSegmentLink,
  readSegmentLink,
  type SegmentLink,
  segmentLinkKey,
} from "../../../src/delivery/segment-link.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Members, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import {
  altered,
  credential,
  failure,
  goodCredentials,
  linkSegment,
  member,
  type SegmentCall,
  setup,
  setupSegment,
} from "../support.ts";

const READY: Partial<SegmentLink> = { state: "ready", segmentId: "s1" };
const LOGIN = "oauth/acme/c1";
const FIX = { code: "c", message: "m", fix: "f" };

/** `faults`: what the calls answer one after the other; `undefined`: all is well. */
async function working({ faults = [], ...options }: Parameters<typeof setupSegment>[0] & { faults?: unknown[] } = {}) {
  const calls: string[] = [];
  const settled: SettledItem[] = [];
  const clock = options.clock ?? createFakeClock();
  const one = await setupSegment({
    link: READY,
    onSettled: ({ items }) => settled.push(...items),
    async fault(call: SegmentCall, when) {
      if (when === "after") return;
      calls.push(`${Math.floor(clock.monotonic() / 1_000)} s: ${call.op}`);
      const fault = faults.shift();
      if (typeof fault === "function") await fault();
      else if (fault !== undefined) throw fault;
    },
    ...options,
    clock,
  });
  const { storage, ref, seen } = one;
  return {
    ...{ ...one, calls, settled },
    link: async () => (await readSegmentLink(storage.records, ref))?.link,
    depth: async () => (await storage.outbox.depth(["d1"]))[0],
    held: () => (storage.members as Members).count(ref, {}),
    told: (...types: string[]) => seen.filter(({ type }) => types.includes(type)),
    /** What the entries that still wait remember. */
    async remembered() {
      const claim = await storage.outbox.claim({ owner: "test", leaseMs: 1, maxItems: 1e6, maxBytes: 1e9 });
      return (claim?.entries ?? []).map(({ progress, items, claims }) => {
        const read = readProgress(progress, items);
        return { attempts: read?.attempts, doubted: (read?.unknown.length ?? 0) > 0, claims };
      });
    },
    async lines() {
      const page = await storage.journal?.find({ destinationId: "d1", fromAgeMs: 0, toAgeMs: 1e12, limit: 100 });
      return (page?.items ?? []).toReversed().map((data) => decodeLine(data) as RequestLine);
    },
  };
}

describe("a segment's work waits", () => {
  it("for a minute at a time where nothing sends it, and is not counted", async () => {
    const one = await setup({ lookMs: 1_000, settings: { memberLingerMs: 0 } });
    await linkSegment(one.storage);
    await one.delivery.append([member(1, "add")]);
    const worker = one.delivery.startWorker();
    await one.clock.advance(59_000);
    expect(one.delivery.counters.released).toBe(1);
    await one.clock.advance(2_000);
    expect(one.delivery.counters.released).toBe(2);
    expect(await one.storage.outbox.depth(["d1"])).toMatchObject([{ entries: 1 }]);
    await one.clock.run(worker.stop());
  });

  it("while its credential cannot be had", async () => {
    const answers = [failure("vault_down", {}, "retry", 20_000)];
    const { delivery, work, calls, told } = await working({
      credentials: {
        ...goodCredentials,
        async resolve(id) {
          const answer = answers.shift();
          if (answer) throw answer;
          return credential(id);
        },
      },
    });
    await delivery.append([member(1, "add")]);
    await work(30_000);
    expect(calls).toEqual(["20 s: add"]);
    expect(told("worker_error")).toMatchObject([{ code: "vault_down" }]);
  });

  it("while its limit is known to have nothing free, and the login's other work is not claimed", async () => {
    const { delivery, storage, work, calls, seen } = await working({
      faults: [failure("http_error", { status: 429 }, "retry", 20_000)],
    });
    for (const key of ["b", "c"]) {
      const ref = await linkSegment(storage, key);
      await storage.records.put(segmentLinkKey(ref), Buffer.from(`\u0001${JSON.stringify({ ...READY, key })}`));
    }
    for (const link of ["vip", "b", "c"]) await delivery.append([member(1, "add", { link })]);
    await work(19_000);
    expect([calls, delivery.counters.claims, delivery.counters.released]).toEqual([["0 s: add"], 2, 1]);
    await work(5_000);
    expect(calls).toEqual(["0 s: add", "20 s: add", "20 s: add", "20 s: add"]);
    expect(seen.filter(({ type }) => type === "worker_error")).toEqual([]);
  });

  it("where its limit is found full, and nothing is counted", async () => {
    const { delivery, storage, work, calls, remembered } = await working();
    await storage.slots?.block(`token/${LOGIN}`, 20_000);
    await delivery.append([member(1, "add")]);
    await work(18_000);
    expect([calls, delivery.counters.claims, delivery.counters.released]).toEqual([[], 1, 1]);
    await work(5_000);
    expect(calls).toEqual(["20 s: add"]);
    expect(await remembered()).toEqual([]);
  });

  it("while another process makes the segment", async () => {
    const { delivery, storage, ref, work, calls } = await working({ link: {} });
    const lock = `~lock/${segmentLinkKey(ref)}`;
    await storage.records.put(lock, Buffer.of(1));
    await delivery.append([member(1, "add")]);
    await work(14_000);
    expect([calls, delivery.counters.released]).toEqual([[], 3]);
    await storage.records.delete(lock);
    await work(5_000);
    expect(calls).toEqual(["15 s: create", "15 s: add"]);
  });

  it("while no link is stored, which is told every minute", async () => {
    const { delivery, storage, ref, work, calls, told, depth } = await working();
    await storage.records.delete(segmentLinkKey(ref));
    await delivery.append([member(1, "add")]);
    await work(59_000);
    const { tenantId, destinationId, link } = ref;
    const refused = { type: "segment_refused", tenantId, destinationId, link, code: "segment_link_missing" };
    const message = "No link is stored for this group; it waits until one is.";
    expect(told("segment_refused")).toEqual([{ ...refused, message }]);
    await work(2_000);
    expect(told("segment_refused")).toHaveLength(2);
    expect([calls, await depth()]).toEqual([[], expect.objectContaining({ entries: 1, paused: [] })]);
  });

  it("where the segment was deleted, until a person decides", async () => {
    const { delivery, work, calls, told, depth } = await working({ link: { ...READY, state: "deleted" } });
    await delivery.append([member(1, "add")]);
    await work(300_000);
    expect([calls, delivery.counters.released]).toEqual([[], 1]);
    expect(await depth()).toMatchObject({ entries: 1, paused: ["segment_deleted"] });
    expect(told("segment_deleted")).toEqual([]);
  });
});

describe("a segment that a person stopped", () => {
  it("takes nothing more: what is queued is withdrawn, without a request", async () => {
    const { delivery, work, calls, depth, settled, told, held } = await working({
      link: { ...READY, state: "stopped" },
    });
    await delivery.append([member(1, "add", { eventId: "e-1" })]);
    await delivery.append([member(2, "remove", { eventId: "e-2" })]);
    await work(2_000);
    expect([calls, await depth(), await held()]).toEqual([[], expect.objectContaining({ entries: 0 }), 0]);
    expect(settled).toEqual([
      { eventId: "e-1", rule: "segment:add", status: "withdrawn" },
      { eventId: "e-2", rule: "segment:remove", status: "withdrawn" },
    ]);
    expect(delivery.counters).toMatchObject({ withdrawn: 2, delivered: 0 });
    expect(told("members_sent")).toEqual([]);
    expect(told("settled")).toMatchObject([{ withdrawn: 2, requests: 0 }]);
  });
});

describe("a segment's requests", () => {
  it("leave with the credential's token, a deadline, and a way to end them", async () => {
    const { delivery, segments, work } = await working({ settings: { requestTimeoutMs: 7_000 } });
    const { add } = segments.members;
    const asked: SegmentSendOptions[] = [];
    segments.members.add = (id, kind, hashes, options) => {
      asked.push(options);
      return add(id, kind, hashes, options);
    };
    await delivery.append([member(1, "add")]);
    await work(1_000);
    expect(asked).toEqual([{ token: credential(LOGIN).token, timeoutMs: 7_000, signal: expect.any(AbortSignal) }]);
  });

  it.each([
    [34_000, 1, ["0 s: create", "34 s: add"]],
    [36_000, 2, ["0 s: create", "36 s: add"]],
  ])("do not leave where the lease might end before them: after %i ms, claim %i", async (ms, claims, expected) => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const outbox = altered(inner.outbox, {
      extend: async () => Promise.reject(storageError("unavailable", "away", "-")),
    });
    const { delivery, work, calls } = await working({
      ...{ clock, storage: { ...inner, outbox } as Storage, link: {}, faults: [() => clock.sleep(ms)] },
    });
    await delivery.append([member(1, "add")]);
    await work(50_000);
    expect([calls, delivery.counters.claims]).toEqual([expected, claims]);
  });

  it("are counted and told, with what they changed", async () => {
    const { delivery, work, told, settled, depth, ref } = await working();
    await delivery.append([member(1, "add", { eventId: "e-1" }), member(2, "add"), member(3, "add")]);
    await work(2_000);
    await delivery.append([member(2, "remove", { eventId: "e-2" })]);
    await delivery.append([member(3, "remove"), member(4, "add")]);
    await work(2_000);
    expect(told("members_sent")).toEqual([
      { type: "members_sent", ...ref, added: 3, removed: 0, accepted: 3 },
      { type: "members_sent", ...ref, added: 1, removed: 2, accepted: 3 },
    ]);
    expect(told("settled")).toMatchObject([
      { delivered: 3, retrying: 0, requests: 1 },
      { delivered: 3, retrying: 0, requests: 2 },
    ]);
    expect(delivery.counters).toMatchObject({ membersAdded: 4, membersRemoved: 2, membersAccepted: 6, requests: 3 });
    expect(settled.map(({ eventId, rule, status }) => `${eventId} ${rule} ${status}`)).toEqual([
      ...["e-1 segment:add delivered", "undefined segment:add delivered", "undefined segment:add delivered"],
      ...["e-2 segment:remove delivered", "undefined segment:remove delivered", "undefined segment:add delivered"],
    ]);
    expect(await depth()).toMatchObject({ entries: 0 });
  });

  it("are none where nothing changes at Snapchat, and then nothing is told as sent", async () => {
    const { delivery, work, told, calls } = await working();
    await delivery.append([member(1, "add")]);
    await work(2_000);
    await delivery.append([member(1, "add", { eventId: "again" })]);
    await work(2_000);
    expect(calls).toEqual(["0 s: add"]);
    expect([told("members_sent").length, delivery.counters.delivered, delivery.counters.requests]).toEqual([1, 2, 1]);
  });

  it("are written down in the journal, the segment's creation as well", async () => {
    const { delivery, work, lines } = await working({ link: {}, settings: { journalShare: 1 } });
    await delivery.append([member(1, "add", { eventId: "e-1" })]);
    await delivery.append([member(2, "add", { eventId: "e-2" }), member(3, "add", { eventId: "e-1" })]);
    await work(2_000);
    expect(await lines()).toMatchObject([
      {
        purpose: "segments/create",
        answers: [{ status: "delivered", eventIds: ["segment:vip", "e-1", "e-2"] }],
      },
      { purpose: "members/add", items: 3, answers: [{ status: "delivered", items: 3, eventIds: ["e-1", "e-2"] }] },
    ]);
    await delivery.append([member(1, "add", { eventId: "e-3" })]);
    await work(2_000);
    expect((await lines()).slice(2)).toMatchObject([{ type: "end", outcome: "unchanged", eventIds: ["e-3"] }]);
  });

  it("to make the segment are written down where they failed, but not where none left", async () => {
    const { delivery, work, lines } = await working({
      ...{ link: {}, settings: { journalShare: 1 } },
      faults: [failure("http_error", { status: 500, requestId: "r-1" })],
    });
    await delivery.append([member(1, "add", { eventId: "e-1" })]);
    await work(2_000);
    expect(await lines()).toMatchObject([
      {
        ...{ purpose: "segments/create", requestId: "r-1" },
        answers: [{ status: "retry", code: "http_error", eventIds: ["e-1"] }],
      },
    ]);
    const blocked = await working({ link: {}, settings: { journalShare: 1 } });
    await blocked.storage.slots?.block(`token/${LOGIN}`, 20_000);
    await blocked.delivery.append([member(1, "add", { eventId: "e-1" })]);
    await blocked.work(2_000);
    expect(await blocked.lines()).toEqual([]);
  });

  it("that were made by whoever had lost its turn are cleaned up after", async () => {
    const { delivery, work, calls, link } = await working({ link: { ...READY, surplus: ["s0"] } });
    await delivery.append([member(1, "add")]);
    await work(2_000);
    expect([calls, (await link())?.surplus]).toEqual([["0 s: delete", "0 s: add"], undefined]);
  });
});

describe("a segment that does not follow says why", () => {
  it("where Snapchat did not take all, until it does", async () => {
    const { delivery, segments, work, link, told } = await working();
    const { add } = segments.members;
    segments.members.add = async (...of) => ({ accepted: (await add(...of)).accepted - 1 });
    await delivery.append([member(1, "add"), member(2, "add")]);
    await work(2_000);
    expect((await link())?.problem).toMatchObject({
      code: "identifiers_not_taken",
      message: "Snapchat says that it took 1 of 2 identifiers.",
    });
    expect(told("members_sent")).toMatchObject([{ added: 2, accepted: 1 }]);
    segments.members.add = add;
    await delivery.append([member(3, "add")]);
    await work(2_000);
    expect(await link()).not.toHaveProperty("problem");
  });

  it("and that cannot be noted keeps nothing from going on", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const records = altered(inner.records, {
      async put(...of: Parameters<Storage["records"]["put"]>) {
        if (of[0].startsWith("segment/") && armed) throw storageError("unavailable", "away", "-");
        return inner.records.put(...of);
      },
    });
    let armed = false;
    const { delivery, work, depth } = await working({
      ...{ clock, storage: { ...inner, records }, link: { ...READY, problem: FIX } },
    });
    armed = true;
    await delivery.append([member(1, "add")]);
    await work(2_000);
    expect(await depth()).toMatchObject({ entries: 0 });
  });

  it("is not written again where there is nothing new", async () => {
    const { delivery, storage, ref, work } = await working();
    const version = async () => (await storage.records.get(segmentLinkKey(ref)))?.version;
    const before = await version();
    await delivery.append([member(1, "add")]);
    await work(2_000);
    expect(await version()).toBe(before);
  });
});

describe("a segment that was let go of while its members were told", () => {
  it.each([
    ["leaves none behind", true, 0],
    ["keeps them otherwise", false, 1],
  ])("%s", async (_, gone, left) => {
    const one = await working({
      faults: [async () => void (gone && (await one.storage.records.delete(segmentLinkKey(one.ref))))],
    });
    const { delivery, work, held, depth } = one;
    await delivery.append([member(1, "add")]);
    await work(2_000);
    expect([await held(), (await depth())?.entries]).toEqual([left, 0]);
  });
});

describe("a segment where nothing remembers members", () => {
  it.each([true, false])("is told all the same, let go of meanwhile or not: %s", async (gone) => {
    const clock = createFakeClock();
    const { members: _, ...storage } = memory({ clock });
    const one = await working({
      ...{ clock, storage },
      faults: [async () => void (gone && (await storage.records.delete(segmentLinkKey(one.ref))))],
    });
    await one.delivery.append([member(1, "add")]);
    await one.work(1_000);
    expect([one.calls, await one.depth()]).toEqual([["0 s: add"], expect.objectContaining({ entries: 0 })]);
    expect(one.delivery.counters.delivered).toBe(1);
  });
});

describe("a claim that a later one has overtaken", () => {
  it("is lost: what it told is not counted, and it is told who lost it", async () => {
    const { delivery, storage, ref, work, told } = await working();
    await (storage.members as Members).commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    await delivery.append([member(1, "add")]);
    await work(1_000);
    expect(delivery.counters).toMatchObject({ lost: 1, delivered: 0 });
    expect(told("claim_lost")).toEqual([
      { type: "claim_lost", tenantId: "acme", destinationId: "d1", group: "members/vip" },
    ]);
    expect(told("settled", "members_sent")).toEqual([]);
  });
});

describe("a claim that is lost at the last moment", () => {
  it.each<[string, Partial<SegmentLink>, unknown]>([
    ["after its members were told", READY, undefined],
    ["after its segment was stopped", { ...READY, state: "stopped" }, undefined],
    ["after a request failed", READY, failure("http_error", { status: 400 })],
  ])("%s counts nothing", async (_, link, fault) => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const outbox = altered(inner.outbox, { settle: async () => "lost" });
    const { delivery, work, told, settled } = await working({
      ...{ clock, link, faults: [fault], storage: { ...inner, outbox } },
    });
    await delivery.append([member(1, "add")]);
    await work(1_000);
    expect(delivery.counters).toMatchObject({ lost: 1, delivered: 0, withdrawn: 0, retried: 0, membersAdded: 0 });
    expect([told("settled", "members_sent"), settled, told("claim_lost").length]).toEqual([[], [], 1]);
  });
});

describe("a segment's request that does not end well", () => {
  const LIMITED = failure("http_error", { status: 429 }, "retry", 20_000);
  const FORBIDDEN = failure("http_error", { status: 403 });
  const REFUSED = failure("http_error", { status: 400 });
  const NO_ANSWER = failure("request_timeout", { sent: "maybe" });
  const noted = { code: "http_error", message: "http_error", fix: "" };
  const once = async (fault: unknown, options: Parameters<typeof working>[0] = {}) => {
    const one = await working({ faults: [fault], ...options });
    await one.delivery.append([member(1, "add", { eventId: "e-1" })]);
    return one;
  };

  it.each<[string, unknown, number]>([
    ["did not leave", failure("slot_refused", { sent: "no" }, "retry", 7_000), 7],
    ["met a limit", LIMITED, 20],
    ["was forbidden", FORBIDDEN, 60],
    ["was refused", REFUSED, 60],
    ["had no answer", NO_ANSWER, 30],
    ["met a fault", new Error("socket"), 30],
  ])("because it %s is made again after a while: %#", async (_, fault, afterS) => {
    const { work, calls, depth, link } = await once(fault);
    await work(afterS * 1_000 + 2_500);
    expect(calls).toEqual(["0 s: add", `${afterS} s: add`]);
    expect(await depth()).toMatchObject({ entries: 0 });
    expect(await link()).not.toHaveProperty("problem");
  });

  it("because it did not leave, without a word about when it may, is made again at once", async () => {
    const { work, calls } = await once(failure("other", { sent: "no" }));
    await work(1_500);
    expect(calls).toEqual(["0 s: add", "0 s: add"]);
  });

  it.each<[string, unknown, number, object | undefined]>([
    ["did not leave", failure("slot_refused", { sent: "no" }, "retry", 7_000), 0, undefined],
    ["met a limit", LIMITED, 0, undefined],
    ["was forbidden", FORBIDDEN, 0, noted],
    ["was refused", REFUSED, 1, noted],
    ["had no answer", NO_ANSWER, 1, undefined],
    ["met a fault", new Error("socket"), 1, undefined],
  ])("because it %s is counted and remembered: %#", async (_, fault, attempts, problem) => {
    const { work, delivery, told, link, remembered, clock } = await once(fault);
    await work(100);
    expect((await link())?.problem).toEqual(problem);
    expect(delivery.counters).toMatchObject({ requests: 1, retried: 1, delivered: 0 });
    expect(told("settled")).toMatchObject([{ retrying: 1, delivered: 0, requests: 1 }]);
    await clock.advance(120_000);
    expect(await remembered()).toEqual([{ attempts, doubted: true, claims: 1 }]);
  });

  it("is written down in the journal", async () => {
    const { work, lines } = await once(FORBIDDEN, { settings: { journalShare: 1 } });
    await work(100);
    expect(await lines()).toMatchObject([
      { purpose: "members/add", answers: [{ status: "retry", code: "http_error", eventIds: ["e-1"] }] },
    ]);
  });

  it("because of a limit closes it for everybody, and says so", async () => {
    const { work, delivery, told } = await once(LIMITED);
    await work(100);
    expect(told("rate_limited")).toEqual([{ type: "rate_limited", key: `token/${LOGIN}`, forMs: 20_000 }]);
    expect(delivery.counters.rateLimited).toBe(1);
    expect((await delivery.stats()).limits).toMatchObject([{ key: `token/${LOGIN}`, factor: 0.5 }]);
  });

  it("because of a limit nobody named is told by its login", async () => {
    const resolve = async (id: string) => ({ ...credential(id), limits: { events: [], segments: [] } });
    const { work, told } = await once(failure("rate_limited", {}), { credentials: { ...goodCredentials, resolve } });
    await work(100);
    expect(told("rate_limited")).toEqual([{ type: "rate_limited", key: LOGIN, forMs: 1_000 }]);
  });

  it("because somebody has to sign in again waits until then, and is not counted", async () => {
    const { work, told, depth, delivery, calls, remembered } = await once(failure("http_error", { status: 401 }));
    await work(10_000);
    expect(told("reauth_required")).toMatchObject([{ credentialId: LOGIN, destinationId: "d1" }]);
    expect([calls.length, await depth()]).toEqual([1, expect.objectContaining({ paused: ["reauth_required"] })]);
    await delivery.resume({ credentialId: LOGIN }, "reauth_required");
    expect(await remembered()).toEqual([{ attempts: 0, doubted: true, claims: 1 }]);
  });

  it("because its token has a successor is made again a second later", async () => {
    const refused = async () => "retry" as const;
    const { work, told, calls } = await once(failure("http_error", { status: 401 }), {
      credentials: { ...goodCredentials, refused },
    });
    await work(900);
    expect(calls).toHaveLength(1);
    await work(1_500);
    expect([told("reauth_required"), calls]).toEqual([[], ["0 s: add", "1 s: add"]]);
  });

  it("because it is forbidden says so, and all of the segment's work waits", async () => {
    const { work, told, delivery, calls } = await once(FORBIDDEN);
    await work(1_000);
    expect(told("forbidden")).toEqual([
      { type: "forbidden", tenantId: "acme", destinationId: "d1", group: "members/vip", message: "http_error" },
    ]);
    await delivery.append([member(2, "add")]);
    await work(57_000);
    expect(calls).toHaveLength(1);
  });

  it("because Snapchat refuses it says so", async () => {
    const { work, told, ref } = await once(REFUSED);
    await work(1_000);
    const words = { code: "http_error", message: "http_error" };
    expect(told("segment_refused")).toEqual([{ type: "segment_refused", ...ref, ...words }]);
  });

  it.each([
    [failure("http_error", { status: 401 }), "unauthorized"],
    [LIMITED, "limited"],
    [NO_ANSWER, "unknown"],
  ])("says nothing of a refusal where it was none (%#)", async (fault) => {
    const { work, told, link } = await once(fault);
    await work(1_000);
    expect(told("segment_refused", "forbidden", "segment_deleted")).toEqual([]);
    expect(await link()).not.toHaveProperty("problem");
  });

  it("because the segment is gone says which, and holds its work before it asks a person", async () => {
    const { work, told, ref, link, depth, remembered, delivery } = await once(failure("http_error", { status: 404 }));
    await work(1_000);
    expect(told("segment_deleted")).toEqual([{ type: "segment_deleted", ...ref, segmentId: "s1" }]);
    expect([await link(), await depth()]).toMatchObject([
      { state: "deleted", segmentId: "s1" },
      { entries: 1, paused: ["segment_deleted"] },
    ]);
    await delivery.resume({ destinationId: "d1", group: "members/vip" }, "segment_deleted");
    expect(await remembered()).toEqual([{ attempts: 0, doubted: true, claims: 1 }]);
  });

  it("because its ad account is gone names no segment", async () => {
    const { work, told } = await once(failure("http_error", { status: 404 }), { link: {} });
    await work(1_000);
    expect(told("segment_deleted")).toMatchObject([{ segmentId: "" }]);
  });

  it("asks again for a pause that the engine did not take", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    let away = 2;
    const outbox = altered(inner.outbox, {
      async pause(...of: Parameters<Storage["outbox"]["pause"]>) {
        if (away-- > 0) throw storageError("unavailable", "away", "-");
        return inner.outbox.pause(...of);
      },
    });
    const storage = { ...inner, outbox } as Storage;
    const { work, depth } = await once(failure("http_error", { status: 404 }), { clock, storage });
    await work(5_000);
    expect(await depth()).toMatchObject({ paused: ["segment_deleted"] });
  });

  it("is not noted as deleted before the engine has taken it", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    let away = 0;
    const records = altered(inner.records, {
      async put(...of: Parameters<Storage["records"]["put"]>) {
        if (of[0].startsWith("segment/") && away-- > 0) throw storageError("unavailable", "away", "-");
        return inner.records.put(...of);
      },
    });
    const one = await once(failure("http_error", { status: 404 }), { clock, storage: { ...inner, records } });
    away = 2;
    await one.work(5_000);
    expect((await one.link())?.state).toBe("deleted");
    expect(one.told("segment_deleted")).toHaveLength(1);
  });

  it.each([
    ["made again", { state: "new" as const, segmentId: undefined, generation: 2 }, ["create", "add"]],
    ["stopped", { state: "stopped" as const }, []],
  ])("waits for nobody where it was %s while the pause for its deletion was on its way", async (_, change, after) => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const outbox = altered(inner.outbox, {
      async pause(...of: Parameters<Storage["outbox"]["pause"]>) {
        await changeSegmentLink(inner.records, one.ref, (link) => ({ ...link, ...change }));
        return inner.outbox.pause(...of);
      },
    });
    const one = await once(failure("http_error", { status: 404 }), { clock, storage: { ...inner, outbox } });
    await one.work(600_000);
    expect(one.calls.map((call) => call.split(": ")[1])).toEqual(["add", ...after]);
    expect(await one.depth()).toMatchObject({ entries: 0, paused: [] });
    expect(one.told("segment_deleted")).toEqual([]);
  });

  it.each([
    ["another segment was linked", { segmentId: "s2" }],
    ["it was stopped", { state: "stopped" as const }],
  ])("marks nothing as deleted where %s meanwhile", async (_, change) => {
    const one = await working({
      faults: [
        async () => {
          await changeSegmentLink(one.storage.records, one.ref, (link) => ({ ...link, ...change }));
          throw failure("http_error", { status: 404 });
        },
      ],
    });
    await one.delivery.append([member(1, "add")]);
    await one.work(60_000);
    expect(await one.link()).toMatchObject({ ...READY, ...change });
    expect(await one.depth()).toMatchObject({ entries: 0, paused: [] });
    expect(one.told("segment_deleted")).toEqual([]);
  });

  it("is made again later and later where that counts, and after its own time where it does not", async () => {
    const faults = [REFUSED, NO_ANSWER, FORBIDDEN];
    const { delivery, work, calls } = await working({ faults, settings: { retryMinMs: 100_000, retryMaxMs: 200_000 } });
    await delivery.append([member(1, "add")]);
    await work(1_000_000);
    const at = calls.map((line) => Number.parseInt(line, 10));
    const [first = 0, second = 0, third = 0] = at.slice(1).map((second, n) => second - (at[n] ?? 0));
    expect(first).toBeGreaterThanOrEqual(100);
    expect(second).toBeGreaterThanOrEqual(100);
    expect([third, at.length]).toEqual([60, 4]);
  });

  it("does not wait for the circuit of another segment", async () => {
    const faults = Array.from({ length: 5 }, () => NO_ANSWER);
    const { delivery, storage, clock, work, calls } = await working({ faults, settings: { retryMinMs: 20_000 } });
    const ref = await linkSegment(storage, "b");
    await storage.records.put(segmentLinkKey(ref), Buffer.from(`\u0001${JSON.stringify({ ...READY, key: "b" })}`));
    const credentialOf = async () => ({ credentialId: LOGIN });
    for (let n = 0; n < 5; n++) await clock.run(delivery.sendNow([member(n, "add")], { credentialOf }));
    faults.push(NO_ANSWER);
    const before = calls.length;
    await delivery.append([member(1, "add", { link: "b" })]);
    await work(70_000);
    expect(calls.slice(before)).toHaveLength(2);
  });

  it("five times holds all of the segment's work until its circuit lets one pass", async () => {
    const faults = Array.from({ length: 5 }, () => NO_ANSWER);
    const { delivery, work, calls } = await working({ faults, settings: { retryMinMs: 20_000, retryMaxMs: 200_000 } });
    await delivery.append([member(1, "add")]);
    await work(1_200_000);
    const at = calls.map((line) => Number.parseInt(line, 10));
    expect((at[5] ?? 0) - (at[4] ?? 0)).toBeGreaterThanOrEqual(100);
    expect(delivery.counters.released).toBe(0);
  });

  it("is not made good by a claim without a request", async () => {
    const faults = Array.from({ length: 4 }, () => NO_ANSWER);
    const { delivery, clock, work, told } = await working({ faults });
    const credentialOf = async () => ({ credentialId: LOGIN });
    for (let n = 0; n < 4; n++) await clock.run(delivery.sendNow([member(n, "add")], { credentialOf }));
    await delivery.append([member(1, "remove")]);
    await work(1_000);
    faults.push(NO_ANSWER);
    await delivery.append([member(2, "add")]);
    await work(1_000);
    expect([delivery.counters.delivered, told("circuit_opened").length]).toEqual([1, 1]);
  });

  it("five times opens the segment's circuit, of this destination alone", async () => {
    const one = await working({
      fault: (_, when) => (when === "before" ? Promise.reject(NO_ANSWER) : undefined),
      settings: { settleDownMs: 100, retryMinMs: 10, retryMaxMs: 40_000 },
    });
    const { delivery, work, told } = one;
    await delivery.append([member(1, "add")]);
    while (delivery.counters.requests < 5) await work(100);
    const asked = delivery.counters.requests;
    expect(told("circuit_opened")).toEqual([{ type: "circuit_opened", destinationId: "d1", group: "members/vip" }]);
    expect((await delivery.stats()).circuits).toMatchObject([{ asset: "d1 members/vip" }]);
    expect(asked).toBe(5);
  });

  it("opens it until one ends well", async () => {
    const faults = Array.from({ length: 8 }, () => NO_ANSWER);
    const { delivery, work, told, depth, calls } = await working({ faults });
    await delivery.append([member(1, "add")]);
    await work(900_000);
    expect([told("circuit_opened").length, told("circuit_closed"), calls.length]).toEqual([
      1,
      [{ type: "circuit_closed", destinationId: "d1", group: "members/vip" }],
      9,
    ]);
    expect(await depth()).toMatchObject({ entries: 0 });
  });

  it("elsewhere lets the worker wait for the circuit, and counts nothing", async () => {
    const { delivery, work, clock, calls, remembered } = await working({
      faults: Array.from({ length: 5 }, () => NO_ANSWER),
    });
    const credentialOf = async () => ({ credentialId: LOGIN });
    for (let n = 0; n < 5; n++) await clock.run(delivery.sendNow([member(n, "add")], { credentialOf }));
    await delivery.append([member(9, "add")]);
    const before = calls.length;
    await work(4_000);
    expect([calls.length, delivery.counters.released]).toEqual([before, 1]);
    await clock.advance(20_000);
    expect(await remembered()).toEqual([{ attempts: 0, doubted: false, claims: 1 }]);
  });
});

describe("entries of one claim", () => {
  const NO_ANSWER = failure("request_timeout", { sent: "maybe" });
  const page = (n: number) => ({
    ...{ op: "add" as const, kind: 0 as const, persons: undefined, acceptedAtMs: 0 },
    hashes: Buffer.from(n.toString(16).padStart(64, "0"), "hex"),
  });

  it("that were told before one failed are done; those behind it wait as they were", async () => {
    const one = await working({ faults: [undefined, NO_ANSWER] });
    const { delivery, work, told, depth, remembered, clock, settled, calls, ref } = one;
    await delivery.append([member(1, "add", { eventId: "e-1" })]);
    const position = await delivery.lists.task(ref, "run", { task: "make" });
    await delivery.lists.page(ref, "page", page(2), position);
    await delivery.append([member(3, "add", { eventId: "e-3" })]);
    await work(500);
    expect(calls).toEqual(["0 s: add", "0 s: add"]);
    expect(settled).toEqual([{ eventId: "e-1", rule: "segment:add", status: "delivered" }]);
    expect(told("settled")).toMatchObject([{ delivered: 1, retrying: 2, requests: 2 }]);
    expect(await depth()).toMatchObject({ entries: 2 });
    await clock.advance(120_000);
    expect(await remembered()).toEqual([
      { attempts: 1, doubted: true, claims: 1 },
      { attempts: 0, doubted: false, claims: 1 },
    ]);
  });

  it("are not in doubt where the request of their own did not leave", async () => {
    const { delivery, work, remembered, clock, segments, storage, ref } = await working();
    const { add } = segments.members;
    segments.members.add = async (...of) => {
      await storage.slots?.block(`token/${LOGIN}`, 60_000);
      return add(...of);
    };
    await delivery.append([member(1, "add")]);
    const position = await delivery.lists.task(ref, "run", { task: "make" });
    await delivery.lists.page(ref, "page", page(2), position);
    await work(500);
    expect(delivery.counters).toMatchObject({ requests: 1, delivered: 1, retried: 1 });
    await clock.advance(120_000);
    expect(await remembered()).toEqual([{ attempts: 0, doubted: false, claims: 1 }]);
  });

  it("that were done before one could not leave are done", async () => {
    const { delivery, work, storage, ref, calls, depth } = await working();
    await delivery.append([member(1, "remove")]);
    const position = await delivery.lists.task(ref, "run", { task: "make" });
    await delivery.lists.page(ref, "page", page(2), position);
    await storage.slots?.block(`token/${LOGIN}`, 20_000);
    await work(10_000);
    expect(delivery.counters).toMatchObject({ delivered: 1, retried: 1, released: 0, requests: 0 });
    await work(12_000);
    expect([calls, await depth()]).toEqual([["20 s: add"], expect.objectContaining({ entries: 0 })]);
  });

  it("are told and counted together", async () => {
    const { delivery, work, told, ref, depth } = await working();
    await delivery.append([member(1, "add")]);
    const position = await delivery.lists.task(ref, "run", { task: "make" });
    await delivery.lists.page(ref, "page", page(2), position);
    await delivery.append([member(1, "remove")]);
    await work(3_000);
    expect(told("members_sent")).toEqual([{ type: "members_sent", ...ref, added: 2, removed: 1, accepted: 3 }]);
    expect(await depth()).toMatchObject({ entries: 0 });
  });
});
