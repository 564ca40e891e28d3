import { randomBytes } from "node:crypto";
import { createSnapchat, definePlugin, presets, type SnapchatOptions, type Storage } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { sqlite } from "snapchat-destination/sqlite";
import type { Workflow } from "snapchat-destination/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shopDay } from "../capi/corpus.ts";
import { mutated, pick, seeded } from "../capi/mutations.ts";
import { openShop, openSnapchat, purchase, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const good = (): SnapchatOptions => ({
  app: { clientId: "id", clientSecret: "secret", redirectUri: "https://cdp.example/callback" },
  storage: memory(),
  encryptionKeys: [randomBytes(32).toString("base64")],
  acceptLoss: true,
});

/** What the first call of a wrong set-up throws. */
function thrownBy(options: Partial<SnapchatOptions>): unknown {
  try {
    createSnapchat({ ...good(), ...options });
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a wrong set-up", () => {
  const key = { encryptionKeys: [] as string[] };
  it.each([
    ["no storage", { storage: undefined as never }, "storage_missing"],
    ["no OAuth app", { app: undefined as never }, "app_missing"],
    ["a plugin that is none", { plugins: [{ name: "x", enrich: 7 } as never] }, "plugin_invalid"],
    ["a plugin without a hook", { plugins: [{ name: "x" } as never] }, "plugin_invalid"],
    ["something else for a plugin", { plugins: [null as never] }, "plugin_invalid"],
    ["no key", key, "encryption_key_missing"],
    ["a key of another length", { encryptionKeys: ["c2hvcnQ="] }, "encryption_key_invalid"],
    [
      "a redirect URI without TLS",
      { app: { clientId: "i", clientSecret: "s", redirectUri: "http://cdp.example/cb" } },
      "redirect_uri_insecure",
    ],
    [
      "an endpoint that is not Snapchat's",
      { endpoints: { conversions: "https://tr.snapchat.example" } },
      "endpoint_not_allowed",
    ],
  ])("%s is said at once, with what to do", (_, options, code) => {
    expect(thrownBy(options)).toMatchObject({ name: "SnapchatError", code, fix: expect.stringMatching(/\w{3}/) });
  });

  it("a storage that loses everything is refused at once, unless that is accepted", () => {
    expect(thrownBy({ acceptLoss: false })).toMatchObject({ code: "loss_not_accepted" });
    expect(thrownBy({ acceptLoss: false, storage: sqlite(":memory:") })).toMatchObject({ code: "loss_not_accepted" });
    expect(thrownBy({})).toBeUndefined();
  });
});

describe("a wrong call", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["one event in place of a list", () => shop.acme.track(purchase("a") as never), "events_not_a_list"],
    ["no events", () => shop.acme.track(undefined as never), "events_not_a_list"],
    [
      "one id in place of a list",
      () => shop.acme.track([], { destinations: "id" as never }),
      "destinations_not_a_list",
    ],
    ["a batch that is none", () => shop.snapchat.track({} as never), "events_not_a_list"],
    ["bare events as a batch", () => shop.snapchat.track([purchase("a") as never]), "event_without_tenant"],
    ["a batch with a hole", () => shop.snapchat.track([null as never]), "event_without_tenant"],
    ["nobody's event", () => shop.snapchat.track([{ tenantId: "", event: purchase("a") }]), "tenant_id_invalid"],
    ["one event to send now", () => shop.snapchat.sendNow(purchase("a") as never), "events_not_a_list"],
    ["a destination of nothing", () => shop.acme.destinations.create(undefined as never), "destination_invalid"],
    [
      "a destination with a pixel",
      () => shop.acme.destinations.create({ name: "A", pixel: "p" } as never),
      "field_unknown",
    ],
  ])("%s is refused in words", async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ name: "SnapchatError", code, fix: expect.stringMatching(/\w{3}/) });
  });
});

describe("a wrong id", () => {
  it("of nobody and of another tenant get the same answer", async () => {
    const other = shop.snapchat.tenant("other");
    const calls = [
      () => other.destinations.get(shop.id),
      () => other.destinations.update(shop.id, { name: "mine now" }),
      () => other.destinations.enable(shop.id),
      () => other.destinations.disable(shop.id),
      () => other.destinations.rename(shop.id, "mine now"),
      () => other.destinations.delete(shop.id),
      () => other.destinations.disconnect(shop.id),
      () => other.destinations.checkToken(shop.id),
      () => other.destinations.connect(shop.id, "any"),
      () => other.preflight(shop.id),
      () => other.verify(shop.id),
      () => other.explain(shop.id, purchase("a")),
      () => other.accounts.tree(shop.id),
      () => other.connections.disconnect(shop.id),
      () => other.connections.import(shop.id, { refreshToken: "r" }),
      () => other.segments.list(shop.id),
      () => other.deadLetters.list(shop.id),
      () => other.deadLetters.replay(shop.id),
      () => other.deadLetters.purge(shop.id),
      () => other.pixel.calls(shop.id, purchase("a")),
      () => other.people.revokeConsent({ email: "jane@example.com" } as never, { destinationId: shop.id }),
      () =>
        shop.snapchat.oauth.connect(new Request("http://127.0.0.1/"), { tenantId: "other", destinationId: shop.id }),
    ];
    for (const call of calls) await expect(call(), call.toString()).rejects.toMatchObject({ code: "not_found" });
    expect(await shop.acme.destinations.get(shop.id)).toMatchObject({ name: "Snapchat", enabled: true });
  });

  it("offering to another tenant's destination offers to nobody", async () => {
    const [receipt] = await shop.snapchat.tenant("other").track([purchase("a")], { destinations: [shop.id] });
    const [nowhere] = await shop.snapchat.tenant("other").track([purchase("a")], { destinations: ["none"] });
    expect(receipt).toMatchObject({ status: "skipped", parts: [{ destinationId: "", reason: "no_destination" }] });
    expect(receipt).toEqual(nowhere);
  });

  it("an id that is none is refused", () => {
    expect(() => shop.snapchat.tenant("")).toThrow(expect.objectContaining({ code: "tenant_id_invalid" }));
  });
});

