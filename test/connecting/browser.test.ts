import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Snapchat, Tenant } from "snapchat-destination";
import { toNodeHandler } from "snapchat-destination/auth";
import type { Simulator } from "snapchat-destination/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { installed, serviceUrl } from "../services.ts";
import { openSnapchat } from "../snapchat/shop.ts";

const executablePath = await serviceUrl("chromium");
// A cookie with `__Host-` exists on https only, so the host has a certificate of its own.
const openssl = installed("openssl");

const folder = mkdtempSync(join(tmpdir(), "host-"));
let browser: Browser;
beforeAll(async () => {
  if (!executablePath || !openssl) return;
  const request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1";
  execFileSync(openssl, [...request.split(" "), "-keyout", "key.pem", "-out", "cert.pem"], {
    cwd: folder,
    stdio: "ignore",
  });
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

let server: Server;
let simulator: Simulator;
let snapchat: Snapchat;
let acme: Tenant;
let id: string;
let origin: string;

/** The host: ten lines, and a page with three dropdowns. */
function host(): Hono {
  const app = new Hono();
  app.get("/connect", (c) =>
    snapchat.oauth.connect(c.req.raw, { tenantId: "acme", destinationId: id, returnTo: "/settings" }),
  );
  app.get("/callback", (c) => snapchat.oauth.callback(c.req.raw, { authorize: () => true }));
  app.get("/choose", async (c) => {
    await acme.destinations.update(id, c.req.query());
    return c.redirect("/settings");
  });
  app.get("/settings", async (c) => c.html(await settings(c.req.query("snapchat_error"))));
  return app;
}

async function settings(error: string | undefined): Promise<string> {
  const { connection, organizationId, adAccountId, pixelId } = await acme.destinations.get(id);
  if (!connection) return `<p id="error">${error ?? ""}</p><a href="/connect">Authenticate Snapchat</a>`;
  const { organizations } = await acme.accounts.tree(id);
  const accounts = organizations.flatMap((organization) => organization.adAccounts);
  const options = (rows: readonly { id: string; name: string; available: boolean; why?: string }[]) =>
    rows.map(
      (row) =>
        `<option value="${row.id}" title="${row.why ?? ""}"${row.available ? "" : " disabled"}>${row.name}</option>`,
    );
  return `<p id="person">${connection.person}</p><form action="/choose">
<select name="organizationId">${options(organizations)}</select>
<select name="adAccountId">${options(accounts)}</select>
<select name="pixelId">${options(accounts.flatMap(({ pixels }) => pixels))}</select>
<button>Save</button></form><p id="chosen">${organizationId} ${adAccountId} ${pixelId}</p>`;
}

beforeEach(async () => {
  if (!browser) return;
  const tls = { key: readFileSync(join(folder, "key.pem")), cert: readFileSync(join(folder, "cert.pem")) };
  const handler = toNodeHandler((request) => app.fetch(request));
  const app = host();
  server = createServer(tls, (incoming, outgoing) => void handler(incoming, outgoing));
  await once(server.listen(0, "127.0.0.1"), "listening");
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ({ simulator, snapchat } = await openSnapchat({}, `${origin}/callback`));
  acme = snapchat.tenant("acme");
  id = (await acme.destinations.create({ name: "Shop" })).id;
});
afterEach(async () => {
  if (!browser) return;
  server.closeAllConnections();
  server.close();
  await snapchat.close();
  await simulator.close();
});

async function visit(): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(`${origin}/settings`);
  return page;
}

/** From the host's page through Snapchat's two. */
async function clickThrough(page: Page, decision: "Allow" | "Deny", person = simulator.world.main.person.name) {
  await page.getByRole("link", { name: "Authenticate Snapchat" }).click();
  await page.getByLabel("Username").selectOption(person);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: decision }).click();
}

describe.skipIf(!executablePath || !openssl)("a marketer in Chromium", () => {
  it("signs in, allows, comes back and chooses in three dropdowns", async () => {
    const page = await visit();
    await page.getByRole("link", { name: "Authenticate Snapchat" }).click();
    const [bound] = await page.context().cookies(origin);
    expect(bound).toMatchObject({ secure: true, httpOnly: true, sameSite: "Lax", path: "/" });
    expect(bound?.name).toMatch(/^__Host-snapchat_sign_in_/);
    await page.goto(`${origin}/settings`);

    await clickThrough(page, "Allow");
    await page.waitForURL(`${origin}/settings?snapchat=connected`);
    expect(await page.textContent("#person")).toBe(simulator.world.main.person.displayName);
    // The finished sign-in's cookie is gone; that of the one begun before, in another tab as it were, is still good.
    expect((await page.context().cookies(origin)).map(({ name }) => name)).toEqual([bound?.name]);

    const { organization, adAccount, pixel } = simulator.world.main;
    await page.locator("[name=organizationId]").selectOption(organization.id);
    await page.locator("[name=adAccountId]").selectOption(adAccount.id);
    await page.locator("[name=pixelId]").selectOption(pixel.id);
    await page.getByRole("button", { name: "Save" }).click();
    await page.waitForURL(`${origin}/settings`);
    expect(await page.textContent("#chosen")).toBe(`${organization.id} ${adAccount.id} ${pixel.id}`);
    expect(await acme.destinations.get(id)).toMatchObject({ adAccountId: adAccount.id, pixelId: pixel.id });
  });

  it("sees what may not be chosen, and why", async () => {
    const { organization } = simulator.world.main;
    simulator.control.addAdAccount(organization.id, { name: "Last year", status: "PAUSED" });
    const page = await visit();
    await clickThrough(page, "Allow");
    await page.waitForURL(`${origin}/settings?snapchat=connected`);
    const paused = page.locator("option", { hasText: "Last year" });
    expect(await paused.isDisabled()).toBe(true);
    expect(await paused.getAttribute("title")).toMatch(/paused in Ads Manager/);
  });

  it("denies, is told so on the host's page, and is not connected", async () => {
    const page = await visit();
    await clickThrough(page, "Deny");
    await page.waitForURL(/snapchat_error/);
    expect(await page.textContent("#error")).toBe("oauth_access_denied");
    expect((await acme.destinations.get(id)).connection).toBeUndefined();
    await clickThrough(page, "Allow");
    await page.waitForURL(`${origin}/settings?snapchat=connected`);
  });

  it("is kept from finishing what another browser began", async () => {
    const { url } = await snapchat.oauth.authorizationUrl({ tenantId: "acme", destinationId: id });
    const page = await visit();
    await page.goto(simulator.consent(url));
    expect(await page.getByRole("alert").textContent()).toMatch(/oauth_state_foreign/);
    expect((await acme.destinations.get(id)).connection).toBeUndefined();
  });
});
