import { describe, expect, it } from "vitest";
import {
  createRouter,
  type DestinationState,
  eventList,
  explainRoute,
  manifest,
  migrateWorkflow,
  presets,
  presetUpdate,
  REASONS,
  reasonWords,
  setToggle,
  sources,
  type Workflow,
  workflowJsonSchema,
} from "../../src/workflow/index.ts";

describe("migrateWorkflow", () => {
  const stored = JSON.parse(
    JSON.stringify(setToggle(presets.customerlabs({ defaultCurrency: "EUR" }), "Purchased", { server: true })),
  ) as Workflow;
  const [first, ...others] = presets.customerlabs({ defaultCurrency: "EUR" }).rules;
  /** The preset of a later release: one row changed, one gone, one new, another alias. */
  const later = (): Workflow => {
    const born = presets.customerlabs({ defaultCurrency: "EUR" });
    const rules = [
      ...others
        .filter((rule) => rule.id !== "cart_viewed")
        .map((rule) => (rule.id === "purchased" ? { ...rule, label: "Order placed" } : rule)),
      { ...(first as (typeof others)[number]), id: "refunded", on: "Refunded", to: "CUSTOM_EVENT_3" },
    ];
    return {
      ...born,
      aliases: { ...born.aliases, bought: "Purchased" },
      preset: { ...born.preset!, version: 2 },
      rules,
    };
  };

  it("changes nothing where the preset is the same", () => {
    const { workflow, changes } = migrateWorkflow(stored);
    expect(changes).toEqual([]);
    expect(workflow).toEqual(stored);
  });

  it("takes over what nobody edited, keeps toggles, adds new rows switched off, drops rows that were off", () => {
    const { workflow, changes, from, to } = migrateWorkflow(stored, later());
    expect([from, to]).toEqual([1, 2]);
    expect(changes).toEqual(
      [
        { what: "page_viewed", change: "removed" },
        { what: "cart_viewed", change: "removed" },
        { what: "purchased", change: "updated" },
        { what: "refunded", change: "added" },
        { what: "workflow.aliases", change: "updated" },
      ].sort((a, b) => order(a.what) - order(b.what)),
    );
    expect(workflow.rules.find((rule) => rule.id === "purchased")).toMatchObject({
      label: "Order placed",
      server: true,
      client: false,
    });
    expect(workflow.rules.find((rule) => rule.id === "refunded")).toMatchObject({ server: false, client: false });
    expect(workflow.aliases).toMatchObject({ bought: "Purchased" });
    expect(() => createRouter(workflow)).not.toThrow();
  });

  const order = (what: string) =>
    ["page_viewed", "cart_viewed", "purchased", "refunded", "workflow.aliases"].indexOf(what);

  it("keeps what was edited and what is switched on, and says so", () => {
    const edited: Workflow = {
      ...stored,
      aliases: { ...stored.aliases, mine: "Purchased" },
      rules: stored.rules.map((rule) =>
        rule.id === "purchased"
          ? { ...rule, when: { path: "properties.value", op: "gt", value: 1 } }
          : rule.id === "cart_viewed"
            ? { ...rule, server: true }
            : rule,
      ),
    };
    const { workflow, changes } = migrateWorkflow(edited, later());
    expect(changes).toEqual(
      expect.arrayContaining([
        { what: "purchased", change: "kept" },
        { what: "cart_viewed", change: "retired" },
        { what: "workflow.aliases", change: "kept" },
      ]),
    );
    expect(workflow.rules.find((rule) => rule.id === "purchased")).toEqual(
      edited.rules.find((rule) => rule.id === "purchased"),
    );
    expect(workflow.rules.some((rule) => rule.id === "cart_viewed" && rule.server)).toBe(true);
  });

  it("does not add a row that a rule of the host's own already serves", () => {
    const own = { id: "mine", on: "refunded", to: "CUSTOM_EVENT_3", server: true, client: false };
    const { workflow } = migrateWorkflow({ ...stored, rules: [...stored.rules, own] }, later());
    expect(workflow.rules.filter((rule) => rule.to === "CUSTOM_EVENT_3")).toEqual([own]);
    expect(() => createRouter(workflow)).not.toThrow();
  });

  it("survives an engine that stores keys in another order", () => {
    const reordered = JSON.parse(JSON.stringify(stored), (_, node) =>
      node && typeof node === "object" && !Array.isArray(node)
        ? Object.fromEntries(Object.entries(node).reverse())
        : node,
    );
    expect(migrateWorkflow(reordered).changes).toEqual([]);
  });

  it("tells a destination of a newer preset, and leaves a workflow without one alone", () => {
    expect(presetUpdate(stored)).toEqual({ available: false, current: 1, latest: 1 });
    expect(presetUpdate({ ...stored, preset: { ...stored.preset!, version: 0 } })).toMatchObject({ available: true });
    const { preset: _, ...own } = stored;
    expect(migrateWorkflow(own).changes).toEqual([]);
    expect(presetUpdate(own)).toEqual({ available: false });
  });
});

