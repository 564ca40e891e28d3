import { manifest, presets, setToggle } from "snapchat-destination";
import type { Workflow } from "snapchat-destination/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, purchase, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

async function sent(event: Record<string, unknown> = purchase("a")) {
  const { parts } = await shop.acme.explain(shop.id, event);
  const [server, client] = parts;
  return { part: server, event: server?.json ? JSON.parse(server.json) : undefined, call: client?.call };
}

const set = (settings: Parameters<Shop["acme"]["destinations"]["update"]>[1]["settings"]) =>
  shop.acme.destinations.update(shop.id, { settings: settings ?? {} });

describe("settings of a destination", () => {
  it("limit the use of data in both channels, each in its own words", async () => {
    expect((await sent()).event).not.toHaveProperty("data_processing_options");
    await set({ limitedUse: true });
    const limited = await sent();
    expect(limited.event.data_processing_options).toEqual(["LMU"]);
    expect(limited.call?.[3]).toMatchObject({ data_use: "['lmu']" });
    await set({ limitedUseSpelling: "LDU" });
    expect((await sent()).event.data_processing_options).toEqual(["LDU"]);
    await set({ limitedUse: null, limitedUseSpelling: null });
    expect((await sent()).event).not.toHaveProperty("data_processing_options");
  });

  it("answer for app events that do not say whether tracking is allowed; the event's own answer goes before", async () => {
    let workflow = setToggle(presets.segment(), "Application Opened", { server: true });
    await shop.acme.destinations.update(shop.id, { workflow, mobileAppId: shop.simulator.world.main.mobileApp.id });
    const opened = (adTrackingEnabled?: boolean) => ({
      type: "track",
      event: "Application Opened",
      messageId: "m",
      timestamp: new Date().toISOString(),
      context: {
        traits: { email: "jane@example.com" },
        app: { namespace: "com.example.shop", version: "1" },
        device: { advertisingId: "6d92078a-8246-4ba4-ae5b-76104861e7dc", type: "ios", adTrackingEnabled },
        os: { name: "iOS", version: "18" },
      },
    });
    const silent = await sent(opened());
    expect(silent.event.user_data).not.toHaveProperty("madid");
    expect(silent.part?.issues?.map(({ code }) => code)).toContain("tracking_assumed_denied");
    await set({ attStatus: "authorized" });
    expect((await sent(opened())).event.user_data.madid).toBe("6d92078a-8246-4ba4-ae5b-76104861e7dc");
    expect((await sent(opened(false))).event.user_data).not.toHaveProperty("madid");
    await set({ attStatus: null });
    workflow = shopWorkflow();
    await shop.acme.destinations.update(shop.id, { workflow });
  });

  it("let event names of one's own, state codes and a tolerance through where they say so", async () => {
    const own = shopWorkflow();
    const rules = own.rules.map((rule) => (rule.on === "Purchased" ? { ...rule, to: "BOUGHT_A_LOT" } : rule));
    await shop.acme.destinations.update(shop.id, { workflow: { ...own, rules } as Workflow });
    const ahead: Record<string, unknown> = {
      ...purchase("b"),
      timestamp: new Date(Date.now() + 30 * 60_000).toISOString(),
    };
    Object.assign(ahead.customProperties as object, {
      user_traits: { email: "jane@example.com", state: "Ontario", country: "CA" },
    });
    expect((await sent(ahead)).part).toMatchObject({ status: "rejected" });
    await set({ freeEventNames: true, stateCodes: ["CA"], futureToleranceMs: 3_600_000 });
    const { hash } = await import("snapchat-destination/identity");
    const { event } = await sent(ahead);
    expect(event.event_name).toBe("BOUGHT_A_LOT");
    expect(event.user_data.st).toEqual([hash("st", "on")]);
    await set({ freeEventNames: null, stateCodes: null, futureToleranceMs: null });
    await shop.acme.destinations.update(shop.id, { workflow: own });
  });

  it("are refused by path where they are wrong", async () => {
    for (const wrong of [{ attStatus: "yes" }, { stateCodes: ["GB"] }, { limitedUseSpelling: "lmd" }, { future: 1 }]) {
      await expect(set(wrong as never)).rejects.toMatchObject({ code: "settings_invalid" });
    }
  });
});

describe("the manifest", () => {
  it("describes everything a settings page saves, the workflow and how to get a token", async () => {
    const entry = manifest({ adAccountId: "a-1", organizationId: "o-1" });
    const { properties } = entry.settings as { properties: Record<string, { properties?: object }> };
    const { workflow: _, ...saved } = { ...(await shop.acme.destinations.get(shop.id)) };
    for (const field of ["name", "organizationId", "adAccountId", "pixelId", "serverSide", "conversionsToken"]) {
      expect(properties).toHaveProperty(field);
      expect(saved).toHaveProperty(field);
    }
    expect(properties.settings?.properties).toHaveProperty("attStatus");
    expect(entry.workflow).toMatchObject({ required: expect.arrayContaining(["rules"]) });
    const token = entry.help.find(({ title }) => title.includes("token"));
    expect(token).toMatchObject({ role: expect.stringContaining("admin"), link: expect.stringContaining("https://") });
    expect(token?.steps.length).toBeGreaterThan(3);
    expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
  });
});
