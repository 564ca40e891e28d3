import type { Clock } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import type { SimulatorOptions } from "snapchat-destination/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { NO_LIMITS, openSnapchat, purchase, shopWorkflow, signIn } from "../snapchat/shop.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const CALLBACK = "http://127.0.0.1:8080/snapchat/callback";

async function host(options: Parameters<typeof openSnapchat>[0] = {}, ...given: [string?, SimulatorOptions?]) {
  const opened = await openSnapchat({ limits: NO_LIMITS, ...options }, ...given);
  opened.simulator.knobs.rateLimits = false;
  closing.push(
    () => opened.simulator.close(),
    () => opened.snapchat.close(),
  );
  const acme = opened.snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Shop" });
  return { ...opened, acme, id };
}

type Host = Awaited<ReturnType<typeof host>>;

const problems = async ({ acme, id }: Host) =>
  (await acme.preflight(id)).lines.filter(({ status }) => status === "problem").map(({ code }) => code);

/** Every account of a tree, by name. */
async function accountsOf({ acme, id }: Host) {
  const { organizations } = await acme.accounts.tree(id);
  return new Map(organizations.flatMap(({ adAccounts }) => adAccounts).map((account) => [account.name, account]));
}

describe("an OAuth app that does not fit", () => {
  it("with keys of Login Kit ends in words that say where the right ones are, and stores nothing", async () => {
    const login = { clientId: "login-kit-client", clientSecret: "login-kit-secret", redirectUri: CALLBACK };
    const shop = await host({ app: login });
    // Snapchat's page knows the client id of a Login Kit app; its token endpoint does not.
    const { url, cookie } = await shop.snapchat.oauth.authorizationUrl({ tenantId: "acme", destinationId: shop.id });
    const state = new URL(url).searchParams.get("state");
    const back = new Request(`${CALLBACK}?code=login-kit-code&state=${state}`, {
      headers: { cookie: cookie?.split(";", 1)[0] ?? "" },
    });
    const response = await shop.snapchat.oauth.callback(back, { authorize: () => true });
    const page = await response.text();
    expect([response.status, page]).toEqual([400, expect.stringContaining("oauth_invalid_client")]);
    expect(page).toMatch(/Business Manager, Business Details, OAuth Apps; keys of Snap Kit or Login Kit do not work/);
    expect((await shop.acme.destinations.get(shop.id)).connection).toBeUndefined();
  });

  it("with a redirect URI that Snapchat does not know leaves the person on Snapchat's page, and nothing behind", async () => {
    const shop = await host();
    shop.simulator.world.redirectUris.clear();
    const target = { tenantId: "acme", destinationId: shop.id };
    const { url } = await shop.snapchat.oauth.authorizationUrl(target);
    const shown = await fetch(url, { redirect: "manual" });
    expect([shown.status, await shown.text()]).toEqual([400, expect.stringContaining("redirect_uri")]);
    expect((await shop.acme.destinations.get(shop.id)).connection).toBeUndefined();
    shop.simulator.world.redirectUris.add(CALLBACK);
    await signIn(shop, "acme", shop.id);
    expect((await shop.acme.destinations.get(shop.id)).connection).toMatchObject({ status: "connected" });
  });
});

describe("a person who cannot do it", () => {
  it("without any role reaches no ad account, is told so, and can be followed by one who has", async () => {
    const shop = await host();
    shop.simulator.control.addPerson("eve");
    await signIn(shop, "acme", shop.id, "eve");
    expect((await shop.acme.accounts.tree(shop.id)).organizations).toEqual([]);
    expect(await problems(shop)).toEqual(["no_ad_account"]);
    const { adAccount } = shop.simulator.world.main;
    await expect(shop.acme.destinations.update(shop.id, { adAccountId: adAccount.id })).rejects.toMatchObject({
      code: "ad_account_not_offered",
      kind: "fix_configuration",
    });
    await signIn(shop, "acme", shop.id);
    expect(await shop.acme.destinations.update(shop.id, { adAccountId: adAccount.id })).toMatchObject({
      adAccountId: adAccount.id,
    });
  });

  it("in a business without an ad account is told what to do", async () => {
    const shop = await host();
    const { control } = shop.simulator;
    control.addPerson("eve");
    control.addOrganization({ name: "Empty Ltd", roles: { eve: ["admin"] } });
    await signIn(shop, "acme", shop.id, "eve");
    const { organizations } = await shop.acme.accounts.tree(shop.id);
    expect(organizations).toMatchObject([
      { name: "Empty Ltd", available: false, why: expect.stringMatching(/no ad account/) },
    ]);
    expect(await problems(shop)).toEqual(["no_ad_account"]);
  });

  it("with a role that is too small is refused the account, with the role to ask for", async () => {
    const shop = await host();
    const { control, world } = shop.simulator;
    control.addPerson("eve");
    control.setRoles("eve", world.main.organization.id, ["member"]);
    control.setRoles("eve", world.main.adAccount.id, ["reports"]);
    await signIn(shop, "acme", shop.id, "eve");
    const account = (await accountsOf(shop)).get(world.main.adAccount.name);
    expect(account).toMatchObject({ available: false, why: expect.stringMatching(/Data Analyst.*Data Manager/) });
    await expect(
      shop.acme.destinations.update(shop.id, { adAccountId: world.main.adAccount.id }),
    ).rejects.toMatchObject({ code: "ad_account_not_available", message: expect.stringMatching(/Data Analyst/) });
  });
});