describe("eventList", () => {
  const ready: DestinationState = {
    serverSide: true,
    pixel: true,
    mobileApp: true,
    adAccount: true,
    conversionsToken: true,
    login: "connected",
  };
  const workflow = setToggle(presets.segment(), "Order Completed", { server: true });
  const row = (event: string, state: Partial<DestinationState> = {}) =>
    eventList({ workflow, state: { ...ready, ...state } }).find((one) => one.event === event);

  it("has a row for every rule, with both toggles", () => {
    const rows = eventList({ workflow, state: ready });
    expect(rows.map((one) => one.rule)).toEqual(workflow.rules.map((rule) => rule.id));
    expect(row("Order Completed")).toEqual({
      event: "Order Completed",
      label: "Order completed",
      rule: "order_completed",
      target: "PURCHASE",
      origin: "workflow",
      server: { on: true, available: true },
      client: { on: false, available: true },
    });
  });

  it.each<[string, string, Partial<DestinationState>, "server" | "client", string]>([
    ["segments never from the browser", "added_to_segment", {}, "client", "server_only_segment"],
    ["app events never from the browser", "Application Opened", {}, "client", "server_only_app"],
    ["segments need an ad account", "added_to_segment", { adAccount: false }, "server", "ad_account_missing"],
    ["segments need a login", "added_to_segment", { login: "disconnected" }, "server", "login_missing"],
    ["segments need a login that holds", "added_to_segment", { login: "reauth_required" }, "server", "reauthorize"],
    ["the pixel is missing for the browser", "Order Completed", { pixel: false }, "client", "pixel_missing"],
    ["and for the server", "Order Completed", { pixel: false }, "server", "pixel_missing"],
    ["the app is missing", "Application Opened", { mobileApp: false }, "server", "mobile_app_missing"],
    ["the master switch is off", "Order Completed", { serverSide: false }, "server", "server_side_off"],
    [
      "no credential at all",
      "Order Completed",
      { conversionsToken: false, login: "disconnected" },
      "server",
      "credential_missing",
    ],
    [
      "only a login that has ended",
      "Order Completed",
      { conversionsToken: false, login: "reauth_required" },
      "server",
      "reauthorize",
    ],
  ])("%s", (_, event, state, channel, reason) => {
    expect(row(event, state)?.[channel]).toMatchObject({ available: false, reason, words: REASONS[reason] });
  });

  it("audiences go on without the master switch, and events go on without the login where there is a token", () => {
    expect(row("added_to_segment", { serverSide: false })?.server.available).toBe(true);
    expect(row("Order Completed", { login: "disconnected" })?.server.available).toBe(true);
  });

  it("shows what the tenant's events were called: counts on known rows, rows for the others", () => {
    const rows = eventList({
      workflow: presets.customerlabs(),
      state: ready,
      seen: [
        { name: "purchased", count: 3, lastSeenMs: 5 },
        { name: "pageview", count: 2, lastSeenMs: 9 },
        { name: "wheel_spun", count: 7, lastSeenMs: 8 },
      ],
      catalogue: ["Wheel Spun", "Chat opened", "Purchased"],
      lastDeliveredMs: { purchased: 4 },
    });
    expect(rows.find((one) => one.rule === "purchased")).toMatchObject({ seen: 3, lastSeenMs: 5, lastDeliveredMs: 4 });
    expect(rows.find((one) => one.rule === "page_viewed")).toMatchObject({ seen: 2, lastSeenMs: 9 });
    const others = rows.filter((one) => one.origin !== "workflow");
    expect(others.map(({ event, origin, seen }) => [event, origin, seen])).toEqual([
      ["wheel_spun", "seen", 7],
      ["Chat opened", "catalogue", undefined],
    ]);
    expect(others[0]?.server).toMatchObject({ on: false, available: false, reason: "not_in_workflow" });
  });

  it("is bounded however many names an attacker sends", () => {
    const seen = Array.from({ length: 5_000 }, (_, n) => ({ name: `event ${n}` }));
    expect(eventList({ workflow, state: ready, seen })).toHaveLength(workflow.rules.length + 200);
  });
});

