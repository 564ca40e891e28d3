import { setToggle, type Tenant } from "snapchat-destination";
import { hash } from "snapchat-destination/identity";
import {
  pixelConfig,
  pixelConfigResponse,
  pixelCsp,
  pixelIdentity,
  pixelScript,
  pixelTag,
} from "snapchat-destination/pixel";
import { createPixel } from "snapchat-destination/pixel/browser";
import { presets, type Workflow } from "snapchat-destination/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, purchase, type Shop, shopWorkflow } from "../snapchat/shop.ts";

const PIXEL_ID = "11111111-2222-4333-8444-555555555555";

describe("the configuration of a pixel", () => {
  const workflow: Workflow = setToggle(shopWorkflow(), "Search made", { server: true });

  it("holds client rules and their events, and nothing of the server's", () => {
    const { config, json } = pixelConfig({ pixelId: PIXEL_ID, workflow, integration: "my-cdp", limitedUse: true });
    expect(config).toMatchObject({
      pixelId: PIXEL_ID,
      events: ["VIEW_CONTENT", "PURCHASE"],
      always: { integration: "my-cdp", data_use: "['lmu']" },
    });
    expect(JSON.parse(json)).toEqual(config);
    for (const word of ["SEARCH", "segment", "traits", "email", "phone", "user_data", "context.ip"]) {
      expect(json, word).not.toContain(word);
    }
  });

  it("is small with every toggle of a preset on", () => {
    let all: Workflow = presets.customerlabs({
      defaultCurrency: "EUR",
      consent: { names: ["ad_storage"], absent: "deny" },
    });
    for (const rule of all.rules) {
      if (!rule.to.startsWith("segment:")) all = setToggle(all, rule.id, { server: true, client: true });
    }
    const { json, config } = pixelConfig({ pixelId: PIXEL_ID, workflow: all });
    expect(config.events.length).toBeGreaterThan(8);
    expect(json.length).toBeLessThan(20_000);
  });

  it("has no event that Snapchat has not, whatever the workflow's rules say", () => {
    const odd = {
      ...workflow,
      rules: workflow.rules.map((rule) => ({ ...rule, to: rule.client ? "TELEPORT" : rule.to })),
    };
    expect(pixelConfig({ pixelId: PIXEL_ID, workflow: odd }).config).toEqual({
      pixelId: PIXEL_ID,
      events: [],
      off: "no_client_rules",
    });
  });

  it("is off without a pixel and without a client toggle", () => {
    expect(pixelConfig({ pixelId: undefined, workflow }).config).toEqual({
      pixelId: "",
      events: [],
      off: "pixel_missing",
    });
    expect(pixelConfig({ pixelId: PIXEL_ID, workflow: undefined }).config.off).toBe("no_client_rules");
    expect(pixelConfig({ pixelId: PIXEL_ID, workflow: presets.segment() }).config.off).toBe("no_client_rules");
  });

  it("says which parameters may leave", () => {
    const { config } = pixelConfig({ pixelId: PIXEL_ID, workflow, allowFields: ["custom_data.value", "user_data.em"] });
    expect(config.allow).toEqual(["client_dedup_id", "data_use", "integration", "price"]);
  });

  it("has a tag that changes with its content and with nothing else", () => {
    const one = pixelConfig({ pixelId: PIXEL_ID, workflow });
    expect(pixelConfig({ pixelId: PIXEL_ID, workflow: structuredClone(workflow) }).etag).toBe(one.etag);
    expect(pixelConfig({ pixelId: PIXEL_ID, workflow, limitedUse: true }).etag).not.toBe(one.etag);
  });

  it("is answered with 304 to a page that has it", async () => {
    const document = pixelConfig({ pixelId: PIXEL_ID, workflow });
    const ask = (ifNoneMatch?: string) =>
      pixelConfigResponse(
        document,
        new Request("https://cdp.example/p.json", ifNoneMatch ? { headers: { "if-none-match": ifNoneMatch } } : {}),
      );
    const first = ask();
    expect(await first.json()).toEqual(document.config);
    expect(first.headers.get("access-control-allow-origin")).toBe("*");
    expect(ask('"older"').status).toBe(200);
    for (const known of [document.etag, `"older", W/${document.etag}`, "*"]) {
      const again = ask(known);
      expect([again.status, await again.text()]).toEqual([304, ""]);
      expect(again.headers.get("etag")).toBe(document.etag);
    }
  });
});

