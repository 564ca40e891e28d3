import { type Receipt, setToggle } from "snapchat-destination";
import { hash } from "snapchat-destination/identity";
import { pixelConfigResponse } from "snapchat-destination/pixel";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serviceUrl } from "../services.ts";
import { openShop, type Shop, shopWorkflow } from "../snapchat/shop.ts";
import { type Opened, openPages, type Pages, until } from "./pages.ts";

const chromium = await serviceUrl("chromium");

const PERSON = { email: " Jane@Example.com", phone: "07700 900123" };
const CLICK = "0A1b2c3d-1111-4222-8333-444455556666";

/** A platform whose events are born in the browser: its own SDK, the pixel, the router, and its own collector. */
const SDK = `<!doctype html><title>Shop</title><script type="module">
import { createPixel, createRouter } from "/sdk.js";
const config = await (await fetch("/api/config")).json();
const copies = [];
window.collected = () => Promise.all(copies);
const identity = await (await fetch("/api/identity")).json();
window.pixel = createPixel({ ...config, identity, consent: true, debug: warned });
window.send = createRouter(pixel, config, (browserId, event) =>
  copies.push(fetch("/api/events", { method: "POST", keepalive: true, body: JSON.stringify({ ...event, browserId, url: location.href, ...pixel.identifiers() }) })));
window.ready = true;
</script>`;