describe("explainRoute", () => {
  const base = presets.segment({ consent: { names: ["Advertising"], absent: "deny" } });
  const order = {
    type: "track",
    event: "order_completed",
    messageId: "m-1",
    timestamp: "2026-11-20T00:00:00Z",
    context: { traits: { email: "a@example.org" }, consent: { categoryPreferences: { Advertising: true } } },
    properties: { revenue: 10, currency: "gbp", order_id: "SO-1", products: [{ product_id: "p-1", price: 10 }] },
  };
  const explain = (workflow: Workflow, event: object = order) => explainRoute(workflow, sources.segment.read(event));

  it("says where every field comes from, and what the rule maps in vain", () => {
    const explained = explain(setToggle(base, "Order Completed", { server: true }));
    const rule = explained.rules[0];
    expect(rule).toMatchObject({
      rule: "order_completed",
      status: "send",
      eventId: "m-1",
      consent: [{ name: "Advertising", state: "granted" }],
    });
    const from = Object.fromEntries(rule?.fields.map(({ field, from }) => [field, from]) ?? []);
    expect(from).toMatchObject({
      action_source: ["literal"],
      "custom_data.value": ["properties.revenue"],
      "custom_data.content_ids": ["unique(products[].id)"],
      "custom_data.order_id": ["properties.order_id"],
      "custom_data.num_items": ["item_count(products)"],
    });
    expect(rule?.missing).toContain("custom_data.brands");
    expect(explained.eventId).toEqual({ id: "m-1", from: "source" });
    expect(explained.time).toEqual({ from: "event", ms: 1_795_132_800_000 });
    expect(explained.identifiers).toContainEqual({ field: "user_data.em", from: ["traits.email"] });
    expect(explained.event.matchedAs).toBe("Order Completed");
    expect(explained.otherRules).toBe(base.rules.length - 1);
  });

  it("names the toggle, the consent and the condition that stop a rule", () => {
    expect(explain(base).rules[0]).toMatchObject({
      status: "skipped",
      reason: "rule_disabled",
      server: { on: false, reason: "server_off" },
      client: { on: false, reason: "client_off" },
    });
    const denied = { ...order, context: { consent: { categoryPreferences: { Advertising: false } } } };
    const workflow = setToggle(base, "Order Completed", { server: true });
    expect(explain(workflow, denied).rules[0]).toMatchObject({
      reason: "consent_denied",
      consent: [{ name: "Advertising", state: "denied" }],
    });
    const silent = {
      ...workflow,
      rules: workflow.rules.map((rule) => ({ ...rule, consent: { names: ["Mail"], absent: "deny" } })),
    };
    expect(explain(silent as typeof workflow, { ...order, context: {} }).rules[0]).toMatchObject({
      reason: "consent_absent",
      consent: [{ name: "Mail", state: "absent" }],
    });
    const when = {
      and: [
        { path: "properties.revenue", op: "gt", value: 50 },
        { not: { path: "traits.email", op: "ends", value: "@example.org" } },
        { path: "name", op: "exists" },
      ],
    };
    const filtered = {
      ...workflow,
      rules: workflow.rules.map((rule) => (rule.to === "PURCHASE" ? { ...rule, when } : rule)),
    };
    expect(explain(filtered).rules[0]).toMatchObject({
      status: "skipped",
      reason: "filter_not_met",
      failed: [
        { path: "properties.revenue", op: "gt", value: 50, negated: false, found: 10 },
        { path: "traits.email", op: "ends", value: "@example.org", negated: true, found: "present" },
      ],
    });
  });

  it("shows no person, not even one who hides in a property", () => {
    const when = { or: ["ref", "note", "tel"].map((key) => ({ path: `properties.${key}`, op: "equals", value: "x" })) };
    const workflow = { ...base, rules: base.rules.map((rule) => ({ ...rule, when })) };
    const properties = { ref: "a@example.org", note: "call +44 7700 900123 now", tel: 447700900123, order_id: "SO-1" };
    const text = JSON.stringify(
      explain(workflow, {
        ...order,
        properties,
        context: { ip: "203.0.113.77", traits: { email: "b@example.org", phone: "07700900123" } },
      }),
    );
    for (const secret of ["a@example", "b@example", "900123", "203.0.113.77"]) expect(text).not.toContain(secret);
  });

  it("explains an id that is an order's, and one that was computed", () => {
    const byOrder = { ...base, dedupe: ["properties.order_id"] };
    expect(explain(byOrder).eventId).toMatchObject({
      id: "SO-1",
      from: "properties.order_id",
      note: expect.stringContaining("order"),
    });
    const { messageId: _, ...anonymous } = order;
    expect(explain(base, anonymous).eventId).toMatchObject({
      from: "digest",
      note: expect.stringContaining("computed"),
    });
  });

  it("explains a membership by its row", () => {
    const workflow = setToggle(base, "added_to_segment", { server: true });
    const entered = { type: "track", event: "Audience Entered", properties: { audience_key: "vip", vip: true } };
    expect(explain(workflow, entered).rules).toMatchObject([
      { rule: "added_to_segment", status: "skipped", reason: "consent_absent" },
    ]);
    expect(explain(workflow, { type: "track", event: "wheel_spun" })).toMatchObject({
      rules: [],
      decisions: [{ reason: "unknown_event" }],
    });
  });
});

