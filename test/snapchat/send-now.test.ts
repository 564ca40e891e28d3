import { hash } from "snapchat-destination/identity";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { entered, openShop, purchase, type Shop, signIn } from "./shop.ts";

/** One shop for all tests that leave it as it was; opening one asks the simulator as slowly as Snapchat allows. */
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const from = (...events: Record<string, unknown>[]) => events.map((event) => ({ tenantId: "acme", event }));
const sendNow = (events: Record<string, unknown>[], o?: Parameters<Shop["snapchat"]["sendNow"]>[1]) =>
  shop.snapchat.sendNow(from(...events), o);
const counted = () => shop.simulator.inspect.events.counted;
const requests = async () => (await shop.snapchat.stats()).counters.requests;

describe("sendNow", () => {
  it("answers one outcome per event, in order, and stores none of them", async () => {
    const outcomes = await sendNow([purchase("a"), { event: "wheel_spun" }, purchase("b"), purchase("late", "")]);
    expect(outcomes.map(({ status, eventId }) => [status, eventId])).toEqual([
      ["delivered", "a"],
      ["skipped", expect.any(String)],
      ["delivered", "b"],
      ["rejected", "late"],
    ]);
    expect(outcomes[0]).toMatchObject({
      known: true,
      parts: [
        { rule: "purchased", target: "PURCHASE" },
        { status: "skipped", reason: "sent_by_browser" },
      ],
    });
    expect(outcomes[3]?.parts[0]).toMatchObject({ reason: "identifiers_missing" });
    expect(counted()).toBe(2);
    expect((await shop.snapchat.stats()).waiting).toBe(0);
  });

  it("sends a mixed batch of tenants in full requests, each with its own credential", async () => {
    const other = shop.snapchat.tenant("other");
    const { id } = await other.destinations.create({ name: "Other" });
    const { pixel, conversionsToken } = shop.simulator.world.main;
    const workflow = (await shop.acme.destinations.get(shop.id)).workflow;
    await other.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow });
    await other.destinations.enable(id);
    const mixed = Array.from({ length: 50 }, (_, n) => ({
      tenantId: n % 2 ? "acme" : "other",
      event: purchase(`${n}`),
    }));
    const before = await requests();
    const outcomes = await shop.snapchat.sendNow(mixed);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["delivered"]));
    expect((await requests()) - before).toBe(2);
  });

  it("carries Snapchat's words for the one bad event and delivers its neighbours", async () => {
    shop.simulator.faults.add({
      path: /\/v3\/[^/]+\/events$/,
      bodyMatches: '"event_id":"bad"',
      status: 400,
      body: { status: "INVALID", errors: { error_msgs: ["value is not a number"], codes: ["E1"] } },
    });
    shop.simulator.faults.add({
      path: /\/events\/validate$/,
      bodyMatches: '"event_id":"bad"',
      status: 400,
      body: {
        status: "INVALID",
        event_logs: [
          { event: 1, status: "VALID" },
          { event: 2, status: "INVALID", error_msgs: ["value is not a number"] },
          { event: 3, status: "VALID" },
        ],
      },
    });
    const outcomes = await sendNow([purchase("a"), purchase("bad"), purchase("c")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["delivered", "rejected", "delivered"]);
    expect(outcomes[1]?.parts[0]?.message).toContain("value is not a number");
  });

  it("says retry and not known where the answer was lost; the repeat is counted once", async () => {
    shop.simulator.faults.add({ path: /\/v3\/[^/]+\/events$/, count: 1, timeoutAfterAcceptance: true });
    const { received, counted } = shop.simulator.inspect.events;
    const [lost] = await sendNow([purchase("lost")]);
    expect(lost).toMatchObject({ status: "retry", known: false, retryAfterMs: expect.any(Number) });
    const [again] = await sendNow([purchase("lost")]);
    expect(again).toMatchObject({ status: "delivered", known: true });
    expect(shop.simulator.inspect.events).toMatchObject({ received: received + 2, counted: counted + 1 });
  });

  it("keeps its hands off what somebody paused, and goes on when it is resumed", async () => {
    const before = counted();
    for (const target of [undefined, { destinationId: shop.id }]) {
      await shop.snapchat.pause(target);
      const [held] = await sendNow([purchase("held")]);
      expect(held).toMatchObject({
        status: "paused",
        retryAfterMs: expect.any(Number),
        parts: [{ reason: "operator" }, {}],
      });
      await shop.snapchat.resume(target);
    }
    expect(counted()).toBe(before);
    expect((await sendNow([purchase("held")]))[0]?.status).toBe("delivered");
  });

  it("does not send what was received before its person was forgotten, and sends what came later", async () => {
    const before = Date.now();
    const { at } = await shop.acme.people.forget({ email: "jane@example.com" });
    const queued = [{ tenantId: "acme", event: purchase("a"), receivedAt: before }];
    expect((await shop.snapchat.sendNow(queued))[0]).toMatchObject({
      status: "skipped",
      parts: [{ reason: "withdrawn" }, {}],
    });
    await vi.waitUntil(() => Date.now() > Date.parse(at), { interval: 1 });
    const later = [{ tenantId: "acme", event: purchase("b"), receivedAt: Date.now() }];
    expect((await shop.snapchat.sendNow(later))[0]?.status).toBe("delivered");
  });
});

