import { randomBytes } from "node:crypto";
import {
  createSnapchat,
  definePlugin,
  presets,
  type SnapchatOptions,
  setToggle,
  type Tenant,
} from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
import { describe, expect, it } from "vitest";
import { shiftedClock } from "./shifted-clock.ts";
import { entered, purchase, signIn } from "./shop.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** One organization: reading the accounts then takes no pause for Snapchat's rate. */
const NORTHWIND = {
  name: "Northwind",
  adAccounts: [
    { name: "Northwind UK", pixels: ["shop.example"] },
    { name: "Northwind DE", pixels: ["shop.example/de"] },
  ],
  roles: { ada: ["admin"] },
  adAccountRoles: { "Northwind UK": { ada: ["admin"] }, "Northwind DE": { ada: ["admin"] } },
};
const CONTOSO = { name: "Contoso" };
const REDIRECT_URI = "http://127.0.0.1:8080/snapchat/callback";

/** A shop where everything is as it should be, with a morning's purchases delivered. */
async function healthyShop(onTestFinished: (close: () => Promise<void>) => void, sales = 8) {
  const clock = shiftedClock();
  const ours = shiftedClock(clock);
  const simulator = await createSimulator({ clock, people: ["ada"], organizations: [NORTHWIND, CONTOSO] });
  simulator.world.redirectUris.add(REDIRECT_URI);
  const { clientId, clientSecret, main } = simulator.world;
  const storage = memory({ clock });
  const options: SnapchatOptions = {
    app: { clientId, clientSecret, redirectUri: REDIRECT_URI },
    storage,
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    integration: "acme-cdp",
    delivery: { lingerMs: 0, memberLingerMs: 0 },
    clock: ours,
  };
  const snapchat = createSnapchat(options);
  onTestFinished(async () => {
    await snapchat.close();
    await simulator.close();
  });
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Snapchat" });
  await signIn({ simulator, snapchat }, "acme", id);
  await acme.destinations.update(id, {
    organizationId: main.organization.id,
    adAccountId: main.adAccount.id,
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    workflow: workflow(),
  });
  await acme.destinations.enable(id);
  const shop = { clock, ours, simulator, snapchat, options, acme, id };
  if (sales > 0) await sell(shop, sales);
  return shop;
}
type Shop = Awaited<ReturnType<typeof healthyShop>>;

const workflow = (options: Parameters<typeof presets.customerlabs>[0] = { defaultCountry: "GB" }) => {
  const made = presets.customerlabs(options);
  return setToggle(setToggle(made, "Purchased", { server: true }), "added_to_segment", { server: true });
};

let sold = 0;
async function sell(
  { acme, snapchat, clock }: Pick<Shop, "acme" | "snapchat" | "clock">,
  count: number,
  change: (event: Record<string, unknown>, custom: Record<string, unknown>) => void = () => {},
) {
  const events = Array.from({ length: count }, () => {
    const event = purchase(`sale-${++sold}`);
    event.timestamp = new Date(clock.now()).toISOString();
    change(event, event.customProperties as Record<string, unknown>);
    return event;
  });
  await acme.track(events, { receivedAt: clock.now() });
  await snapchat.drain({ maxMs: 10_000 });
}

/** Codes of the lines that are not fine. */
async function wrong({ acme, id }: { acme: Tenant; id: string }): Promise<string[]> {
  const { lines } = await acme.verify(id);
  return [...new Set(lines.filter(({ status }) => status !== "ok").map(({ code }) => code))].sort();
}

const refused = { status: "INVALID", reason: "Refused", error_records: [{ error_code: "E1" }] };