describe("the tag", () => {
  const { config } = pixelConfig({ pixelId: PIXEL_ID, workflow: shopWorkflow(), integration: "my-cdp" });

  it("is one script with the runtime and the configuration", () => {
    const tag = pixelTag(config, { nonce: "Zm9vYmFy", consent: true, pageViews: true });
    expect(tag.startsWith(`<script nonce="Zm9vYmFy">`)).toBe(true);
    expect(tag.match(/<\/script/g)).toHaveLength(1);
    expect(tag).toContain('"consent":true,"pageViews":true');
    expect(tag.length).toBeLessThan(pixelScript().length + 500);
  });

  it("stays inside its element whatever the data", () => {
    const nasty = "</script><script>alert(1)</script><!--\u2028&\"'";
    const tag = pixelTag({ ...config, always: { integration: nasty } }, { src: `/p.js?a="><script>` });
    expect(tag.match(/<\/script>/g)).toHaveLength(2);
    expect(tag.match(/<script/g)).toHaveLength(2);
    expect(tag).not.toMatch(/<!--|\u2028|"><script/);
    const given = /createPixel\((.*)\);<\/script>$/.exec(tag)?.[1] ?? "";
    expect(JSON.parse(given).always.integration).toBe(nasty);
  });

  it("has a runtime that cannot end its own element", () => {
    expect(pixelScript()).not.toMatch(/<\/script|<!--/i);
  });

  it.each(['"><script>', "a b", "", "'"])("refuses the nonce %j", (nonce) => {
    expect(() => pixelTag(config, { nonce })).toThrow(expect.objectContaining({ code: "nonce_invalid" }));
  });
});

describe("identity for a page", () => {
  it("has the digests of the server's events, raw or hashed already", async () => {
    const digest = hash("em", "person@example.com");
    expect(
      await pixelIdentity({ email: " Person@Example.com ", phone: "0844 412 4653" }, { defaultCountry: "GB" }),
    ).toEqual({
      user_hashed_email: digest,
      user_hashed_phone_number: hash("ph", "+44 844 412 4653"),
    });
    expect(await pixelIdentity({ email: ["nobody", digest ?? ""], phone: undefined })).toEqual({
      user_hashed_email: digest,
    });
    expect(await pixelIdentity({ email: "__INSERT_USER_EMAIL__" })).toEqual({});
  });
});

describe("the runtime on a server, where a framework renders its pages", () => {
  it("does nothing and throws nothing", () => {
    const warnings: string[] = [];
    const pixel = createPixel({
      pixelId: PIXEL_ID,
      events: ["SIGN_UP"],
      pageViews: true,
      debug: (code) => warnings.push(code),
    });
    pixel.identify({ user_hashed_email: "a".repeat(64) });
    pixel.consent(true);
    pixel.track("SIGN_UP");
    expect(pixel.identifiers()).toEqual({});
    expect(warnings).toContain("failed");
    Reflect.deleteProperty(globalThis, "snapchatPixels");
  });
});

describe("the Content-Security-Policy", () => {
  it("names Snapchat's hosts by directive", () => {
    expect(pixelCsp({ nonce: "abc" })).toEqual({
      "script-src": ["'nonce-abc'", "https://sc-static.net", "https://tr.snapchat.com"],
      "connect-src": ["https://tr.snapchat.com", "https://tr6.snapchat.com"],
      "img-src": ["https://tr.snapchat.com", "https://tr6.snapchat.com"],
      "frame-src": ["https://tr.snapchat.com"],
      "form-action": ["https://tr.snapchat.com"],
    });
    expect(pixelCsp({ development: true })["connect-src"]).toContain("https://tr-shadow.snapchat.com");
  });
});

describe("a destination's pixel", () => {
  let shop: Shop;
  let acme: Tenant;
  beforeAll(async () => {
    shop = await openShop({ integration: "my-cdp" });
    acme = shop.acme;
  });
  afterAll(() => shop.close());
  const config = async () => (await acme.pixel.config(shop.id)).config;

  it("is what the destination says, from the simulator's host", async () => {
    expect(await config()).toMatchObject({
      pixelId: shop.simulator.world.main.pixel.id,
      events: ["VIEW_CONTENT", "PURCHASE"],
      always: { integration: "my-cdp" },
      script: `${shop.simulator.endpoints.pixelScript}/scevent.min.js`,
    });
  });

  it("holds no secret of the destination", async () => {
    const { json } = await acme.pixel.config(shop.id);
    const { conversionsToken, adAccount, organization } = shop.simulator.world.main;
    for (const secret of [conversionsToken, adAccount.id, organization.id, shop.id, "acme"]) {
      expect(json).not.toContain(secret);
    }
  });

  it("is nobody else's", async () => {
    const other = shop.snapchat.tenant("other");
    const { config, tag, identity } = other.pixel;
    for (const call of [config, tag, (id: string) => identity(id, {})]) {
      await expect(call(shop.id)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  it("hashes the person of a tag before the page sees them", async () => {
    const tag = await acme.pixel.tag(shop.id, { identity: { email: "Jane@Example.com", phone: "07700 900123" } });
    expect(tag).not.toMatch(/jane@|900123/i);
    expect(tag).toContain(hash("em", "jane@example.com"));
    expect(tag).toContain(hash("ph", "+447700900123"));
  });

  it("gives a page of a disabled destination nobody's digests", async () => {
    await acme.destinations.disable(shop.id);
    const tag = await acme.pixel.tag(shop.id, { identity: { email: "jane@example.com" } });
    expect(tag).not.toContain(hash("em", "jane@example.com"));
    expect(tag).toContain('"off":"destination_disabled"');
    await acme.destinations.enable(shop.id);
  });

  it("tries an event out with the destination's own limits", async () => {
    await acme.destinations.update(shop.id, {
      settings: { limitedUse: true, allowFields: ["custom_data.value", "custom_data.currency"] },
    });
    const [call] = await acme.pixel.calls(shop.id, purchase("a"));
    expect(call?.[3]).toEqual({
      price: 20,
      currency: "GBP",
      client_dedup_id: "a",
      integration: "my-cdp",
      data_use: "['lmu']",
    });
    await acme.destinations.update(shop.id, { settings: { limitedUse: null, allowFields: null } });
  });

  it("follows the destination's life", async () => {
    const { etag } = await acme.pixel.config(shop.id);
    await acme.destinations.disable(shop.id);
    expect(await config()).toMatchObject({ off: "destination_disabled", events: [] });
    await acme.destinations.enable(shop.id);
    expect((await acme.pixel.config(shop.id)).etag).toBe(etag);

    await acme.destinations.update(shop.id, { serverSide: false });
    expect((await acme.pixel.config(shop.id)).etag).toBe(etag);
    await acme.connections.disconnect(shop.id);
    expect((await acme.pixel.config(shop.id)).etag).toBe(etag);

    const other = shop.simulator.world.pixels[1]?.id ?? "";
    await acme.destinations.update(shop.id, { pixelId: other });
    expect((await config()).pixelId).toBe(other);
    await acme.destinations.update(shop.id, { workflow: setToggle(shopWorkflow(), "Purchased", { client: false }) });
    expect((await config()).events).toEqual(["VIEW_CONTENT"]);
    for (const settings of [{ testEventCode: "T1" }, { validateOnly: true, testEventCode: null }]) {
      await acme.destinations.update(shop.id, { settings });
      expect((await config()).off).toBe("test_mode");
    }
    await acme.destinations.update(shop.id, { settings: { validateOnly: null } });
    expect((await config()).off).toBeUndefined();

    await shop.snapchat.tenants.suspend("acme");
    expect((await config()).off).toBe("tenant_not_active");
    await shop.snapchat.tenants.resume("acme");
    await acme.destinations.delete(shop.id);
    await expect(config()).rejects.toMatchObject({ code: "not_found" });
  });
});