describe("an account that is not what it should be", () => {
  it("that is paused may not be chosen; paused later, preflight says so and events go on", async () => {
    const shop = await host();
    const { control, world, inspect } = shop.simulator;
    const { adAccount, pixel, conversionsToken } = world.main;
    await signIn(shop, "acme", shop.id);
    control.setAdAccountStatus(adAccount.id, "PAUSED");
    const chosen = { adAccountId: adAccount.id, pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() };
    await expect(shop.acme.destinations.update(shop.id, chosen)).rejects.toMatchObject({
      code: "ad_account_not_available",
      message: expect.stringMatching(/paused/),
    });
    control.setAdAccountStatus(adAccount.id, "ACTIVE");
    await shop.acme.destinations.update(shop.id, chosen);
    await shop.acme.destinations.enable(shop.id);
    control.setAdAccountStatus(adAccount.id, "PAUSED");
    expect(await problems(shop)).toEqual(["ad_account_not_active"]);
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 5_000 });
    expect(inspect.events.counted).toBe(1);
  });

  it("with a pixel of another organization is refused by name, and the old choice stays", async () => {
    const shop = await host();
    const { control, world } = shop.simulator;
    const { adAccount, pixel, organization, person } = world.main;
    await signIn(shop, "acme", shop.id);
    const before = { organizationId: organization.id, adAccountId: adAccount.id, pixelId: pixel.id };
    await shop.acme.destinations.update(shop.id, before);
    const other = control.addOrganization({
      name: "Contoso",
      roles: { [person.name]: ["admin"] },
      adAccounts: [{ name: "Contoso US", pixels: ["US"] }],
    });
    const theirs = world.pixels.find(({ organizationId }) => organizationId === other.id);
    await expect(shop.acme.destinations.update(shop.id, { pixelId: theirs?.id ?? "" })).rejects.toMatchObject({
      code: "pixel_of_other_organization",
      message: expect.stringContaining("Contoso"),
    });
    expect(await shop.acme.destinations.get(shop.id)).toMatchObject(before);
  });
});

describe("a Conversions token with white space", () => {
  it("around it is trimmed, inside it is refused without being repeated", async () => {
    const shop = await host();
    const { conversionsToken, pixel } = shop.simulator.world.main;
    const pasted = { pixelId: pixel.id, conversionsToken: `\u00a0\n\t ${conversionsToken} \r\n` };
    expect((await shop.acme.destinations.update(shop.id, pasted)).conversionsToken?.status).toBe("accepted");
    const broken = `${conversionsToken.slice(0, 40)}\n${conversionsToken.slice(40)}`;
    const error = await shop.acme.destinations.update(shop.id, { conversionsToken: broken }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "conversions_token_malformed", kind: "fix_configuration" });
    expect(JSON.stringify(error)).not.toContain(conversionsToken.slice(0, 20));
    expect((await shop.acme.destinations.get(shop.id)).conversionsToken?.status).toBe("accepted");
  });
});

describe("a host whose clock is wrong by a day", () => {
  it.each([1, -1])("(%i day) signs in, keeps its token, and sends by the storage engine's clock", async (days) => {
    const right = Date.now.bind(Date);
    const shop = await host({ storage: memory({ clock: { now: right } }) }, CALLBACK, { clock: { now: right } });
    const wrong = vi.spyOn(Date, "now").mockImplementation(() => right() + days * 86_400_000);
    closing.push(async () => wrong.mockRestore());
    const { simulator, acme, id } = shop;
    await signIn(shop, "acme", id);
    await acme.accounts.me(id);
    await acme.accounts.me(id);
    const asked = simulator.inspect.requests.filter(({ area, method }) => area === "accounts" && method === "POST");
    expect(asked).toHaveLength(1);
    const { pixel, conversionsToken } = simulator.world.main;
    await acme.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() });
    await acme.destinations.enable(id);
    const event = { ...purchase("a"), timestamp: new Date(right()).toISOString() };
    expect(await acme.track([event])).toMatchObject([{ status: "queued" }]);
    await shop.snapchat.drain({ maxMs: 5_000 });
    expect(simulator.inspect.events.counted).toBe(1);
  });

  it("is believed where it brings a clock of its own, an object of a class too", async () => {
    class HostClock implements Clock {
      readonly #ahead = 86_400_000;
      now() {
        return Date.now() + this.#ahead;
      }
      monotonic() {
        return performance.now();
      }
      sleep(ms: number, signal?: AbortSignal) {
        return systemClock.sleep(ms, signal);
      }
    }
    const { acme, id, simulator } = await host({ clock: new HostClock() });
    const { pixel, conversionsToken } = simulator.world.main;
    await acme.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() });
    await acme.destinations.enable(id);
    const tomorrow = { ...purchase("a"), timestamp: new Date(Date.now() + 86_400_000).toISOString() };
    expect(await acme.track([tomorrow])).toMatchObject([{ status: "queued" }]);
  });
});
