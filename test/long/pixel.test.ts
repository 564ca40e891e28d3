import { createSimulator } from "snapchat-destination/testing";
import { expect, it } from "vitest";
import { openPages, until } from "../pixel/pages.ts";
import { serviceUrl } from "../services.ts";

const chromium = await serviceUrl("chromium");

it.skipIf(!chromium)("ten thousand events in one burst all reach Snapchat, each once", async () => {
  // The pixel's own pause is fifty milliseconds; with none at all Chromium runs out of requests.
  const simulator = await createSimulator({ knobs: { pixelThrottleMs: 2 } });
  const pages = await openPages(chromium ?? "");
  const options = JSON.stringify({
    pixelId: simulator.world.main.pixel.id,
    events: ["ADD_CART"],
    script: `${simulator.endpoints.pixelScript}/scevent.min.js`,
    consent: true,
  });
  const html = `<!doctype html><title>Burst</title><script src="/pixel.js"></script><script>
const pixel = snapchatDestination.createPixel(${options});
for (let n = 0; n < 10000; n++) pixel.track("ADD_CART", { price: n, currency: "GBP" });</script>`;
  const { errors } = await pages.open({ html });
  await until(() => simulator.inspect.events.received >= 10_000, "the burst", 120_000);
  expect(simulator.inspect.events.pixel).toMatchObject({ received: 10_000, counted: 10_000, duplicates: 0 });
  expect(errors).toEqual([]);
  await pages.close();
  await simulator.close();
});