describe("a wrong workflow", () => {
  it.each([
    ["not an object", 7],
    ["without rules", { format: 1, source: "customerlabs" }],
    ["of a newer format", { ...presets.customerlabs(), format: 99 }],
    ["two rules of one event with one target", twice()],
  ])("%s is refused and the old one stays", async (_, workflow) => {
    const before = await shop.acme.destinations.get(shop.id);
    await expect(shop.acme.destinations.update(shop.id, { workflow })).rejects.toMatchObject({
      kind: "fix_configuration",
    });
    expect((await shop.acme.destinations.get(shop.id)).version).toBe(before.version);
  });
});

describe("a stored workflow that this process cannot run", () => {
  it.each([
    ["names a function of a plugin that is gone", "workflow_invalid", (workflow: Workflow) => workflow],
    ["is of a newer version", "workflow_newer", (workflow: Workflow) => ({ ...workflow, format: 2 })],
  ])("%s: its receipts say so, and the tenant's other destinations go on", async (_, reason, stored) => {
    const storage = memory();
    const keep: Storage = Object.assign(Object.create(storage), { close: async () => {} });
    const encryptionKeys = [randomBytes(32).toString("base64")];
    const plugin = definePlugin({ name: "prices", functions: { net: (value) => Number(value) / 1.2 } });
    const before = await openShop({ storage: keep, encryptionKeys, plugins: [plugin] });
    const own = (await before.acme.destinations.get(before.id)).workflow as Workflow;
    const { id } = await before.acme.destinations.create({ name: "Net" });
    const net = { "custom_data.value": { call: "net", with: [{ path: "properties.value" }] } };
    const { pixel, conversionsToken } = before.simulator.world.main;
    const workflow = { ...own, map: { ...own.map, ...net } };
    await before.acme.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow });
    await before.acme.destinations.enable(id);
    await before.close();
    const key = `destination/acme/${id}`;
    const record = await storage.records.get(key);
    const destination = JSON.parse(new TextDecoder().decode(record?.value.subarray(1))) as { workflow: Workflow };
    destination.workflow = stored(destination.workflow) as Workflow;
    await storage.records.put(key, new TextEncoder().encode(`\u0001${JSON.stringify(destination)}`));

    const { snapchat, simulator } = await openSnapchat({ storage: keep, encryptionKeys });
    const acme = snapchat.tenant("acme");
    const [receipt] = await acme.track([purchase("a")]);
    expect(receipt?.parts.find(({ destinationId }) => destinationId === id)).toMatchObject({
      status: "skipped",
      reason,
    });
    expect(receipt?.status).toBe("queued");
    const { parts } = await acme.explain(id, purchase("a"));
    expect(parts[0]).toMatchObject({ reason, words: { fix: expect.stringMatching(/\w{3}/) } });
    await snapchat.close();
    await simulator.close();
  });
});

describe("whatever comes in", () => {
  it("track answers a receipt and explain says the same, for 600 spoilt events of a shop's day", async () => {
    const day = await shopDay(300);
    const statuses = new Map<string, number>();
    for (let seed = 0; seed < 600; seed++) {
      const random = seeded(seed);
      const { event, received_at } = pick(day, random);
      const spoilt = mutated(event, random);
      const receivedAt = Date.parse(received_at);
      const { parts } = await shop.acme.explain(shop.id, spoilt, { receivedAt });
      const [receipt] = await shop.acme.track([spoilt], { receivedAt });
      const said = receipt?.parts.map(({ rule, channel, target, status, reason }) =>
        status === "duplicate"
          ? { rule, channel, target }
          : { rule, channel, target, status, ...(reason === undefined ? {} : { reason }) },
      );
      expect(parts, `seed ${seed}`).toMatchObject(said ?? []);
      for (const { reason, status, words } of parts) {
        if (reason) expect(words?.message, reason).toMatch(/\w{3}/);
        statuses.set(reason ?? status, (statuses.get(reason ?? status) ?? 0) + 1);
      }
    }
    expect(statuses.size).toBeGreaterThan(6);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  }, 60_000);
});

