import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { openExampleShop } from "../examples/pixel/shop.ts";

/** Photographs the example shop in Chromium for docs/pixel.md: `npx tsx scripts/pixel-screenshots.ts` after a build. */
const shop = await openExampleShop();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 800, height: 420 } });
const shot = (name: string) =>
  page.screenshot({ path: fileURLToPath(new URL(`../docs/images/pixel-${name}.png`, import.meta.url)) });

await page.goto(shop.url);
await shot("before-consent");
await page.click("#allow");
await page.click("#buy");
await page.waitForSelector("#rows tr:nth-child(3)");
await shot("counted-once");

await browser.close();
await shop.close();
