import { describe, expect, it } from "vitest";
import { createRouter } from "../../src/rules/create-router.ts";
import type { CanonicalEvent } from "../../src/rules/event.ts";
import type { Rule, Workflow } from "../../src/rules/workflow.ts";

const EVENT: CanonicalEvent = {
  source: "test",
  name: "Order Completed",
  kind: "track",
  id: "m-1",
  timeMs: 1_795_000_000_400,
  ids: { userId: "u-1", external: {} },
  traits: { email: "a@example.org" },
  properties: { value: 20, currency: "gbp" },
  products: [],
  context: { url: "https://shop.example/", device: { advertisingId: "AD-1", id: "V-1" } },
  audiences: [],
  issues: [],
};

const rule = (over: Partial<Rule> = {}): Rule => ({
  id: "purchase",
  on: "Order Completed",
  to: "PURCHASE",
  server: true,
  client: false,
  ...over,
});
const workflow = (...rules: Rule[]): Workflow => ({ format: 1, source: "test", rules });
const route = (rules: Rule[], event: Partial<CanonicalEvent> = {}) =>
  createRouter(workflow(...rules)).route({ ...EVENT, ...event });

describe("routing", () => {
  it("builds the Snap event with raw identifiers, whole seconds and the event's id", () => {
    const map = { "custom_data.value": { path: "properties.value" }, action_source: { value: "WEB" } } as const;
    expect(route([rule({ map })])).toEqual({
      eventId: "m-1",
      decisions: [
        {
          rule: "purchase",
          channel: "server",
          target: "PURCHASE",
          status: "send",
          event: {
            event_name: "PURCHASE",
            event_time: 1_795_000_000,
            event_id: "m-1",
            action_source: "WEB",
            custom_data: { value: 20 },
            user_data: { em: "a@example.org", external_id: "u-1" },
          },
        },
      ],
    });
  });

  it("matches names folded, and the host's aliases where no rule has the name itself", () => {
    expect(route([rule()], { name: "order_completed" }).decisions[0]?.status).toBe("send");
    const aliased = createRouter({ ...workflow(rule()), aliases: { purchase_done: "Order Completed" } });
    expect(aliased.route({ ...EVENT, name: "Purchase Done" }).decisions[0]?.rule).toBe("purchase");
  });

  it("sends to both sides with one id", () => {
    const { decisions } = route([rule({ client: true })]);
    expect(decisions.map(({ channel, status, event }) => [channel, status, event?.event_id])).toEqual([
      ["server", "send", "m-1"],
      ["client", "send", "m-1"],
    ]);
  });

  it("says client_only for the server's part of an event that leaves from the browser only", () => {
    const { decisions } = route([rule({ server: false, client: true })]);
    expect(decisions.map(({ channel, status, reason }) => [channel, status, reason])).toEqual([
      ["server", "skipped", "client_only"],
      ["client", "send", undefined],
    ]);
  });

  it("gives the id to the first rule of the file whatever its toggles, and a derived one to every other", () => {
    const second = rule({ id: "custom", on: "order_completed", to: "CUSTOM_EVENT_1" });
    for (const first of [
      rule(),
      rule({ server: false }),
      rule({ when: { path: "properties.value", op: "gt", value: 1_000 } }),
      rule({ consent: { names: ["ads"], absent: "deny" } }),
    ]) {
      const sent = route([first, second]).decisions.find((decision) => decision.rule === "custom");
      expect(sent?.event?.event_id).toBe("m-1.CUSTOM_EVENT_1");
    }
  });

  it("takes a rule's own id path, and derives from it for a rule that is not the first", () => {
    const dedupe = ["properties.order_id"];
    const both = [rule({ dedupe }), rule({ id: "two", to: "SUBSCRIBE", dedupe })];
    const ids = route(both, { properties: { order_id: "SO-1" } }).decisions.map(({ event }) => event?.event_id);
    expect(ids).toEqual(["SO-1", "SO-1.SUBSCRIBE"]);
  });

  it("does not compile two rules of one event with one target", () => {
    expect(() => createRouter(workflow(rule(), rule({ id: "again", on: "order-completed" })))).toThrowError(
      expect.objectContaining({ code: "duplicate_target", kind: "fix_configuration" }),
    );
  });

  it.each<[string, Partial<Rule>, Partial<CanonicalEvent>, object]>([
    ["both toggles off", { server: false }, {}, { status: "skipped", reason: "rule_disabled" }],
    [
      "filter",
      { when: { path: "properties.value", op: "gt", value: 100 } },
      {},
      { status: "skipped", reason: "filter_not_met" },
    ],
    [
      "consent denied",
      { consent: { names: ["ads"], absent: "allow" } },
      { consent: { ads: false } },
      { status: "skipped", reason: "consent_denied", detail: { consent: "ads" } },
    ],
    [
      "consent absent",
      { consent: { names: ["ads"], absent: "deny" } },
      {},
      { status: "skipped", reason: "consent_absent", detail: { consent: "ads" } },
    ],
    ["an event nobody knows", {}, { name: "wheel_spun" }, { status: "skipped", reason: "unknown_event" }],
    ["an identify call", {}, { name: "identify", kind: "identify" }, { status: "skipped", reason: "no_rule" }],
    ["an event without a name", {}, { name: "" }, { status: "rejected", reason: "event_name_missing" }],
  ])("%s", (_, over, event, expected) => {
    expect(route([rule(over)], event).decisions[0]).toMatchObject(expected);
  });

  it("takes the time of receipt where the event has none, and says none where there is neither", () => {
    const { timeMs: _, ...timeless } = EVENT;
    const router = createRouter(workflow(rule()));
    expect(router.route(timeless, { receivedAtMs: 5_900 }).decisions[0]?.event?.event_time).toBe(5);
    expect(router.route(timeless).decisions[0]?.event?.event_time).toBeUndefined();
  });

  it("hands on another time the event carries, for the one in the future", () => {
    expect(route([rule()], { carriedTimeMs: 9_999 }).decisions[0]?.event?.carried_time).toBe(9);
  });

  it("gives device ids to app events only", () => {
    const app = {
      map: { action_source: { value: "MOBILE_APP" }, "app_data.app_id": { value: "net.example" } },
    } as const;
    const [web] = route([rule()]).decisions;
    const [mobile] = route([rule(app)]).decisions;
    expect(web?.event?.user_data).not.toHaveProperty("madid");
    expect(web?.event).not.toHaveProperty("app_data");
    expect(mobile?.event?.user_data).toMatchObject({ madid: "AD-1", idfv: "V-1" });
    expect(mobile?.event?.app_data).toEqual({ app_id: "net.example" });
  });

  it("has a version that changes with the content and not with the order of keys", () => {
    const version = (over: Partial<Rule>) => createRouter(workflow(rule(over))).version;
    const reordered = createRouter({ rules: [rule()], source: "test", format: 1 }).version;
    expect(version({})).toBe(reordered);
    expect(version({ client: true })).not.toBe(version({}));
  });
});