describe.skipIf(!chromium)("both halves of the workflow, in a browser and on the server", () => {
  let shop: Shop;
  let pages: Pages;
  let one: Opened | undefined;
  let receipts: Receipt[] = [];
  const answered: number[] = [];

  beforeAll(async () => {
    shop = await openShop({ integration: "my-cdp" });
    shop.simulator.knobs.pixelThrottleMs = 0;
    const workflow = setToggle(shopWorkflow(), "Added to cart", { server: true });
    await shop.acme.destinations.update(shop.id, { workflow });
    pages = await openPages(chromium ?? "", async (path, body, request) => {
      if (path === "config") {
        const headers = { "if-none-match": request.headers["if-none-match"] ?? "" };
        const answer = pixelConfigResponse(
          await shop.acme.pixel.config(shop.id),
          new Request("http://shop/", { headers }),
        );
        answered.push(answer.status);
        return answer;
      }
      if (path === "identity") return Response.json(await shop.acme.pixel.identity(shop.id, PERSON));
      const { name, properties, products, browserId, url, clickId, cookie1 } = JSON.parse(body);
      const event = {
        event: name,
        timestamp: new Date().toISOString(),
        snap_event_id: browserId,
        customProperties: {
          ...properties,
          page_url: url,
          sc_click_id: clickId,
          sc_cookie1: cookie1,
          user_traits: PERSON,
        },
        productProperties: products,
      };
      receipts.push(...(await shop.acme.track([event])));
      return undefined;
    });
  });
  afterAll(async () => {
    await pages?.close();
    await shop?.close();
  });
  beforeEach(() => {
    shop.simulator.reset();
    receipts = [];
  });
  afterEach(async () => {
    await one?.close();
    one = undefined;
  });

  const run = (code: string) => one?.page.evaluate(code) as Promise<unknown>;
  async function visit(before?: (opened: Opened) => Promise<unknown>) {
    one = await pages.open({ html: SDK }, { path: `/thanks?ScCid=${CLICK}`, ...(before ? { before } : {}) });
    await until(() => run("window.ready === true") as Promise<boolean>, "the page");
    return one;
  }
  /** Everything that is under way has reached Snapchat. */
  async function settled(pixelHits: number) {
    await run("collected().then(() => 1)");
    await until(() => shop.simulator.inspect.pixelHits.length >= pixelHits, `${pixelHits} hits`);
    await shop.snapchat.drain({ maxMs: 10_000 });
    return shop.simulator.inspect.events;
  }
  const send = (name: string, value: number, order?: string) =>
    run(
      `send(${JSON.stringify({
        name,
        properties: { value, currency: "gbp", ...(order ? { order_id: order } : {}) },
        products: [{ id: "sku-1", price: value, quantity: 1 }],
      })})`,
    );

  it("counts once what arrives twice, and once what one toggle sends", async () => {
    await visit();
    for (let n = 1; n <= 5; n++) await send("Purchased", n, `SO-${n}`);
    for (let n = 1; n <= 3; n++) await send("Product viewed", n);
    for (let n = 1; n <= 2; n++) await send("Added to cart", n);
    const events = await settled(8);
    expect(events).toMatchObject({ received: 15, counted: 10, duplicates: 5 });
    expect(events.pixel).toMatchObject({ received: 8 });
    const copies = Map.groupBy(events.list({ name: "PURCHASE" }), ({ eventId }) => eventId);
    expect([...copies.values()].map((list) => list.map(({ channel }) => channel).sort())).toEqual(
      Array(5).fill(["pixel", "server"]),
    );
    for (const list of copies.values()) {
      const [pixel, server] = ["pixel", "server"].map(
        (channel) => list.find((copy) => copy.channel === channel)?.event,
      );
      const { value, currency, order_id, content_ids } = (server?.custom_data ?? {}) as unknown as Record<
        string,
        unknown
      >;
      expect(pixel).toMatchObject({ e_pr: String(value), e_cur: currency, e_tid: order_id, intg: "my-cdp" });
      expect(pixel?.e_iids).toBe([content_ids].flat().join(","));
    }
    expect([one?.errors, await one?.warnings()]).toEqual([[], []]);
  });

  it("gives both copies the same digests, click id and cookie", async () => {
    await visit();
    await until(() => run("pixel.identifiers().cookie1 !== undefined") as Promise<boolean>, "the cookie");
    await send("Purchased", 20, "SO-1");
    const events = await settled(1);
    const of = (channel: "pixel" | "server") => events.list({ channel })[0]?.event as Record<string, unknown>;
    const user = of("server").user_data as Record<string, unknown>;
    const pixel = of("pixel");
    expect(user).toMatchObject({
      em: [pixel.u_hem],
      ph: [pixel.u_hpn],
      sc_click_id: pixel.s_r_id,
      sc_cookie1: pixel.u_c1,
    });
    expect([pixel.u_hem, pixel.s_r_id]).toEqual([hash("em", "jane@example.com"), CLICK]);
  });

  it("still counts the server's copy where the script is blocked", async () => {
    await visit((opened) => opened.page.route("**/scevent.min.js", (route) => route.abort("blockedbyclient")));
    await until(async () => ((await one?.warnings()) ?? []).includes("script_blocked"), "the blocker");
    await send("Purchased", 20, "SO-1");
    expect(await settled(0)).toMatchObject({ received: 1, counted: 1, duplicates: 0 });
    expect(receipts).toMatchObject([{ status: "queued" }]);
    expect(await one?.warnings()).toEqual(["script_blocked", "script_blocked PURCHASE"]);
    // The browser's own line about the request is the only one.
    expect(one?.errors).toEqual([expect.stringContaining("ERR_BLOCKED_BY_CLIENT")]);
  });

  it("counts once where the pixel waits for its configuration and the server is faster", async () => {
    const { knobs } = shop.simulator;
    const kept = knobs.pixelConfigTimeoutMs;
    knobs.pixelConfigTimeoutMs = 600_000;
    const configuration = Promise.withResolvers<void>();
    await visit(({ page }) =>
      page.route("**/config/**", (route) => configuration.promise.then(() => route.continue())),
    );
    await send("Purchased", 20, "SO-1");
    await run("collected().then(() => 1)");
    await shop.snapchat.drain({ maxMs: 10_000 });
    expect(shop.simulator.inspect.events).toMatchObject({ received: 1, counted: 1 });
    configuration.resolve();
    expect(await settled(1)).toMatchObject({ received: 2, counted: 1, duplicates: 1 });
    knobs.pixelConfigTimeoutMs = kept;
  });

  it("hands the event on with an id where the pixel is off, and loads nothing", async () => {
    await shop.acme.destinations.update(shop.id, { settings: { testEventCode: "TRIAL" } });
    await visit();
    await send("Purchased", 20, "SO-1");
    expect(await settled(0)).toMatchObject({ received: 0, counted: 0 });
    expect(receipts[0]?.eventId).toMatch(/^[\da-f-]{36}$/);
    expect(await run("[typeof snaptr, pixel.track('PURCHASE')]")).toEqual(["undefined", undefined]);
    expect(one?.errors).toEqual([]);
    await shop.acme.destinations.update(shop.id, { settings: { testEventCode: null } });
  });

  it("answers a page that comes back with 304", async () => {
    await visit();
    const again =
      "fetch('/api/config', { cache: 'no-cache' }).then((answer) => answer.json()).then(({ events }) => events)";
    answered.length = 0;
    expect(await run(again)).toEqual(["VIEW_CONTENT", "PURCHASE"]);
    expect(answered).toEqual([304]);
  });
});
