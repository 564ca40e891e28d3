import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Simulator } from "../../src/testing/index.ts";
import { openPage } from "./page.ts";
import { DIGEST, start } from "./support.ts";

const PAGE = "https://shop.example/product/9?ScCid=0a1b2c3d-1111-4222-8333-444455556666";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Waits until the simulator holds so many hits: the script sends when it likes. */
async function hits(simulator: Simulator, count: number) {
  const deadline = Date.now() + 5_000;
  while (simulator.inspect.pixelHits.length < count && Date.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return simulator.inspect.pixelHits;
}

async function pageWithPixel(knobs: Parameters<typeof start>[0] = {}, url = PAGE) {
  const started = await start(knobs);
  const page = openPage(url);
  const pixelId = started.simulator.world.main.pixel.id;
  return { ...started, page, pixelId, url: started.simulator.endpoints.pixelScript };
}

describe("the pixel script", () => {
  it("plays the stub's queue, and sends init data with every event", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel();
    page.snaptr("init", pixelId, { user_email: " Person@Example.com ", user_phone_number: "+44 844 412 4653" });
    page.snaptr("track", "purchase", { price: 12.5, currency: "GBP", item_ids: ["a", "b"], client_dedup_id: "e1" });
    await page.loadScript(url);
    const [hit] = await hits(simulator, 1);
    expect(hit?.event).toMatchObject({
      pid: pixelId,
      ev: "PURCHASE",
      e_pr: "12.5",
      e_cur: "GBP",
      e_iids: "a,b",
      cdid: "e1",
      u_hem: DIGEST.em,
      u_hed: sha256("example.com"),
      u_hpn: DIGEST.ph,
      pl: PAGE,
      s_r_id: "0a1b2c3d-1111-4222-8333-444455556666",
      s_r_ids: "2",
    });
    expect(hit).toMatchObject({ outcome: "counted", eventId: "e1", channel: "pixel" });
    page.close();
    await simulator.close();
  });

  it("sets its cookies and leaves no probe", async () => {
    const { simulator, page, url } = await pageWithPixel();
    await page.loadScript(url);
    expect([...page.cookies.keys()].sort()).toEqual(["_scid", "_scid_r", "_scsrid", "_scsrid_r", "_sctr"]);
    expect(page.cookies.get("_scid")).toMatch(/^[0-9a-f]{8}-/);
    expect(page.local.get("u_sclid")).toBeTruthy();
    page.close();
    await simulator.close();
  });

  it("keeps a UUID on the wire where the stored id is opaque", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs: { scidForm: "opaque" } });
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    page.snaptr("track", "PAGE_VIEW");
    const [hit] = await hits(simulator, 1);
    expect(page.cookies.get("_scid")).toMatch(/^[\w-]{32}$/);
    expect(hit?.event.u_c1).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    page.close();
    await simulator.close();
  });

  it("merges every init and forgets nothing, event data included", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs: { pixelThrottleMs: 0 } });
    await page.loadScript(url);
    page.snaptr("init", pixelId, { user_hashed_email: DIGEST.em, client_dedup_id: "leaks" });
    page.snaptr("init", pixelId, { user_hashed_phone_number: DIGEST.ph });
    page.snaptr("track", "PAGE_VIEW");
    page.snaptr("track", "VIEW_CONTENT");
    const found = await hits(simulator, 2);
    expect(found[1]?.event).toMatchObject({ u_hem: DIGEST.em, u_hpn: DIGEST.ph, cdid: "leaks" });
    expect(found.map(({ outcome }) => outcome)).toEqual(["counted", "duplicate"]);
    page.close();
    await simulator.close();
  });

  it("drops bad ids, names and parameters without a word to the page", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel();
    await page.loadScript(url);
    page.snaptr("track", "PAGE_VIEW"); // before any init: nowhere to go
    page.snaptr("init", "123456789012345");
    page.snaptr("init", pixelId);
    page.snaptr("track", "PAGE_VIEW", { event_id: "ignored", value: 3, clientDedupId: "kept" });
    const [hit] = await hits(simulator, 1);
    expect(hit?.event).not.toHaveProperty("event_id");
    expect(hit?.event).toMatchObject({ cdid: "kept" });
    await page.idle();
    const dropped = simulator.inspect.pixelReports.map(({ fields }) => `${fields.er} ${fields.n}`);
    expect(dropped).toEqual(["bad_pixel_id 123456789012345", "unknown_parameter event_id", "unknown_parameter value"]);
    expect(simulator.inspect.pixelHits).toHaveLength(1);
    page.close();
    await simulator.close();
  });

  it("marks a mail address that is none, so that it never matches", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel();
    await page.loadScript(url);
    page.snaptr("init", pixelId, { user_email: "__INSERT_USER_EMAIL__" });
    page.snaptr("track", "PAGE_VIEW");
    const [hit] = await hits(simulator, 1);
    expect(hit?.event.u_hem).toMatch(/^FFF[0-9a-f]{64}$/);
    page.close();
    await simulator.close();
  });

  it("sends nothing before its configuration, and reads the page's address only then", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs: { pixelConfigDelayMs: 100 } });
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    page.snaptr("track", "PAGE_VIEW");
    page.go("https://shop.example/next");
    expect(simulator.inspect.pixelHits).toHaveLength(0);
    const [hit] = await hits(simulator, 1);
    expect(hit?.event.pl).toBe("https://shop.example/next");
    page.close();
    await simulator.close();
  });

  it("goes on with defaults where the configuration never comes", async () => {
    const knobs = { pixelConfigFails: true, pixelConfigTimeoutMs: 50 };
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs });
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    page.snaptr("track", "PAGE_VIEW");
    expect(await hits(simulator, 1)).toHaveLength(1);
    expect(simulator.inspect.pixelReports).toEqual([]);
    page.close();
    await simulator.close();
  });

  it("loads itself anew where its configuration names a newer build, once, and plays every call again", async () => {
    const knobs = { pixelNewerBuild: "3.60.0" };
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs });
    await page.loadScript(url);
    page.snaptr("init", pixelId, { user_hashed_email: DIGEST.em });
    page.snaptr("track", "PAGE_VIEW", { client_dedup_id: "e1" });
    const [hit] = await hits(simulator, 1);
    page.snaptr("track", "SIGN_UP", { client_dedup_id: "e2" });
    await hits(simulator, 2);
    await page.idle();
    expect(hit?.event).toMatchObject({ v: "3.60.0", u_hem: DIGEST.em });
    expect(simulator.inspect.pixelHits.map(({ eventId }) => eventId)).toEqual(["e1", "e2"]);
    expect(simulator.inspect.requests.filter(({ path }) => path === "/scevent.min.js")).toHaveLength(2);
    expect(page.cookies.get("_screload")).toBe("3.60.0");
    page.close();
    await simulator.close();
  });

  it("takes a second load for the first one's business", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel();
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    await page.loadScript(url);
    page.snaptr("track", "PAGE_VIEW");
    await hits(simulator, 1);
    await page.idle();
    expect(simulator.inspect.pixelHits).toHaveLength(1);
    expect(simulator.inspect.requests.find(({ path }) => path === "/p")?.items).toBe(1);
    page.close();
    await simulator.close();
  });

  it("sends to one pixel where the call names it, to all where it does not", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({ knobs: { pixelThrottleMs: 0 } });
    const other = simulator.world.pixels[1]?.id ?? "";
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    page.snaptr("init", other);
    page.snaptr("track", pixelId, "LOGIN");
    page.snaptr("track", "SIGN_UP");
    const found = await hits(simulator, 3);
    const sent = found.map(({ assetId, name }) => `${name} ${assetId}`).sort();
    expect(sent).toEqual([`LOGIN ${pixelId}`, `SIGN_UP ${pixelId}`, `SIGN_UP ${other}`].sort());
    page.close();
    await simulator.close();
  });

  it("reports from localhost to the staging host, which counts nothing", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({}, "http://localhost:8080/");
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    page.snaptr("track", "PAGE_VIEW");
    await hits(simulator, 1);
    expect(simulator.inspect.events).toMatchObject({ received: 0, shadow: 1 });
    page.close();
    await simulator.close();
  });

  it("lets at most one event out in fifty milliseconds", async () => {
    const { simulator, page, pixelId, url } = await pageWithPixel({ clock: { now: () => performance.now() } });
    await page.loadScript(url);
    page.snaptr("init", pixelId);
    for (let i = 0; i < 4; i++) page.snaptr("track", "PAGE_VIEW", { client_dedup_id: `e${i}` });
    const found = await hits(simulator, 4);
    const sent = found.map(({ event }) => Number(event.ts)).sort((a, b) => a - b);
    // A timer may fire a millisecond early, and `ts` is in whole milliseconds.
    for (let i = 1; i < sent.length; i++) expect((sent[i] ?? 0) - (sent[i - 1] ?? 0)).toBeGreaterThanOrEqual(48);
    page.close();
    await simulator.close();
  });

  it("falls back to XHR where there are no beacons", async () => {
    const { simulator } = await start();
    const page = openPage(PAGE, { beacons: false });
    await page.loadScript(simulator.endpoints.pixelScript);
    page.snaptr("init", simulator.world.main.pixel.id);
    page.snaptr("track", "PAGE_VIEW");
    expect(await hits(simulator, 1)).toHaveLength(1);
    page.close();
    await simulator.close();
  });
});