describe("memberships without a queue of ours", () => {
  it("are refused unless the host keeps their order", async () => {
    const [refused, bought] = await sendNow([entered("vip"), purchase("a")]);
    expect(refused).toMatchObject({ status: "rejected", parts: [{ reason: "order_not_promised" }] });
    expect(bought?.status).toBe("delivered");
    expect(shop.simulator.inspect.segments()).toHaveLength(0);
  });

  it("are sent in order: the last word on a person counts, in one call and over several", async () => {
    const left = (email: string) => entered("vip", email, "removed_from_segment");
    const outcomes = await sendNow(
      [entered("vip", "jane@example.com"), entered("vip", "joe@example.com"), left("jane@example.com")],
      { ordered: true },
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["delivered", "delivered", "delivered"]);
    await sendNow([left("joe@example.com")], { ordered: true });
    await sendNow([entered("vip", "jim@example.com")], { ordered: true });
    const [segment] = await shop.acme.segments.list(shop.id);
    const members = shop.simulator.inspect.members(segment?.segmentId ?? "");
    expect([...members.EMAIL_SHA256]).toEqual([hash("em", "jim@example.com")]);
    expect(shop.simulator.inspect.segments()).toHaveLength(1);
  });

  it("wait for a person where the segment was deleted in Ads Manager", async () => {
    await sendNow([entered("vip")], { ordered: true });
    const [segment] = await shop.acme.segments.list(shop.id, { live: false });
    shop.simulator.control.deleteSegment(segment?.segmentId ?? "");
    const [gone] = await sendNow([entered("vip", "joe@example.com")], { ordered: true });
    expect(gone).toMatchObject({ status: "paused", parts: [{ reason: "segment_deleted" }] });
  });

  it("say of what Snapchat did not take that it did not", async () => {
    shop.simulator.knobs.uploadedShare = 0.5;
    const before = (await shop.snapchat.stats()).counters;
    const [one] = await sendNow([entered("best"), entered("best", "joe@example.com")], { ordered: true });
    shop.simulator.knobs.uploadedShare = 1;
    const message = "Snapchat says that it took 1 of 2 identifiers.";
    expect(one).toMatchObject({ status: "delivered", parts: [{ reason: "identifiers_not_taken", message }] });
    const { membersAdded, membersAccepted } = (await shop.snapchat.stats()).counters;
    expect([membersAdded - before.membersAdded, membersAccepted - before.membersAccepted]).toEqual([2, 1]);
  });

  it("let a lost answer settle before the same person is told again", async () => {
    shop.simulator.faults.add({ path: /\/segments\/[^/]+\/users/, count: 1, timeoutAfterAcceptance: true });
    const [lost] = await sendNow([entered("vip")], { ordered: true });
    expect(lost).toMatchObject({ status: "retry", known: false });
    expect(lost?.retryAfterMs).toBeGreaterThanOrEqual(30_000);
  });
});