/** What is planted, and the codes that verify is to answer: these and no others. */
const FAULTS: Record<string, { plant: (shop: Shop) => Promise<unknown> | unknown; codes: string[] }> = {
  "a wrong pixel": {
    plant: ({ simulator: { world } }) => world.pixels.splice(world.pixels.indexOf(world.main.pixel), 1),
    codes: ["pixel_not_visible"],
  },
  "a pixel of another ad account": {
    plant: ({ simulator: { world } }) => {
      const other = world.adAccounts.find(({ name }) => name === "Northwind DE");
      Object.assign(world.main.pixel, { adAccountId: other?.id });
    },
    codes: ["pixel_of_other_ad_account"],
  },
  "no pixel in the ad account": {
    async plant({ simulator: { world }, acme, id }) {
      await acme.destinations.update(id, { pixelId: null });
      world.pixels.splice(world.pixels.indexOf(world.main.pixel), 1);
    },
    codes: ["ad_account_without_pixel"],
  },
  "a token of another organization": {
    async plant({ simulator: { control, world }, acme, clock, id }) {
      const other = world.organizations.find(({ name }) => name === "Contoso");
      const { token } = control.addConversionsToken(other?.id ?? "");
      await acme.destinations.update(id, { conversionsToken: token });
      clock.advance(3 * HOUR_MS);
    },
    codes: ["token_refused"],
  },
  "a token that Snapchat does not take yet": {
    async plant({ simulator: { control, knobs, world }, acme, id }) {
      knobs.conversionsTokenRefusedMs = HOUR_MS;
      const { token } = control.addConversionsToken(world.main.organization.id);
      await acme.destinations.update(id, { conversionsToken: token });
    },
    codes: ["token_unconfirmed"],
  },
  "a revoked login": {
    async plant({ simulator: { control }, acme, snapchat, clock, id }) {
      control.revokeAccessTokens();
      control.revokeRefreshTokens();
      await acme.track([entered("vip")], { receivedAt: clock.now() });
      await snapchat.drain({ maxMs: 5_000 });
      void id;
    },
    codes: ["login_lost"],
  },
  "a scope missing": {
    plant: ({ simulator, snapchat, id }) =>
      signIn({ simulator, snapchat }, "acme", id, undefined, "snapchat-offline-conversions-api"),
    codes: ["scope_missing"],
  },
  "a role missing": {
    plant({ simulator: { control, world } }) {
      control.setRoles("ada", world.main.organization.id, ["member"]);
      control.setRoles("ada", world.main.adAccount.id, ["reports"]);
    },
    codes: ["role_missing"],
  },
  "a paused account": {
    plant: ({ simulator: { control, world } }) => control.setAdAccountStatus(world.main.adAccount.id, "PAUSED"),
    codes: ["ad_account_not_active"],
  },
  "two destinations on one pixel": {
    async plant({ acme, simulator: { world } }) {
      const { id } = await acme.destinations.create({ name: "Again" });
      const { pixel, conversionsToken } = world.main;
      await acme.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: workflow() });
      await acme.destinations.enable(id);
    },
    codes: ["pixel_shared"],
  },
  "test mode left on": {
    plant: ({ acme, id }) => acme.destinations.update(id, { settings: { testEventCode: "TRY-1" } }),
    codes: ["test_mode_on"],
  },
  "serverSide off with toggles on": {
    plant: ({ acme, id }) => acme.destinations.update(id, { serverSide: false }),
    codes: ["server_side_off"],
  },
  "a clock wrong by a day": { plant: ({ ours }) => ours.advance(-DAY_MS), codes: ["clock_wrong"] },
  "times a day ahead": {
    plant: (shop) => sell(shop, 8, (event) => Object.assign(event, { timestamp: shop.clock.now() + DAY_MS })),
    codes: ["event_in_future"],
  },
  "times in milliseconds, which are understood": {
    plant: (shop) => sell(shop, 8, (event) => Object.assign(event, { timestamp: shop.clock.now() })),
    codes: [],
  },
  "dead letters": {
    async plant(shop) {
      shop.simulator.faults.add({ area: "conversions", status: 400, body: refused, count: 1 });
      await sell(shop, 1);
    },
    codes: ["dead_letters"],
  },
  "no identifiers": {
    plant: (shop) => sell(shop, 8, (_, custom) => Object.assign(custom, { user_traits: {} })),
    codes: ["identifiers_missing"],
  },
  "currency missing": {
    plant: (shop) => sell(shop, 8, (_, custom) => Object.assign(custom, { currency: undefined })),
    codes: ["currency_missing"],
  },
  "order id missing": {
    plant: (shop) => sell(shop, 20, (_, custom) => Object.assign(custom, { order_id: undefined })),
    codes: ["order_id_missing"],
  },
  "event ids used again": {
    async plant(shop) {
      for (const value of [20, 3_000]) {
        let n = 0;
        await sell(shop, 40, (event, custom) => {
          Object.assign(event, { event_id: `again-${n}` });
          Object.assign(custom, { value, order_id: `O-${value}-${n++}` });
        });
      }
    },
    codes: ["event_ids_reused"],
  },
  "national phones without a default country": {
    async plant(shop) {
      await shop.acme.destinations.update(shop.id, { workflow: workflow({}) });
      await sell(shop, 8, (_, custom) =>
        Object.assign(custom, { user_traits: { email: "jo@example.com", phone: "020 7946 0958" } }),
      );
    },
    codes: ["phone_without_country"],
  },
  "a consent name mistyped": {
    async plant(shop) {
      shop.clock.advance(30 * HOUR_MS);
      const consent = { names: ["ad_storrage"], absent: "deny" as const };
      await shop.acme.destinations.update(shop.id, { workflow: workflow({ defaultCountry: "GB", consent }) });
      await sell(shop, 8, (event) => Object.assign(event, { consent: { ad_storage: "granted" } }));
    },
    codes: ["consent_never_given"],
  },
  "a renamed event": {
    async plant(shop) {
      shop.clock.advance(30 * HOUR_MS);
      await sell(shop, 8, (event) => Object.assign(event, { event: "Order Placed" }));
    },
    codes: ["event_renamed"],
  },
  "a segment deleted in Ads Manager": {
    async plant({ acme, snapchat, simulator, clock }) {
      await acme.track([entered("vip")], { receivedAt: clock.now() });
      await snapchat.drain({ maxMs: 5_000 });
      simulator.control.deleteSegment(simulator.inspect.segments()[0]?.id ?? "");
      await acme.track([entered("vip", "ann@example.com")], { receivedAt: clock.now() });
      await snapchat.drain({ maxMs: 5_000 });
    },
    codes: ["segment_deleted"],
  },
  "a segment too small": {
    async plant({ acme, snapchat, clock }) {
      await acme.track([entered("vip")], { receivedAt: clock.now() });
      await snapchat.drain({ maxMs: 5_000 });
      clock.advance(5 * HOUR_MS);
    },
    codes: ["segment_too_small"],
  },
  "the worker not running": {
    async plant({ acme, clock }) {
      const event = purchase("waits");
      await acme.track([event], { receivedAt: clock.now() });
      clock.advance(30 * 60_000);
    },
    codes: ["queue_late"],
  },
};