describe("a pixel hit", () => {
  it("is counted once with the server's event of the same id, whichever comes first", async () => {
    const { simulator, send, event, call } = await start();
    const pid = simulator.world.main.pixel.id;
    const hit = (cdid: string, extra = "") =>
      call(`${simulator.endpoints.conversions}/p?pid=${pid}&ev=PAGE_VIEW&ts=1790000000000&cdid=${cdid}${extra}`);
    await hit("a");
    await send([event({ event_id: "a" }), event({ event_id: "b" })]);
    await hit("b");
    expect(simulator.inspect.events).toMatchObject({ received: 4, counted: 2, duplicates: 2 });
    expect(simulator.inspect.events.pixel).toMatchObject({ counted: 1, duplicates: 1 });
    await simulator.close();
  });

  it("is taken for the server's purchase of the same order for thirty days", async () => {
    const { simulator, send, event, call, clock } = await start();
    const pid = simulator.world.main.pixel.id;
    const custom_data = { value: 10, currency: "GBP", order_id: "SO-1" };
    await send([event({ event_name: "PURCHASE", event_id: "s1", custom_data })]);
    clock.advance(29 * 86_400_000);
    await call(`${simulator.endpoints.conversions}/p?pid=${pid}&ev=PURCHASE&ts=${clock.at}&cdid=p1&e_tid=SO-1`);
    clock.advance(31 * 86_400_000);
    await call(`${simulator.endpoints.conversions}/p?pid=${pid}&ev=PURCHASE&ts=${clock.at}&cdid=p2&e_tid=SO-1`);
    await send([event({ event_name: "PURCHASE", event_id: "s2", custom_data })]);
    const outcomes = simulator.inspect.events.list().map(({ channel, outcome }) => `${channel} ${outcome}`);
    expect(outcomes).toEqual(["server counted", "pixel duplicate", "pixel counted", "server duplicate"]);
    await simulator.close();
  });

  it("of an unknown pixel or name is rejected, without a word to the page", async () => {
    const { simulator, call } = await start();
    const pid = simulator.world.main.pixel.id;
    const { conversions } = simulator.endpoints;
    const answers = await Promise.all([
      call(`${conversions}/p?pid=11111111-2222-4333-8444-555555555555&ev=PAGE_VIEW&ts=1790000000000`),
      call(`${conversions}/p?pid=${pid}&ev=ADD_TO_CART&ts=1790000000000`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(simulator.inspect.events.rejectedBy).toEqual({ pixel_unknown: 1, event_name_unknown: 1 });
    await simulator.close();
  });
});
