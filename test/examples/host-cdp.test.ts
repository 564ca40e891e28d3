import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHostCdp } from "../../examples/host-cdp/start.ts";
import { serviceUrl } from "../services.ts";
import { NO_LIMITS } from "../snapchat/shop.ts";

const executablePath = await serviceUrl("chromium");
/** `HOST_CDP_SHOTS=docs/images` keeps pictures of the pages there. */
const shots = process.env.HOST_CDP_SHOTS;

const WIDTHS = [390, 1280];
const AXE = `axe.run(document, { resultTypes: ["violations"], preload: false }).then(({ violations }) => violations)`;

describe.skipIf(!executablePath)("the example host, in Chromium", () => {
  let cdp: Awaited<ReturnType<typeof openHostCdp>>;
  let browser: Browser;
  const errors: string[] = [];

  beforeAll(async () => {
    // Not what is looked at here: dropdowns wait for their turn within a login's ten requests a second.
    cdp = await openHostCdp(0, { limits: NO_LIMITS });
    cdp.simulator.knobs.rateLimits = false;
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: executablePath ?? "", args });
  });
  afterAll(async () => {
    await browser?.close();
    await cdp?.close();
  });

  async function open(url: string): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => errors.push(String(error)));
    // A refused form is answered with 422, which Chromium counts as an error of loading; a broken policy is not that.
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().startsWith("Failed to load")) errors.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  /** Nothing for axe to object to and nothing that scrolls sideways, on a phone and on a desk. */
  async function looksRight(page: Page, name: string): Promise<void> {
    await page.evaluate(axe.source);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 844 });
      if (shots) await page.screenshot({ path: `${shots}/host-cdp-${name}-${width}.png` });
      expect(await page.evaluate("document.documentElement.scrollWidth"), `${name} at ${width}`).toBeLessThanOrEqual(
        width,
      );
      const found = (await page.evaluate(AXE)) as axe.Result[];
      const said = found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      expect(said, `${name} at ${width}`).toEqual([]);
    }
  }

  const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

  it("leads a marketer from the first click to what Snapchat has seen", async () => {
    const { world, inspect } = cdp.simulator;
    const { organization, adAccount, pixel, person, conversionsToken } = world.main;

    const page = await open(cdp.url);
    await looksRight(page, "catalogue");
    await press(page, "Add destination");
    const settings = page.url();
    await page.getByRole("textbox", { name: "Name" }).fill("Snapchat, Acme UK");
    await press(page, "Rename");
    await page.getByRole("heading", { name: "Snapchat, Acme UK" }).waitFor();

    await press(page, "Enable");
    expect(await page.getByRole("alert").textContent()).toMatch(/lacks a Snap Pixel.*Add what is missing/s);
    expect(await page.getByRole("status").count(), "the notice of the rename").toBe(0);
    await looksRight(page, "refused");

    await page.getByRole("link", { name: "Authenticate Snapchat" }).click();
    await page.getByLabel("Username").selectOption(person.name);
    await press(page, "Log in");
    await press(page, "Allow");
    await page.getByText("Connected").waitFor();

    await page.getByLabel("Organization").selectOption(organization.id);
    expect(await page.locator("option", { hasText: "Northwind Spring" }).isDisabled()).toBe(true);
    await page.getByText("What cannot be chosen, and why").click();
    await page.getByText("This ad account is paused in Ads Manager.").waitFor();
    await looksRight(page, "accounts");
    await page.getByLabel("Ad account").selectOption(adAccount.id);
    await page.getByLabel("Snap Pixel").selectOption(pixel.id);
    await press(page, "Save accounts");
    await page.getByText("The accounts are saved.").waitFor();

    await page.getByText("How to: generate the Conversions API token").click();
    await page.getByLabel("Token", { exact: true }).fill(conversionsToken);
    await press(page, "Save token");
    await page.getByText(`…${conversionsToken.slice(-4)}`).waitFor();
    expect(await page.content()).not.toContain(conversionsToken);

    expect(await page.getByRole("switch", { name: "Send events from the server" }).isChecked()).toBe(true);
    await press(page, "Enable");
    await page.getByText("The destination is switched on.").waitFor();
    await looksRight(page, "settings");

    await page.goto(`${settings}/events`);
    await page.getByRole("switch", { name: "Purchased: Server-side" }).check();
    await page.getByRole("switch", { name: "Purchased: Client-side" }).check();
    await page.getByRole("switch", { name: "Person added to a segment: Server-side" }).check();
    await press(page, "Save events");
    await page.getByText("The event list is saved.").waitFor();
    expect(await page.getByRole("switch", { name: "Person removed from a segment: Server-side" }).isChecked()).toBe(
      true,
    );
    await looksRight(page, "events");

    const shop = await open((await page.getByRole("link", { name: /Shop/ }).getAttribute("href")) ?? "");
    await press(shop, "Allow");
    await press(shop, "Buy for 20 GBP");
    await shop.locator("#rows tr:nth-child(2)").waitFor();
    await looksRight(shop, "shop");
    expect(inspect.events).toMatchObject({ received: 2, counted: 1, duplicates: 1 });

    await page.goto(`${settings}/verify`);
    await page.getByRole("heading", { name: "Seen by Snapchat", exact: true }).waitFor();
    const row = page.getByRole("row", { name: /PURCHASE/ });
    expect(await row.getByRole("cell").allTextContents()).toEqual(["1", "1 of 1"]);
    await looksRight(page, "verify");

    await page.goto(`${settings}/segments`);
    await press(page, "VIP customers: Sync now");
    await page.getByText("Snapchat has taken the segment.").waitFor();
    expect(inspect.segments().find(({ name }) => name === "VIP customers")?.members).toMatchObject({ EMAIL_SHA256: 2 });
    await looksRight(page, "segments");
    expect(errors).toEqual([]);
  });

  it("saves a pasted token along with whatever is pressed, and loses none to a refusal", async () => {
    const { conversionsToken } = cdp.simulator.world.main;
    for (const button of ["Rename", "Save", "Enable"]) {
      const page = await open(cdp.url);
      await press(page, "Add destination");
      await page.getByLabel("Token", { exact: true }).fill(conversionsToken);
      await press(page, button);
      await page.getByText(`…${conversionsToken.slice(-4)}`).waitFor();
      expect(await page.getByRole("alert").count()).toBe(button === "Enable" ? 1 : 0);
    }
  });

  it("shows what was refused, and overwrites nothing that somebody else has changed", async () => {
    const page = await open(cdp.url);
    await press(page, "Add destination");
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByRole("textbox", { name: "Name" }).fill("Theirs");
    await press(other, "Rename");
    await page.getByRole("textbox", { name: "Name" }).fill("Mine");
    await press(page, "Rename");
    expect(await page.getByRole("alert").textContent()).toMatch(/Somebody else has changed this destination/);
    expect(await page.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Theirs");
  });

  it("says on every page of a new destination what is missing", async () => {
    const page = await open(cdp.url);
    await press(page, "Add destination");
    const settings = page.url();
    await page.goto(`${settings}/events`);
    expect(await page.getByRole("switch", { name: "Purchased: Server-side" }).isDisabled()).toBe(true);
    await page.getByText("No Snap Pixel is chosen for this destination.").waitFor();
    await looksRight(page, "new-events");
    await page.goto(`${settings}/segments`);
    await page.getByRole("heading", { name: "VIP customers" }).waitFor();
    await looksRight(page, "new-segments");
    await page.goto(`${settings}/verify`);
    await page.getByRole("heading", { name: "Not seen by Snapchat yet" }).waitFor();
    await looksRight(page, "new-verify");
  });

  it("comes back from a sign-in that was denied with what to do", async () => {
    const page = await open(cdp.url);
    await press(page, "Add destination");
    await page.getByRole("link", { name: "Authenticate Snapchat" }).click();
    await press(page, "Log in");
    await press(page, "Deny");
    expect(await page.getByRole("alert").textContent()).toMatch(/did not allow access.*choose Allow/s);
  });

  it("takes no form from another site, checks what its own send, and shows nothing of another customer", async () => {
    const [mine] = (await cdp.snapchat.tenant("acme").destinations.list()).items;
    const theirs = await cdp.snapchat.tenant("other").destinations.create({ name: "Theirs" });
    const post = (fields: Record<string, string>, origin = cdp.url) => {
      const body = new URLSearchParams({ version: String(mine?.version), ...fields });
      const headers = { origin, "sec-fetch-site": origin === cdp.url ? "same-origin" : "cross-site" };
      return fetch(`${cdp.url}/destinations/${mine?.id}`, { method: "POST", body, headers, redirect: "manual" });
    };
    const [other] = cdp.simulator.world.pixels.filter(({ name }) => name === "Northwind DE shop");
    const { organizationId = "", adAccountId = "" } = mine ?? {};
    const mixed = await post({ action: "accounts", organizationId, adAccountId, pixelId: other?.id ?? "" });
    expect([mixed.status, await mixed.text()]).toEqual([422, expect.stringContaining("belongs to the ad account")]);
    expect((await post({ action: "toString" })).status).toBe(400);
    const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect((await fetch(`${cdp.url}/destinations/${mine?.id}`, json)).status).toBe(400);

    expect((await post({ action: "disable" }, "https://evil.example")).status).toBe(403);
    expect((await post({ action: "disable" })).status).toBe(303);
    expect((await fetch(`${cdp.url}/destinations/${theirs.id}`)).status).toBe(404);
    const connect = `${cdp.url}/snapchat/connect?destination=${theirs.id}`;
    expect((await fetch(connect, { redirect: "manual" })).status).toBe(404);
  });
});