describe("verify", () => {
  it.concurrent("finds nothing to say about a shop where everything is fine", async ({ onTestFinished }) => {
    const shop = await healthyShop(onTestFinished);
    const report = await shop.acme.verify(shop.id);
    expect(report.lines.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(report).toMatchObject({ ok: true, queue: { waiting: 0 }, snapchat: { domains: [{ events: 8 }] } });
    expect(report.signals.events).toMatchObject([{ event: "PURCHASE", accepted: 8, delivered: 8, deduplicable: 1 }]);
    expect(report.markdown().split("\n")).toHaveLength(report.lines.length + 2);
  });

  it.concurrent("says why Snapchat has seen nothing: what was offered was rejected", async ({ onTestFinished }) => {
    const shop = await healthyShop(onTestFinished, 0);
    await sell(shop, 3, (_, custom) => Object.assign(custom, { currency: "pounds" }));
    const { lines } = await shop.acme.verify(shop.id);
    expect(lines.find(({ code }) => code === "no_live_event")).toMatchObject({
      message: expect.stringMatching(/Rejected: 3 for currency_unreadable\. .* three-letter code/),
      fix: "Use ISO 4217.",
    });
  });

  for (const [fault, { plant, codes }] of Object.entries(FAULTS)) {
    it.concurrent(`names ${fault}, and only it`, async ({ onTestFinished }) => {
      const shop = await healthyShop(onTestFinished);
      await plant(shop);
      expect(await wrong(shop)).toEqual(codes);
    });
  }

  it.concurrent("names a sealing key that is gone, and only it", async ({ onTestFinished }) => {
    const { options, id } = await healthyShop(onTestFinished);
    const snapchat = createSnapchat({ ...options, encryptionKeys: [randomBytes(32).toString("base64")] });
    expect(await wrong({ acme: snapchat.tenant("acme"), id })).toEqual(["encryption_key_gone"]);
  });

  it.concurrent("says it in the host's own words, where a plugin has some", async ({ onTestFinished }) => {
    const { options, id } = await healthyShop(onTestFinished);
    const german = definePlugin({
      name: "german",
      messages: (code) => (code === "login" ? "Bei Snapchat angemeldet." : undefined),
    });
    const snapchat = createSnapchat({ ...options, plugins: [german] });
    const { lines } = await snapchat.tenant("acme").verify(id);
    expect(lines.find(({ code }) => code === "login")?.message).toBe("Bei Snapchat angemeldet.");
    expect(lines.find(({ code }) => code === "scopes")?.message).toBe(
      "The sign-in allows managing ads and sending conversions.",
    );
  });
});
