import { describe, expect, it } from "vitest";
import type { SettledItem } from "../../../src/delivery/emitted.ts";
import type { NowOutcome, SendNowOptions } from "../../../src/delivery/index.ts";
import type { SegmentSendOptions } from "../../../src/delivery/interfaces.ts";
import { segmentLinkKey } from "../../../src/delivery/segment-link.ts";
import { credential, failure, goodCredentials, hashOf, linkSegment, member, setup, setupSegment } from "../support.ts";

const READY = { state: "ready", segmentId: "s1" } as const;
const LOGIN = "oauth/acme/c1";
const credentialOf = async () => ({ credentialId: LOGIN });

async function sending(options: Parameters<typeof setupSegment>[0] & { fails?: unknown } = {}) {
  const settled: SettledItem[] = [];
  const { fails } = options;
  const one = await setupSegment({
    link: READY,
    onSettled: ({ items }) => settled.push(...items),
    ...(fails === undefined ? {} : { fault: (_, when) => (when === "before" ? Promise.reject(fails) : undefined) }),
    ...options,
  });
  const { delivery, clock, segments, seen, storage } = one;
  return {
    ...{ ...one, settled },
    send: (items: Parameters<typeof delivery.sendNow>[0], more: Partial<SendNowOptions> = {}): Promise<NowOutcome[]> =>
      clock.run(delivery.sendNow(items, { credentialOf, ...more })),
    /** Requests as `add email 2`. */
    told: () =>
      segments.calls.map(({ op, kind, hashes }) =>
        [op, kind, ...hashes.map((hash) => Number.parseInt(hash, 16))].join(" "),
      ),
    emitted: (type: string) => seen.filter((event) => event.type === type),
    paused: async () => (await storage.outbox.depth(["d1"]))[0]?.paused ?? [],
  };
}