describe("groupKey", () => {
  it("keeps a tenant's memberships together and apart from its events and from other tenants", async () => {
    const key = (tenantId: string, event: unknown) => shop.snapchat.groupKey(tenantId, event);
    expect(await key("acme", purchase("a"))).toBe("acme/events");
    expect(await key("acme", entered("vip"))).toBe("acme/members");
    expect(await key("acme", entered("other", "x@example.com", "removed_from_segment"))).toBe("acme/members");
    expect(await key("a/b", purchase("a"))).toBe("a%2Fb/events");
    for (const strange of [null, 7, "x", [], { event: { event: {} } }])
      expect(await key("acme", strange)).toBe("acme/events");
  });
});

describe("what changes the shop", () => {
  let shared: Shop;
  beforeEach(async () => {
    shared = shop;
    shop = await openShop({ limits: {} });
  });
  afterEach(async () => {
    await shop.close();
    shop = shared;
  });

  it("says retry after so long on a 429, and nothing leaves meanwhile", async () => {
    shop.simulator.faults.add({ area: "conversions", count: 1, status: 429, headers: { "retry-after": "3" } });
    const [limited] = await sendNow([purchase("a")]);
    expect(limited).toMatchObject({ status: "retry", known: true });
    expect(limited?.retryAfterMs).toBeGreaterThanOrEqual(3_000);
    const [meanwhile] = await sendNow([purchase("a")], { maxWaitMs: 50 });
    expect(meanwhile).toMatchObject({ status: "retry", known: true, parts: [{ reason: "slot_refused" }, {}] });
    expect(shop.simulator.inspect.events.received).toBe(0);
  });

  it("waits for a slot no longer than maxWaitMs", async () => {
    await shop.acme.destinations.update(shop.id, { conversionsToken: null });
    const calls = Array.from({ length: 12 }, (_, n) => sendNow([purchase(`${n}`)], { maxWaitMs: 0 }));
    const outcomes = (await Promise.all(calls)).flat();
    const refused = outcomes.filter(({ status }) => status === "retry");
    expect(refused.length).toBeGreaterThan(0);
    for (const { retryAfterMs } of refused) expect(retryAfterMs).toBeLessThanOrEqual(3_000);
    expect(counted()).toBe(12 - refused.length);
    expect(counted()).toBeLessThanOrEqual(9);
  });

  it("pauses a lost login, asks for it, and goes on after the next sign-in; events on a token go on", async () => {
    shop.simulator.control.revokeRefreshTokens();
    shop.simulator.control.revokeAccessTokens();
    const events = [entered("vip"), purchase("a")];
    const [member, bought] = await sendNow(events, { ordered: true });
    expect(member).toMatchObject({ status: "paused", parts: [{ reason: "reauth_required" }] });
    expect(bought?.status).toBe("delivered");
    expect((await sendNow([entered("vip")], { ordered: true }))[0]?.status).toBe("paused");
    await signIn(shop, "acme", shop.id);
    expect((await sendNow([entered("vip")], { ordered: true }))[0]?.status).toBe("delivered");
  });

  it("pauses a refused Conversions token where there is no login, and keeps the event the host's", async () => {
    await shop.acme.connections.disconnect(shop.id);
    shop.simulator.control.revokeConversionsToken(shop.simulator.world.main.conversionsToken);
    const [refused] = await sendNow([purchase("a")]);
    expect(refused).toMatchObject({ status: "paused", known: true, parts: [{ reason: "reauth_required" }, {}] });
    expect(counted()).toBe(0);
  });

  it("pauses where there is no credential at all", async () => {
    await shop.acme.destinations.update(shop.id, { conversionsToken: null });
    await shop.acme.connections.disconnect(shop.id);
    const [none] = await sendNow([purchase("a")]);
    expect(none).toMatchObject({ status: "paused", parts: [{ reason: "no_credential" }, {}] });
  });
});
