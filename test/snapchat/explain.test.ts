import { definePlugin } from "snapchat-destination";
import { hash } from "snapchat-destination/identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, purchase, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
let consent: () => boolean;

const crm = definePlugin({
  name: "crm",
  enrich: (events) => events.map(() => ({ traits: { phone: "07700 900123" }, properties: { event_tag: "vip" } })),
  functions: { twice: (value) => Number(value) * 2 },
});
const guard = definePlugin({
  name: "guard",
  consent: () => consent(),
  beforeSend: (event) => {
    if (event.custom_data?.order_id === "SO-drop") return { drop: "Test order" };
    return { ...event, custom_data: { ...event.custom_data, status: "seen" } };
  },
});

beforeAll(async () => {
  consent = () => true;
  shop = await openShop({ plugins: [crm, guard] });
  const workflow = shopWorkflow();
  const rules = workflow.rules.map((rule) =>
    rule.on === "Purchased"
      ? { ...rule, map: { ...rule.map, "custom_data.num_items": { call: "twice", with: [{ value: 2 }] } } }
      : rule,
  );
  await shop.acme.destinations.update(shop.id, { workflow: { ...workflow, rules } });
});
afterAll(() => shop.close());

const explain = (event: unknown, o?: Parameters<Shop["acme"]["explain"]>[2]) => shop.acme.explain(shop.id, event, o);