describe("changes of a segment that are sent at once", () => {
  it("are told as they are, the last word on each identifier, and counted", async () => {
    const { send, told, delivery, settled } = await sending();
    const phone = { identifiers: [{ kind: 1 as const, hash: hashOf(7) }] };
    const outcomes = await send([
      member(1, "add", { eventId: "e-1" }),
      member(2, "remove", { eventId: "e-2" }),
      member(3, "add"),
      member(3, "remove"),
      member(4, "add", phone),
    ]);
    expect(told()).toEqual(["add email 1", "remove email 2 3", "add phone 7"]);
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ status: "delivered", known: true })));
    expect(delivery.counters).toMatchObject({ membersAdded: 2, membersRemoved: 2, membersAccepted: 4, requests: 3 });
    expect(settled.slice(0, 2)).toEqual([
      { eventId: "e-1", rule: "segment:add", status: "delivered" },
      { eventId: "e-2", rule: "segment:remove", status: "delivered" },
    ]);
    await send([member(1, "add")]);
    expect(told().at(-1)).toBe("add email 1");
  });

  it("leave in requests of as many identifiers as one holds, each in a slot of its own", async () => {
    const { send, told, segments, clock } = await sending({ settings: { identifiersPerRequest: 2 } });
    const at: number[] = [];
    const { add } = segments.members;
    segments.members.add = (...of) => {
      at.push(clock.monotonic());
      return add(...of);
    };
    await send([1, 2, 3].map((n) => member(n, "add")));
    expect(told()).toEqual(["add email 1 2", "add email 3"]);
    expect(at[1]).toBeGreaterThan(at[0] ?? 0);
  });

  it("leave with the credential's token, a deadline and the caller's signal", async () => {
    const { send, segments } = await sending({ settings: { requestTimeoutMs: 7_000 } });
    const asked: SegmentSendOptions[] = [];
    const { add } = segments.members;
    segments.members.add = (id, kind, hashes, options) => {
      asked.push(options);
      return add(id, kind, hashes, options);
    };
    const { signal } = new AbortController();
    await send([member(1, "add")], { signal });
    await send([member(1, "add")]);
    const { token } = credential(LOGIN);
    expect(asked).toStrictEqual([
      { token, timeoutMs: 7_000, signal },
      { token, timeoutMs: 7_000 },
    ]);
  });

  it("make the segment first where it is not there yet", async () => {
    const { send, segments, emitted } = await sending({ link: {} });
    expect(await send([member(1, "add")])).toEqual([{ status: "delivered", known: true }]);
    expect(segments.calls.map(({ op }) => op)).toEqual(["create", "add"]);
    expect(emitted("segment_created")).toHaveLength(1);
  });

  it("say so where Snapchat did not take all", async () => {
    const { send, segments, delivery } = await sending();
    segments.members.add = async () => ({ accepted: 1 });
    const message = "Snapchat says that it took 1 of 2 identifiers.";
    const outcome = { status: "delivered", known: true, reason: "identifiers_not_taken", message };
    expect(await send([member(1, "add"), member(2, "add")])).toEqual([outcome, outcome]);
    expect(delivery.counters).toMatchObject({ membersAdded: 2, membersAccepted: 1 });
  });

  it("leave out who may not be added any more", async () => {
    const consent = {
      allowed: (_: string, __: string, subjects: readonly string[]) => !subjects.includes("subject-2"),
    };
    const { send, told } = await sending({ consent });
    const statuses = (outcomes: NowOutcome[]) => outcomes.map(({ status, known }) => `${status} ${known}`);
    expect(statuses(await send([member(1, "add"), member(2, "add"), member(3, "remove")]))).toEqual([
      ...["delivered true", "withdrawn true", "delivered true"],
    ]);
    expect(told()).toEqual(["add email 1", "remove email 3"]);
    expect(statuses(await send([member(2, "add")]))).toEqual(["withdrawn true"]);
    expect(told()).toHaveLength(2);
  });

  it("of one identifier by two persons are the last one's", async () => {
    const { send, told } = await sending();
    const shared = { identifiers: [{ kind: 1 as const, hash: hashOf(9) }] };
    await send([member(1, "remove", shared), member(2, "add", shared)]);
    await send([member(1, "add", shared), member(2, "remove", shared)]);
    expect(told()).toEqual(["add phone 9", "remove phone 9"]);
  });

  it("with no identifier in them ask for nothing", async () => {
    const { send, told, delivery } = await sending({ link: {} });
    expect(await send([member(1, "add", { identifiers: [] })])).toEqual([{ status: "withdrawn", known: true }]);
    expect([told(), delivery.counters.requests]).toEqual([[], 0]);
  });

  it("wait where nothing sends them", async () => {
    const { delivery, clock, storage } = await setup();
    await linkSegment(storage);
    const outcomes = await clock.run(delivery.sendNow([member(1, "add")], { credentialOf }));
    expect(outcomes).toEqual([{ status: "retry", known: true, reason: "no_sender", retryAfterMs: 60_000 }]);
  });
});

describe("a segment that cannot be told now", () => {
  it("because another process makes it says when to come again", async () => {
    const { send, storage, ref, told } = await sending({ link: {} });
    await storage.records.put(`~lock/${segmentLinkKey(ref)}`, Buffer.of(1));
    const outcome = { status: "retry", known: true, reason: "segment_busy", retryAfterMs: 5_000 };
    expect([await send([member(1, "add")]), told()]).toEqual([[outcome], []]);
  });

  it.each(["deleted", "stopped"] as const)("because it is %s holds its changes", async (state) => {
    const { send, told } = await sending({ link: { ...READY, state } });
    const outcome = { status: "paused", known: true, reason: `segment_${state}`, retryAfterMs: 60_000 };
    expect([await send([member(1, "add"), member(2, "add")]), told()]).toEqual([[outcome, outcome], []]);
  });

  it("because no link is stored holds its changes", async () => {
    const { send, storage, ref } = await sending();
    await storage.records.delete(segmentLinkKey(ref));
    expect(await send([member(1, "add")])).toMatchObject([{ status: "paused", reason: "segment_missing" }]);
  });
});

