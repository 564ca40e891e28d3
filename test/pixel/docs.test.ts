import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { pixelCsp } from "snapchat-destination/pixel";
import { describe, expect, it } from "vitest";
import { openExampleShop } from "../../examples/pixel/shop.ts";
import { serviceUrl } from "../services.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const docs = read("docs/pixel.md");
const executablePath = await serviceUrl("chromium");

describe("docs/pixel.md", () => {
  it("shows the example's code to the letter", () => {
    const region = /\/\/ #region page\n(.*?)\n\s*\/\/ #endregion/s.exec(read("examples/pixel/shop.ts"))?.[1] ?? "";
    expect(docs).toContain(region.replaceAll(/^ {2}/gm, ""));
  });

  it("has a line for every warning, and for no other", () => {
    const options = read("src/pixel/options.ts");
    const typed = ["PixelOff", "PixelWarning"].flatMap((name) =>
      [...(new RegExp(`type ${name} =([^;]*);`).exec(options)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(([, code]) => code),
    );
    const table = docs.slice(docs.indexOf("| code |"), docs.indexOf("## What the pixel collects"));
    const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code),
    );
    expect(named.sort()).toEqual(typed.sort());
  });

  it("names the sources of the policy", () => {
    for (const source of new Set(Object.values(pixelCsp({ development: true })).flat())) expect(docs).toContain(source);
  });
});

it.skipIf(!executablePath)(
  "the example counts a purchase of both copies once, and refuses without consent",
  async () => {
    const shop = await openExampleShop();
    const browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--headless", "--no-sandbox", "--disable-gpu"],
    });
    const errors: string[] = [];
    const visit = async () => {
      const page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
      await page.goto(shop.url);
      return page;
    };
    const refused = await visit();
    await refused.click("#refuse");
    await Promise.all([refused.waitForResponse("**/events"), refused.click("#buy")]);
    expect(shop.simulator.inspect.events.received).toBe(0);

    const allowed = await visit();
    await allowed.click("#allow");
    await allowed.click("#buy");
    await allowed.waitForSelector("#rows tr:nth-child(3)");
    expect(shop.simulator.inspect.events).toMatchObject({ received: 3, counted: 2, duplicates: 1 });
    expect(errors).toEqual([]);
    await browser.close();
    await shop.close();
  },
);