describe("a wrong event", () => {
  it.each([
    ["null", null, "event_not_an_object"],
    ["a number", 7, "event_not_an_object"],
    ["10 MB", { event: "Purchased", customProperties: { note: "x".repeat(10_000_000) } }, "event_too_large"],
    ["a thousand levels", nested(1_000), "event_too_large"],
    [
      "one whose getter throws",
      {
        event: "Purchased",
        get customProperties() {
          throw new Error("mine");
        },
      },
      "event_unreadable",
    ],
  ])("%s is a rejected receipt, and its neighbours go on", async (_, event, reason) => {
    const receipts = await shop.acme.track([event, purchase(`beside-${reason}-${typeof event}`)]);
    expect(receipts[0]).toMatchObject({ status: "rejected", parts: [{ reason }] });
    expect(receipts[1]?.status).not.toBe("rejected");
  });

  const at = (timestamp: unknown) => ({ ...purchase(`at-${String(timestamp)}`), timestamp });
  const products = (count: number) => ({
    ...purchase(`products-${count}`),
    productProperties: Array.from({ length: count }, (_, n) => ({ product_id: `p-${n}`, product_price: 1 })),
  });
  it.each([
    ["of the year 0", at("0000-01-01T00:00:00Z"), "rejected", "event_time_invalid"],
    ["of the year 10,000", at("+010000-01-01T00:00:00Z"), "rejected", "event_time_ambiguous"],
    ["of no time that can be read", at("10000-01-01T00:00:00Z"), "rejected", "event_time_missing"],
    ["with a name nobody knows", { event: "wheel_spun" }, "skipped", "unknown_event"],
    ["without a name", { customProperties: {} }, "rejected", "event_name_missing"],
    [
      "with keys that reach for prototypes",
      JSON.parse(
        '{"event":"x","__proto__":{"polluted":1},"customProperties":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
      ),
      "skipped",
      "unknown_event",
    ],
  ])("one %s says why, and explain says the same with what to do", async (_, event, status, reason) => {
    const [receipt] = await shop.acme.track([event]);
    expect(receipt?.parts[0]).toMatchObject({ status, reason });
    const { parts } = await shop.acme.explain(shop.id, event);
    expect(parts[0]).toMatchObject({
      status,
      reason,
      words: { message: expect.any(String), fix: expect.stringMatching(/\w{3}/) },
    });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([1_000, 3_000])("%i products are one event, bounded and said so", async (count) => {
    const [receipt] = await shop.acme.track([products(count)]);
    expect(receipt?.status).toBe("queued");
    const { parts, route } = await shop.acme.explain(shop.id, products(count));
    expect(JSON.parse(parts[0]?.json ?? "{}").custom_data.contents).toHaveLength(1_000);
    expect(route?.event.issues.some(({ code }) => code === "too_many_products")).toBe(count > 1_000);
  });

  it("a filter on a path that no event has holds for none, and explain names it", async () => {
    const { workflow } = await shop.acme.destinations.get(shop.id);
    const when = { path: "properties.not.there", op: "equals", value: "x" };
    const { rules } = workflow as Workflow;
    const filtered = { ...(workflow as Workflow), rules: rules.map((rule) => ({ ...rule, when })) };
    await shop.acme.destinations.update(shop.id, { workflow: filtered });
    const [receipt] = await shop.acme.track([purchase("filtered")]);
    expect(receipt?.parts[0]).toMatchObject({ status: "skipped", reason: "filter_not_met" });
    const { route } = await shop.acme.explain(shop.id, purchase("filtered"));
    expect(route?.rules[0]?.failed).toEqual([{ ...when, negated: false, found: "missing" }]);
    await shop.acme.destinations.update(shop.id, { workflow });
  });

  it("a cycle is a rejected receipt", async () => {
    const event: Record<string, unknown> = { event: "Purchased" };
    event.customProperties = event;
    const [receipt] = await shop.acme.track([event]);
    expect(receipt).toMatchObject({ status: "rejected", parts: [{ reason: "event_too_large" }] });
  });

  it("an event without a time and without receivedAt says so", async () => {
    const { timestamp: _, ...timeless } = purchase("timeless");
    const [receipt] = await shop.acme.track([timeless]);
    expect(receipt?.parts[0]).toMatchObject({ status: "rejected", reason: "event_time_missing" });
  });

  it("an empty list is an empty answer", async () => {
    expect(await shop.acme.track([])).toEqual([]);
  });
});

function twice() {
  const workflow = presets.customerlabs();
  const [rule] = workflow.rules;
  return { ...workflow, rules: [...workflow.rules, { ...rule, id: "again" }] };
}

function nested(levels: number): unknown {
  let value: unknown = "deep";
  for (let i = 0; i < levels; i++) value = { value };
  return value;
}