describe("explain", () => {
  it("names the plugin behind a field, an identifier, a function and a changed event", async () => {
    const { route, plugins, parts } = await explain(purchase("a"));
    expect(plugins).toEqual([{ plugin: "crm", hook: "enrich", paths: ["traits.phone", "properties.event_tag"] }]);
    const fields = route?.rules[0]?.fields ?? [];
    expect(fields).toContainEqual({ field: "custom_data.event_tag", from: ["properties.event_tag"], plugin: "crm" });
    expect(fields.find(({ field }) => field === "custom_data.num_items")?.from).toEqual(["twice(literal)"]);
    expect(fields.find(({ field }) => field === "custom_data.value")).not.toHaveProperty("plugin");
    expect(route?.identifiers).toContainEqual({ field: "user_data.ph", from: ["traits.phone"], plugin: "crm" });
    expect(parts[0]?.plugins).toEqual([{ plugin: "guard", hook: "beforeSend", paths: ["custom_data.status"] }]);
    expect(JSON.parse(parts[0]?.json ?? "").custom_data).toMatchObject({ num_items: 4, status: "seen" });
  });

  it("decides as track does, the plugin that stops an event named", async () => {
    for (const id of ["a", "drop"]) {
      const { parts } = await explain(purchase(id));
      const [receipt] = await shop.acme.track([purchase(id)]);
      const decided = parts.map(({ channel, status, reason }) => ({ channel, status, reason }));
      expect(decided).toEqual(receipt?.parts.map(({ channel, status, reason }) => ({ channel, status, reason })));
    }
    const { parts } = await explain(purchase("drop"));
    expect(parts[0]).toMatchObject({ status: "skipped", reason: "test_order", detail: { plugin: "guard" } });
  });

  it("says that a plugin which must be asked has failed, and still shows the way to it", async () => {
    consent = () => {
      throw new Error("down");
    };
    const { parts, route } = await explain(purchase("a"));
    consent = () => true;
    expect(parts[0]).toMatchObject({ status: "skipped", reason: "plugin_failed", detail: { plugin: "guard" } });
    expect(route?.rules[0]?.rule).toBe("purchased");
  });

  it("tells of each identifier whether it is sent and as what, and never shows it", async () => {
    const event = purchase("a", " Jane@Example.com ");
    const traits = (event.customProperties as { user_traits: Record<string, unknown> }).user_traits;
    Object.assign(traits, {
      first_name: "jane",
      last_name: hash("ln", "doe"),
      gender: "unknown to us",
      city: "Zürich",
      zip: "00000",
    });
    const { parts } = await explain(event);
    const states = Object.fromEntries(parts[0]?.userData?.map(({ field, state }) => [field, state]) ?? []);
    expect(states).toEqual({
      em: "normalised",
      ph: "normalised",
      fn: "present",
      ln: "already_hashed",
      ge: "omitted",
      ct: "normalised",
      zp: "omitted",
    });
    expect(parts[0]?.userData).toContainEqual({
      field: "ge",
      state: "omitted",
      reason: "unknown_gender",
      message: expect.any(String),
      fix: expect.any(String),
    });
    const text = JSON.stringify(parts);
    for (const secret of ["ane@", "Jane", "900123", "rich"]) expect(text).not.toContain(secret);
  });

  it("asks Snapchat's validate endpoint where it is told to, and counts nothing", async () => {
    const before = shop.simulator.inspect.events.counted;
    const [good] = (await explain(purchase("a"), { validate: true })).parts;
    expect(good?.snapchat).toMatchObject({ valid: true });
    shop.simulator.faults.add({
      path: /events\/validate$/,
      count: 1,
      status: 400,
      body: { status: "INVALID", event_logs: [{ event: 1, status: "INVALID", error_msgs: ["bad value"], codes: [7] }] },
    });
    const [bad] = (await explain(purchase("a"), { validate: true })).parts;
    expect(bad?.snapchat).toMatchObject({ valid: false, message: expect.stringContaining("bad value") });
    expect((await explain(purchase("a"))).parts[0]).not.toHaveProperty("snapchat");
    expect(shop.simulator.inspect.events.counted).toBe(before);
  });

  it("names the place in the host's event where a field was read, and what it holds, never what it says", async () => {
    const priced = (currency: unknown) => {
      const event = purchase("a");
      Object.assign(event.customProperties as object, { currency });
      return event;
    };
    const [given] = (await explain(priced("EURO"))).parts;
    expect(given).toMatchObject({
      status: "rejected",
      reason: "currency_unreadable",
      path: "custom_data.currency",
      from: ["properties.currency"],
    });
    expect(given?.words?.message).toContain("read at `properties.currency`, which holds a text of 4 characters.");
    expect(JSON.stringify(given)).not.toContain("EURO");
    const dear = purchase("a");
    Object.assign(dear.customProperties as object, { value: { amount: 3 } });
    expect((await explain(dear)).parts[0]).toMatchObject({
      reason: "number_unreadable",
      words: {
        message: expect.stringMatching(/not a number.*needs a total value.*`properties\.value`, .* an object\.$/),
      },
    });
    const [missing] = (await explain(priced(undefined))).parts;
    expect(missing).toMatchObject({
      reason: "currency_missing",
      from: expect.arrayContaining(["properties.currency"]),
    });
    expect(missing?.words?.fix).toContain("Send it at `properties.");
  });

  it("says first that the destination is off, and queues nothing, as track does", async () => {
    await shop.acme.destinations.disable(shop.id);
    const { parts } = await explain(purchase("a"));
    const [receipt] = await shop.acme.track([purchase("a")]);
    await shop.acme.destinations.enable(shop.id);
    expect(parts[0]).toEqual(receipt?.parts[0]);
    expect(parts[0]).toMatchObject({ status: "skipped", reason: "destination_disabled", rule: "" });
    expect(parts.filter(({ status }) => status === "queued")).toEqual([]);
    expect(parts[1]).toMatchObject({ rule: "purchased", reason: "destination_disabled", json: expect.any(String) });
  });

  it("says why Snapchat could not be asked", async () => {
    shop.simulator.faults.add({ path: /events\/validate$/, count: 2, status: 403, body: "Unauthorized resources" });
    const [part] = (await explain(purchase("a"), { validate: true })).parts;
    expect(part?.notValidated).toMatchObject({ code: "asset_forbidden", fix: expect.any(String) });
    expect(part?.json).toBeDefined();
  });
});
