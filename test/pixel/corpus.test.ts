import { readFileSync } from "node:fs";
import { pixelConfig, pixelTrackCall } from "snapchat-destination/pixel";
import { createRouter, presets, setToggle, sources } from "snapchat-destination/workflow";
import { describe, expect, it } from "vitest";
import { serviceUrl } from "../services.ts";
import { openPages } from "./pages.ts";

const chromium = await serviceUrl("chromium");
const PIXEL_ID = "11111111-2222-4333-8444-555555555555";

describe.skipIf(!chromium)("a shop's day of events, in a browser and on the server", () => {
  it("ends in the same calls, and the id is handed on before each", async () => {
    let workflow = presets.customerlabs({
      defaultCurrency: "EUR",
      consent: { names: ["ad_storage"], absent: "deny" },
    });
    for (const rule of workflow.rules) {
      if (!rule.to.startsWith("segment:")) workflow = setToggle(workflow, rule.id, { server: true, client: true });
    }
    const { json } = pixelConfig({ pixelId: PIXEL_ID, workflow, integration: "my-cdp" });
    const router = createRouter(workflow);
    const lines = readFileSync(new URL("../../examples/data/shop-day.ndjson", import.meta.url), "utf8").split("\n");
    const events = lines
      .slice(0, 500)
      .map((line) => sources.customerlabs?.read((JSON.parse(line) as { event: unknown }).event))
      .filter((event) => event?.id !== undefined)
      .map((event) => ({ ...event, traits: {}, issues: [] }));

    const expected = events.flatMap((event) => {
      const { eventId, decisions } = router.route(event as Parameters<typeof router.route>[0]);
      const calls = decisions.flatMap((decision) =>
        decision.channel === "client" && decision.event
          ? [pixelTrackCall(decision.event, { pixelId: PIXEL_ID, integration: "my-cdp" })]
          : [],
      );
      return [["handed on", eventId], ...calls];
    });
    expect(expected.length).toBeGreaterThan(events.length + 100);

    const pages = await openPages(chromium ?? "");
    const { page, errors } = await pages.open({
      html: `<!doctype html><title>Day</title><script type="module">
import { createPixel, createRouter } from "/sdk.js";
const config = ${json};
const log = [];
window.snaptr = (...call) => log.push(call);
const pixel = createPixel({ ...config, consent: true, debug: (code) => code === "event_off" && log.push(code) });
const route = createRouter(pixel, config, (id) => log.push(["handed on", id]));
window.day = (events) => { for (const event of events) route(event); return log.slice(1); };
</script>`,
    });
    expect(await page.evaluate(`day(${JSON.stringify(events)})`)).toEqual(JSON.parse(JSON.stringify(expected)));
    expect(errors).toEqual([]);
    await pages.close();
  });
});
