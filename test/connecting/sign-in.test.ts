import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSnapchat, signIn } from "../snapchat/shop.ts";
import { densest } from "./densest.ts";

type Opened = Awaited<ReturnType<typeof openSnapchat>>;

const CALLBACK = "http://127.0.0.1:8080/snapchat/callback";
let shop: Opened;
let id: string;
beforeEach(async () => {
  shop = await openSnapchat();
  id = (await shop.snapchat.tenant("acme").destinations.create({ name: "Shop" })).id;
});
afterEach(async () => {
  await shop.snapchat.close();
  await shop.simulator.close();
});

const auditOf = async () => (await shop.snapchat.tenant("acme").audit.list({ destinationId: id })).items;
const pair = (cookie: string | undefined) => cookie?.split(";", 1)[0] ?? "";

describe("who connected a destination", () => {
  it("is in the audit trail as the host says, and as Snapchat's id of the person where it says nothing", async () => {
    const { snapchat, simulator } = shop;
    await signIn(shop, "acme", id);
    const { url, cookie } = await snapchat.oauth.authorizationUrl({ tenantId: "acme", destinationId: id });
    const back = new Request(simulator.consent(url), { headers: { cookie: pair(cookie) } });
    await snapchat.oauth.callback(back, { authorize: () => true, actor: "user-7" });
    const lines = (await auditOf()).filter(({ action }) => action === "destination.connected");
    const { person } = simulator.world.main;
    expect(lines.map(({ actor }) => actor)).toEqual([`snapchat:${person.id}`, "user-7"]);
    const said = JSON.stringify(await auditOf());
    expect(said).not.toContain(person.email);
    expect(said).not.toContain(person.displayName);
  });
});

describe("a host that answers by itself", () => {
  it("gets an address and a cookie, finishes, and a renewed login takes the place of the old one", async () => {
    const { snapchat, simulator } = shop;
    const ids: string[] = [];
    for (const replaced of ["new", "same_person"]) {
      const { url, cookie } = await snapchat.oauth.authorizationUrl({ tenantId: "acme", destinationId: id });
      const request = new Request(simulator.consent(url), { headers: { cookie: pair(cookie) } });
      const connected = await snapchat.oauth.finish(request, { authorize: () => true });
      expect(connected).toMatchObject({ tenantId: "acme", destinationId: id, connection: { replaced } });
      ids.push(connected.connection.id);
    }
    expect(ids[0]).toBe(ids[1]);
    expect(await snapchat.tenant("acme").destinations.get(id)).toMatchObject({ connection: { id: ids[0] } });
  });

  it("cannot begin a sign-in for another tenant's destination", async () => {
    const foreign = { tenantId: "evil", destinationId: id };
    await expect(shop.snapchat.oauth.authorizationUrl(foreign)).rejects.toMatchObject({ code: "not_found" });
    await expect(shop.snapchat.oauth.connect(new Request(CALLBACK), foreign)).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("several OAuth apps", () => {
  it("each sign in with their own, and a login is refreshed and renewed with the app that it was made with", async () => {
    const second = await openSnapchat();
    const { simulator } = second;
    await second.snapchat.close();
    const eu = simulator.control.addApp({ name: "EU", redirectUris: [CALLBACK] });
    const { clientId, clientSecret } = simulator.world;
    const { createSnapchat } = await import("snapchat-destination");
    const { memory } = await import("snapchat-destination/memory");
    const snapchat = createSnapchat({
      apps: {
        default: { clientId, clientSecret, redirectUri: CALLBACK },
        eu: { clientId: eu.clientId, clientSecret: eu.clientSecret, redirectUri: CALLBACK },
      },
      storage: memory(),
      acceptLoss: true,
      encryptionKeys: [Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")],
      endpoints: simulator.endpoints,
      allowEndpoints: [simulator.url],
    });
    const acme = snapchat.tenant("acme");
    const { id } = await acme.destinations.create({ name: "EU shop" });
    const target = { tenantId: "acme", destinationId: id };
    const clientOf = (url: string) => new URL(url).searchParams.get("client_id");

    const { url, cookie } = await snapchat.oauth.authorizationUrl({ ...target, appId: "eu" });
    expect(clientOf(url)).toBe(eu.clientId);
    const back = new Request(simulator.consent(url), { headers: { cookie: pair(cookie) } });
    await snapchat.oauth.finish(back, { authorize: () => true });
    // Refused, it is refreshed: the default app's secret could not do that.
    simulator.control.revokeAccessTokens();
    expect(await acme.accounts.me(id)).toMatchObject({ id: simulator.world.main.person.id });
    expect(clientOf((await snapchat.oauth.authorizationUrl(target)).url)).toBe(eu.clientId);
    await expect(snapchat.oauth.authorizationUrl({ ...target, appId: "us" })).rejects.toMatchObject({
      code: "oauth_app_unknown",
      kind: "fix_configuration",
    });
    await snapchat.close();
    await simulator.close();
  });
});

describe("what the signed-in person reaches", () => {
  it("is walked page by page, with a login that is refreshed where Snapchat refuses its token", async () => {
    const { simulator, snapchat } = shop;
    await signIn(shop, "acme", id);
    const { accounts } = snapchat.tenant("acme");
    simulator.control.revokeAccessTokens();
    const organizations = await Array.fromAsync(accounts.organizations(id));
    const organizationId = simulator.world.main.organization.id;
    expect(organizations.map((organization) => organization.id)).toContain(organizationId);
    const { adAccount, pixel, mobileApp } = simulator.world.main;
    for (let i = 0; i < 60; i += 1) simulator.control.addPixel(adAccount.id, `Pixel ${i}`);
    const pages = await Array.fromAsync(accounts.pixels(id, { organizationId }, { pageSize: 50 }).pages());
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ items }) => items).map((item) => item.id)).toContain(pixel.id);
    const ids = async (list: AsyncIterable<{ id: string }>) => (await Array.fromAsync(list)).map((item) => item.id);
    expect(await ids(accounts.adAccounts(id, { organizationId }))).toContain(adAccount.id);
    expect(await ids(accounts.mobileApps(id, { organizationId }))).toContain(mobileApp.id);
  });

  it("is not asked for before somebody signed in", async () => {
    const { accounts } = shop.snapchat.tenant("acme");
    const unsigned = { code: "not_connected", kind: "fix_configuration" };
    await expect(accounts.me(id)).rejects.toMatchObject(unsigned);
    await expect(Array.fromAsync(accounts.organizations(id))).rejects.toMatchObject(unsigned);
  });
});

describe("several people before their settings pages at once", () => {
  it("ask no denser than Snapchat allows a login, together", async () => {
    // When requests leave: how close together they arrive is the machine's doing.
    const left: number[] = [];
    const fetching = (request: Request) => {
      if (request.headers.get("authorization")?.startsWith("Bearer")) left.push(performance.now());
      return fetch(request);
    };
    const counted = await openSnapchat({ fetch: fetching }, undefined, { knobs: { rateLimits: false } });
    try {
      const { accounts, destinations } = counted.snapchat.tenant("acme");
      const shopId = (await destinations.create({ name: "Shop" })).id;
      await signIn(counted, "acme", shopId);
      await Promise.all([accounts.tree(shopId), accounts.tree(shopId), accounts.tree(shopId)]);
      expect(left.length).toBeGreaterThan(20);
      // Ten; a busy machine may hold a request for a moment between its slot and its leaving.
      expect(densest(left, 1_000)).toBeLessThanOrEqual(12);
    } finally {
      await counted.snapchat.close();
      await counted.simulator.close();
    }
  });
});