describe("memberships", () => {
  const rows = [
    rule({ id: "in", on: "added_to_segment", to: "segment:add", consent: { names: ["ads"], absent: "deny" } }),
    rule({ id: "out", on: "removed_from_segment", to: "segment:remove" }),
  ];
  const change = (op: "add" | "remove", key = "vip") => ({
    name: "Audience Entered",
    kind: "audience" as const,
    audiences: [{ key, op }],
  });

  it("go through the row of what happened, whatever the event was called", () => {
    const { decisions } = route(rows, { ...change("add"), consent: { ads: true } });
    expect(decisions).toEqual([
      {
        rule: "in",
        channel: "audience",
        target: "segment:vip",
        status: "send",
        membership: {
          key: "vip",
          op: "add",
          user: { em: "a@example.org", external_id: "u-1", madid: "AD-1", idfv: "V-1" },
        },
      },
    ]);
  });

  it("need consent to enter and none to leave", () => {
    expect(route(rows, change("add")).decisions[0]).toMatchObject({ status: "skipped", reason: "consent_absent" });
    expect(route(rows, change("remove")).decisions[0]).toMatchObject({ rule: "out", status: "send" });
  });

  it("are rejected without a segment and skipped without an identifier a list can hold", () => {
    expect(route(rows, change("remove", "")).decisions[0]).toMatchObject({
      status: "rejected",
      reason: "segment_missing",
    });
    const nobody = { ...change("remove"), traits: {}, context: {} };
    expect(route(rows, nobody).decisions[0]).toMatchObject({ status: "skipped", reason: "no_member_identifier" });
  });

  it("of one event may be many, each with its own person", () => {
    const audiences = [
      { key: "vip", op: "remove" as const, traits: { email: "x@example.org" } },
      { key: "vip", op: "remove" as const, traits: { phone: "+44 7700 900000" } },
    ];
    const users = route(rows, { kind: "audience", audiences }).decisions.map(({ membership }) => membership?.user);
    expect(users).toEqual([{ em: "x@example.org" }, { ph: "+44 7700 900000" }]);
  });

  it("find their segment at the workflow's own paths", () => {
    const router = createRouter({
      ...workflow(...rows),
      audience: { key: ["properties.list.id"], name: ["properties.list.title"] },
    });
    const { decisions } = router.route({
      ...EVENT,
      ...change("remove", ""),
      properties: { list: { id: 7, title: "VIP" } },
    });
    expect(decisions[0]?.membership).toMatchObject({ key: "7", name: "VIP" });
  });
});
