import { describe, expect, it } from "vitest";
import { ACCOUNT, APP, createWorld, ORG, OTHER_ORG, OTHER_PIXEL, PIXEL, PIXEL_2, TOKEN } from "./fakes/world.ts";

const code = (code: string) => expect.objectContaining({ code });

describe("creating and changing a destination", () => {
  it("is born disabled, with server-side on and nothing chosen", async () => {
    const { destinations } = createWorld();
    const shop = await destinations.create("acme", { name: " Snapchat, Acme UK " });
    expect(shop).toMatchObject({
      name: "Snapchat, Acme UK",
      enabled: false,
      serverSide: true,
      settings: {},
      tenantId: "acme",
    });
    expect(await destinations.get("acme", shop.id)).toEqual(shop);
  });

  it("walks from create to enabled and is seen by the hot path at once and without a promise", async () => {
    const { destinations, enabledShop, queue } = createWorld();
    const shop = await enabledShop();
    expect(shop).toMatchObject({
      enabled: true,
      organizationId: ORG,
      adAccountId: ACCOUNT,
      pixelId: PIXEL,
      connection: { id: "c1", status: "connected", person: "Ada" },
      conversionsToken: { masked: "…3f9a", status: "accepted" },
    });
    const active = destinations.enabledDestinations("acme");
    expect(active).not.toBeInstanceOf(Promise);
    expect(active).toMatchObject([{ id: shop.id, version: shop.version, connectionId: "c1" }]);
    expect([...queue.groups.values()]).toEqual([
      {
        tenantId: "acme",
        destinationId: shop.id,
        name: `events/${PIXEL}`,
        exclusive: false,
        credentialId: `conversions/acme/${shop.id}/1`,
      },
    ]);
  });

  it("keeps a token readable nowhere", async () => {
    const { destinations, enabledShop, records } = createWorld();
    const shop = await enabledShop();
    expect(records.dump()).not.toContain(TOKEN);
    expect(JSON.stringify(shop)).not.toContain(TOKEN);
    expect((await destinations.conversionsToken("acme", shop.id, 1))?.reveal()).toBe(TOKEN);
  });

  it("trims a pasted token and refuses one with a space inside, in words and without repeating it", async () => {
    const { destinations } = createWorld();
    const { id } = await destinations.create("acme", { name: "Shop" });
    const saved = await destinations.update("acme", id, { conversionsToken: `  ${TOKEN}\n` });
    expect(saved.conversionsToken).toEqual({ masked: "…3f9a", status: "unconfirmed" });
    const refused = destinations.update("acme", id, { conversionsToken: "half-of-a token-canary" });
    await expect(refused).rejects.toEqual(code("conversions_token_malformed"));
    await expect(refused).rejects.not.toThrow(/canary/);
  });

  it("lets one of two admins lose with version_conflict and merges changes that name no version", async () => {
    const { destinations } = createWorld();
    const { id, version } = await destinations.create("acme", { name: "Shop" });
    const results = await Promise.allSettled([
      destinations.update("acme", id, { name: "A" }, { expectedVersion: version }),
      destinations.update("acme", id, { serverSide: false }, { expectedVersion: version }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")).toMatchObject({
      reason: { code: "version_conflict" },
    });
    await Promise.all([
      destinations.update("acme", id, { name: "B" }),
      destinations.update("acme", id, { settings: { defaultCountry: "GB" } }),
    ]);
    expect(await destinations.get("acme", id)).toMatchObject({ name: "B", settings: { defaultCountry: "GB" } });
  });

  it.each([
    [{ adAccountId: "unknown" }, "ad_account_not_offered", /not among those/],
    [{ adAccountId: "paused" }, "ad_account_not_available", /Northwind old.*paused/],
    [{ adAccountId: ACCOUNT, pixelId: PIXEL_2 }, "pixel_of_other_ad_account", /Northwind DE.*Northwind UK/],
    [{ organizationId: ORG, pixelId: OTHER_PIXEL }, "pixel_of_other_organization", /Contoso/],
    [{ organizationId: OTHER_ORG, adAccountId: ACCOUNT }, "ad_account_of_other_organization", /Northwind Retail/],
    [{ organizationId: "unknown" }, "organization_not_offered", /business/],
    [{ pixelId: "unknown" }, "pixel_not_offered", /Snap Pixel/],
    [{ organizationId: OTHER_ORG, mobileAppId: APP }, "mobile_app_not_offered", /app/],
    [{ pixelId: "not an id" }, "id_invalid", /pixelId/],
    [{ name: "" }, "name_invalid", /name/],
    [{ workflow: {} }, "workflow_invalid", /rules/],
    [{ settings: { defaultCountry: "gb" } }, "settings_invalid", /settings\.defaultCountry/],
    [{ pixel: PIXEL } as object, "field_unknown", /no field `pixel`/],
    [{ "jane@example.com": 1 } as object, "field_unknown", /^A destination has no field of that name\.$/],
  ])("refuses %j with %s and saves nothing", async (patch, expected, words) => {
    const { destinations, signIn } = createWorld();
    const { id } = await destinations.create("acme", { name: "Shop" });
    const before = await destinations.connect("acme", id, signIn("acme"));
    const refused = destinations.update("acme", id, patch);
    await expect(refused).rejects.toEqual(code(expected));
    await expect(refused).rejects.toThrow(words);
    expect(await destinations.get("acme", id)).toEqual(before);
  });

  it("says what is missing before it can be enabled", async () => {
    const { destinations } = createWorld();
    const { id } = await destinations.create("acme", { name: "Shop" });
    await expect(destinations.enable("acme", id)).rejects.toThrow(
      "a Snap Pixel to send to and a sign-in at Snapchat or a Conversions API token",
    );
    await destinations.update("acme", id, { pixelId: PIXEL });
    await expect(destinations.enable("acme", id)).rejects.toThrow(
      "It lacks a sign-in at Snapchat or a Conversions API token.",
    );
    await destinations.update("acme", id, { conversionsToken: TOKEN });
    expect(await destinations.enable("acme", id)).toMatchObject({ enabled: true });
  });
});