describe("reasons, manifest and schema", () => {
  it("has words for every reason, and shows an unknown one as it is", () => {
    for (const words of Object.values(REASONS)) expect(words.message && words.fix).toBeTruthy();
    expect(reasonWords("constructor")).toEqual({ message: "constructor", fix: "" });
  });

  it("describes the destination for a catalogue, with the host's own names and links", () => {
    const entry = manifest({
      name: "Snap",
      adAccountId: "a/b",
      links: { documentation: "https://cdp.example/docs" },
      settings: { type: "object" },
    });
    expect(entry).toMatchObject({
      name: "Snap",
      category: "Advertising",
      scopes: ["snapchat-marketing-api", "snapchat-offline-conversions-api"],
      settings: { type: "object" },
    });
    expect(entry.links).toMatchObject({
      documentation: "https://cdp.example/docs",
      adsManager: "https://ads.snapchat.com/a%2Fb",
    });
    expect(entry.help.map(({ title }) => title)).toContain("Generate the Conversions API token");
    expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
  });

  it("says something in every step of its help", () => {
    for (const { title, steps, role, link } of manifest().help) {
      expect([title, ...steps, role]).not.toContain("");
      expect([title, steps.length > 0]).toEqual([expect.stringMatching(/^[A-Z]/), true]);
      expect(link ?? "https://").toMatch(/^https:\/\//);
    }
    expect(manifest()).toMatchObject({ settings: { type: "object", properties: {} }, slug: "snapchat-ads" });
    expect(manifest().description).toMatch(/conversions/);
  });

  it("publishes the workflow as JSON Schema with its trees", () => {
    const schema = workflowJsonSchema() as { $defs: Record<string, unknown>; required: string[] };
    expect(schema.required).toEqual(expect.arrayContaining(["format", "rules"]));
    expect(Object.keys(schema.$defs)).toEqual(expect.arrayContaining(["Filter", "Mapping", "Rule"]));
  });
});