describe("a request of a segment that failed is told as", () => {
  const http = (status: number, retryAfterMs?: number) => failure("http_error", { status }, "retry", retryAfterMs);
  const retry = (reason: string, retryAfterMs: number) => ({ status: "retry", known: false, reason, retryAfterMs });
  const paused = (reason: string) => ({ status: "paused", known: false, reason, retryAfterMs: 60_000 });
  const message = "http_error";

  it.each<[string, unknown, object]>([
    ["one that did not leave", failure("other", { sent: "no" }), retry("other", 1_000)],
    ["one that did not leave yet", failure("other", { sent: "no" }, "retry", 7), retry("other", 7)],
    ["one that met a limit", http(429, 20_000), retry("rate_limited", 20_000)],
    ["one of a segment that is gone", http(404), { ...paused("segment_deleted"), message }],
    ["one that is forbidden", http(403), { ...paused("forbidden"), message }],
    ["one that Snapchat refuses", http(400), { status: "rejected", known: true, reason: "http_error", message }],
    ["one with no word about it", http(503), { ...retry("http_error", 30_000), message }],
    ["a fault", new TypeError("bug"), { ...retry("unexpected_error", 30_000), message: "TypeError" }],
  ])("%s", async (_, fails, outcome) => {
    const { send } = await sending({ fails });
    expect(await send([member(1, "add"), member(2, "add")])).toEqual([outcome, outcome]);
  });

  it("one that met a limit, which is closed for everybody", async () => {
    const { send, delivery } = await sending({ fails: http(429, 20_000) });
    await send([member(1, "add")]);
    expect(delivery.counters.rateLimited).toBe(1);
    expect((await delivery.stats()).limits).toMatchObject([{ key: `token/${LOGIN}`, factor: 0.5 }]);
    const [next] = await send([member(2, "add")], { maxWaitMs: 100 });
    expect(next).toEqual({ status: "retry", known: true, reason: "slot_refused", retryAfterMs: 20_000 });
  });

  it("one whose token has a successor", async () => {
    const credentials = { ...goodCredentials, refused: async () => "retry" as const };
    const { send, paused: reasons } = await sending({ fails: http(401), credentials });
    expect([await send([member(1, "add")]), await reasons()]).toEqual([[retry("http_error", 1_000)], []]);
  });

  it("one for which somebody has to sign in again, and the login's work is held", async () => {
    const { send, paused: reasons, emitted } = await sending({ fails: http(401) });
    expect(await send([member(1, "add")])).toEqual([paused("reauth_required")]);
    expect(await reasons()).toEqual(["reauth_required"]);
    expect(emitted("reauth_required")).toMatchObject([{ tenantId: "acme", destinationId: "d1", credentialId: LOGIN }]);
  });

  it("one of which some had left already: not known", async () => {
    const { send, told } = await sending({
      async fault({ op }, when) {
        if (op === "remove" && when === "before") throw failure("other", { sent: "no" });
      },
    });
    expect(await send([member(1, "add"), member(2, "remove")])).toMatchObject([{ known: false }, { known: false }]);
    expect(told()).toEqual(["add email 1", "remove email 2"]);
  });
});

describe("the circuit of a segment", () => {
  it("opens where five requests in a row had no answer, and closes once one has", async () => {
    let failing = 0;
    const { send, clock, delivery } = await sending({
      fault: (_, when) =>
        when === "before" && failing-- > 0 ? Promise.reject(failure("x", { status: 503 })) : undefined,
      settings: { settleDownMs: 1 },
    });
    const circuits = async () => (await delivery.stats()).circuits;
    failing = 4;
    for (let n = 0; n < 5; n++) await send([member(n, "add")]);
    failing = 4;
    for (let n = 0; n < 4; n++) await send([member(n, "add")]);
    expect(await circuits()).toEqual([]);
    failing = 1;
    await send([member(1, "add")]);
    expect(await circuits()).toMatchObject([{ asset: "d1 members/vip" }]);
    expect(await send([member(1, "add")])).toMatchObject([{ reason: "circuit_open" }]);
    await clock.advance(15_000);
    expect(await send([member(1, "add")])).toMatchObject([{ status: "delivered" }]);
    expect(await circuits()).toEqual([]);
  });

  it("stays closed where Snapchat only refuses", async () => {
    const { send, delivery } = await sending({ fails: failure("http_error", { status: 400 }) });
    for (let n = 0; n < 6; n++) await send([member(n, "add")]);
    expect((await delivery.stats()).circuits).toEqual([]);
  });
});
