import { hash } from "snapchat-destination/identity";
import { type PixelConfig, pixelCsp, pixelIdentity, pixelTag } from "snapchat-destination/pixel";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serviceUrl } from "../services.ts";
import { type Opened, openPages, type Pages, type ShopPage, until } from "./pages.ts";

const chromium = await serviceUrl("chromium");
const CLICK = "0A1b2c3d-1111-4222-8333-444455556666";

describe.skipIf(!chromium)("the pixel in a browser", () => {
  let simulator: Simulator;
  let pages: Pages;
  let opened: Opened[] = [];

  beforeAll(async () => {
    simulator = await createSimulator({ knobs: { pixelThrottleMs: 0 } });
    pages = await openPages(chromium ?? "");
  });
  afterAll(async () => {
    await pages?.close();
    await simulator?.close();
  });
  beforeEach(() => simulator.reset());
  afterEach(async () => {
    for (const one of opened) await one.close();
    opened = [];
  });

  const pixelId = () => simulator.world.main.pixel.id;
  const config = (changes: Partial<PixelConfig> = {}): PixelConfig => ({
    pixelId: pixelId(),
    events: ["PAGE_VIEW", "VIEW_CONTENT", "ADD_CART", "PURCHASE", "SIGN_UP"],
    script: `${simulator.endpoints.pixelScript}/scevent.min.js`,
    ...changes,
  });
  /** A page that calls the runtime with JSON and a few functions. */
  const shop = (options: object, more = "", head = ""): ShopPage => ({
    html: `<!doctype html><title>Shop</title>${head}<script src="/pixel.js"></script>
<script>window.told = []; window.ids = [];
window.pixel = snapchatDestination.createPixel(Object.assign(${JSON.stringify(options)}, {
  debug: warned, onIdentifiers: (found) => told.push(found), onEvent: (id, event) => ids.push(event + " " + id) }));
${more}</script>`,
  });
  async function visit(page: ShopPage, options?: { path?: string; origin?: string }): Promise<Opened> {
    const one = await pages.open(page, options);
    opened.push(one);
    return one;
  }
  const hits = () => simulator.inspect.pixelHits.map(({ event }) => event);
  /** Sorted: requests of one page may overtake each other. */
  const names = () =>
    hits()
      .map(({ ev }) => ev)
      .sort();
  const arrived = (count: number) => until(() => hits().length >= count, `${count} hits, ${hits().length} came`);
  const run = (one: Opened, code: string) => one.page.evaluate(code) as Promise<never>;
  const scripts = () => simulator.inspect.requests.filter(({ path }) => path === "/scevent.min.js").length;

  it("waits for consent: before it no script, no cookie, no call; after it everything that waited", async () => {
    const one = await visit(
      shop(
        config({ always: { integration: "my-cdp" } }),
        'pixel.track("ADD_CART", { price: 20, currency: "gbp", item_ids: ["a", "b"], client_dedup_id: "e-1" })',
      ),
    );
    expect(await run(one, "[typeof snaptr, document.cookie, document.scripts.length, localStorage.length]")).toEqual([
      "undefined",
      "",
      2,
      0,
    ]);
    expect(scripts()).toBe(0);
    await run(one, "pixel.consent(true)");
    await arrived(1);
    expect(hits()).toMatchObject([
      { pid: pixelId(), ev: "ADD_CART", e_pr: "20", e_cur: "GBP", e_iids: "a,b", cdid: "e-1", intg: "my-cdp" },
    ]);
    expect(simulator.inspect.events).toMatchObject({ received: 1, counted: 1 });
    expect([scripts(), one.errors, await one.warnings()]).toEqual([1, [], []]);
  });

  it("drops what waited when consent is denied, and sends nothing later", async () => {
    const one = await visit(
      shop(
        config(),
        'pixel.track("SIGN_UP"); pixel.consent(false); pixel.consent("denied"); pixel.track("PURCHASE", { price: 1, currency: "GBP" })',
      ),
      { path: `/?ScCid=${CLICK}` },
    );
    expect(
      await run(one, "[typeof snaptr, document.scripts.length, localStorage.length, pixel.identifiers(), told]"),
    ).toEqual(["undefined", 2, 0, {}, []]);
    expect(await one.warnings()).toEqual(["consent_denied PURCHASE"]);
    // Granted later: what was denied stays dropped.
    await run(one, 'pixel.consent(true); pixel.track("ADD_CART")');
    await arrived(1);
    expect(names()).toEqual(["ADD_CART"]);
  });

  it("is silent once consent is revoked, and forgets the click", async () => {
    const one = await visit(shop(config({ consent: true } as object), 'pixel.track("ADD_CART")'), {
      path: `/?ScCid=${CLICK}`,
    });
    await arrived(1);
    expect(await run(one, "pixel.identifiers().clickId")).toBe(CLICK);
    const digest = "a".repeat(64);
    await run(one, `pixel.consent(false); pixel.track("SIGN_UP"); pixel.identify({ user_hashed_email: "${digest}" })`);
    // Somebody else's event shows what the pixel has been told.
    await run(one, 'snaptr("track", "SEARCH")');
    await arrived(2);
    expect(hits().find(({ ev }) => ev === "SEARCH")).not.toHaveProperty("u_hem");
    expect(await run(one, "[pixel.identifiers(), localStorage.getItem('sc_click')]")).toEqual([{}, null]);
    await run(one, 'pixel.consent(true); pixel.track("VIEW_CONTENT")');
    await arrived(3);
    expect(names()).toEqual(["ADD_CART", "SEARCH", "VIEW_CONTENT"]);
    expect(hits().find(({ ev }) => ev === "VIEW_CONTENT")).toMatchObject({ u_hem: digest });
    expect(scripts()).toBe(1);
  });

  it("takes back what the script has not been told yet when consent is revoked at once", async () => {
    const one = await visit(shop(config(), 'pixel.consent(true); pixel.track("SIGN_UP"); pixel.consent(false)'));
    await run(one, 'snaptr("init", pixel.id); pixel.consent(true); pixel.track("ADD_CART")');
    await arrived(1);
    expect(names()).toEqual(["ADD_CART"]);
  });

  it("sends a view of every route of a single-page application, with that route's address", async () => {
    const one = await visit(shop(config({ consent: true, pageViews: true } as object)), { path: "/a" });
    await arrived(1);
    for (const [count, step] of [
      [2, 'history.pushState({}, "", "/b?x=1")'],
      [3, 'setTimeout(() => { history.pushState({}, "", "/c"); history.replaceState({}, "", "/d") })'],
      [4, "history.back()"],
      // Neither a fragment nor the same address is a route.
      [5, 'location.hash = "#top"; history.replaceState({ y: 9 }, "", location.href); pixel.track("SIGN_UP")'],
      [6, 'location.hash = "#/cart"'],
    ] as const) {
      await run(one, step);
      await arrived(count);
    }
    const seen = hits().map(
      ({ ev, pl }) =>
        `${ev} ${new URL(pl as string).pathname}${new URL(pl as string).search}${new URL(pl as string).hash}`,
    );
    expect(seen).toEqual([
      "PAGE_VIEW /a",
      "PAGE_VIEW /b?x=1",
      "PAGE_VIEW /d",
      "PAGE_VIEW /b?x=1",
      "SIGN_UP /b?x=1#top",
      "PAGE_VIEW /b?x=1#/cart",
    ]);
    expect(new Set(hits().map(({ cdid }) => cdid)).size).toBe(6);
  });

  it("tells a view of a page that was left before consent from one of this page", async () => {
    const one = await visit(shop(config({ pageViews: true } as object)), { path: "/a" });
    await run(one, 'history.pushState({}, "", "/b")');
    await until(() => run(one, "ids.length == 2"), "the second view");
    await run(one, "pixel.consent(true)");
    await arrived(1);
    expect(hits()).toMatchObject([{ ev: "PAGE_VIEW", pl: expect.stringMatching(/\/b$/) }]);
    expect(await one.warnings()).toEqual(["page_left PAGE_VIEW"]);
  });

  it("runs under a strict Content-Security-Policy from the server's tag, without a word on the console", async () => {
    const nonce = "c3RyaWN0LWNzcA==";
    const policy = Object.entries(pixelCsp({ nonce, endpoints: simulator.endpoints }))
      .map(([directive, sources]) => `${directive} ${sources.join(" ")}`)
      .join("; ");
    const identity = await pixelIdentity(
      { email: "Jane@Example.com", phone: "07700 900123" },
      { defaultCountry: "GB" },
    );
    const html = `<!doctype html><title>Strict</title>${pixelTag(config(), { nonce, identity, consent: true, pageViews: true })}`;
    const one = await visit({ html, headers: { "content-security-policy": `default-src 'none'; ${policy}` } });
    await arrived(1);
    expect(hits()).toMatchObject([
      { ev: "PAGE_VIEW", u_hem: hash("em", "jane@example.com"), u_hpn: hash("ph", "+447700900123") },
    ]);
    expect(
      await one.page.$eval("script[src*=scevent]", (script) => (script as unknown as { nonce: string }).nonce),
    ).toBe(nonce);
    expect(one.errors).toEqual([]);
  });

  it("has the digests of the server's events, and nothing raw", async () => {
    const raw = {
      user_hashed_email: "jane@example.com",
      user_hashed_phone_number: "+447700900123",
      user_email: "jane@example.com",
    };
    const one = await visit(shop(config({ consent: true, identity: raw } as object)));
    const { user_hashed_email } = await pixelIdentity({ email: "JANE@example.com " });
    await run(one, `pixel.identify({ user_hashed_email: "${user_hashed_email}" }); pixel.track("SIGN_UP")`);
    await arrived(1);
    expect(hits()[0]).toMatchObject({ u_hem: hash("em", "jane@example.com") });
    expect(hits()[0]).not.toHaveProperty("u_hpn");
    expect(await one.warnings()).toEqual(Object.keys(raw).map((key) => `identity_raw ${key}`));
  });

  it("goes silent where one person's digest would stay on another's events", async () => {
    const [jane, joe, phone] = ["a", "b", "c"].map((letter) => letter.repeat(64));
    const one = await visit(shop(config({ consent: true, identity: { user_hashed_email: jane } } as object)));
    await run(
      one,
      `pixel.track("SIGN_UP"); pixel.identify({ user_hashed_email: "${joe}" }); pixel.identify({ user_hashed_phone_number: "${phone}" })`,
    );
    await run(one, `pixel.track("ADD_CART")`);
    await arrived(2);
    // Joe's mail address took the place of Jane's; his phone number would stay on what Ann does.
    await run(
      one,
      `pixel.identify({ user_hashed_email: "${jane}" }); pixel.track("PURCHASE", { price: 1, currency: "GBP" }); snaptr("track", "SEARCH")`,
    );
    await arrived(3);
    expect(names()).toEqual(["ADD_CART", "SEARCH", "SIGN_UP"]);
    expect(hits().find(({ ev }) => ev === "ADD_CART")).toMatchObject({ u_hem: joe, u_hpn: phone });
    expect(await one.warnings()).toEqual(["identity_changed", "identity_changed PURCHASE"]);
  });

  it("forgets nobody at logout, so it goes silent there too, if somebody was known", async () => {
    const one = await visit(shop(config({ consent: true } as object)));
    await run(
      one,
      `pixel.identify(null); pixel.track("SIGN_UP"); pixel.identify({ user_hashed_email: "${"a".repeat(64)}" })`,
    );
    await run(one, 'pixel.identify(null); pixel.track("ADD_CART"); snaptr("track", "SEARCH")');
    await arrived(2);
    expect(names()).toEqual(["SEARCH", "SIGN_UP"]);
  });

  it("is loaded once, however often page, tag and script do it", async () => {
    const twice = `snapchatDestination.createPixel(${JSON.stringify(config({ pixelId: pixelId().toUpperCase(), pageViews: true } as object))});`;
    const page = shop(config({ consent: true, pageViews: true } as object), `${twice}${twice}`);
    page.html += page.html.replace("window.told", "window.again");
    const one = await visit(page);
    await run(one, 'pixel.track("SIGN_UP")');
    await arrived(2);
    expect(names()).toEqual(["PAGE_VIEW", "SIGN_UP"]);
    expect(scripts()).toBe(1);
  });

  it("uses the pixel that is on the page already", async () => {
    const snippet = `<script>(function(e,t,n){if(e.snaptr)return;var a=e.snaptr=function(){a.handleRequest?a.handleRequest.apply(a,arguments):a.queue.push(arguments)};a.queue=[];var r=t.createElement("script");r.async=!0;r.src=n;t.head.appendChild(r)})(window,document,"${simulator.endpoints.pixelScript}/scevent.min.js");snaptr("init","${pixelId()}");snaptr("track","PAGE_VIEW")</script>`;
    const one = await visit(shop(config({ consent: true } as object), 'pixel.track("SIGN_UP")', snippet));
    await arrived(2);
    expect(names()).toEqual(["PAGE_VIEW", "SIGN_UP"]);
    expect([scripts(), one.errors]).toEqual([1, []]);
  });

  it("keeps two pixels of a page apart", async () => {
    const other = simulator.world.pixels[1]?.id ?? "";
    const one = await visit(
      shop(
        config({ consent: true } as object),
        `window.other = snapchatDestination.createPixel(${JSON.stringify(config({ pixelId: other, events: ["SIGN_UP"] }))}); other.consent(true)`,
      ),
    );
    await run(
      one,
      'pixel.track("SIGN_UP", { client_dedup_id: "e" }); other.track("SIGN_UP", { client_dedup_id: "e" }); other.track("ADD_CART")',
    );
    await run(one, 'other.consent(false); other.track("SIGN_UP"); pixel.track("ADD_CART")');
    await arrived(3);
    const sent = simulator.inspect.pixelHits.map(({ assetId, name, outcome }) => `${assetId} ${name} ${outcome}`);
    expect(sent.sort()).toEqual(
      [`${pixelId()} SIGN_UP counted`, `${other} SIGN_UP counted`, `${pixelId()} ADD_CART counted`].sort(),
    );
    expect(scripts()).toBe(1);
  });

  it("keeps the newest hundred of ten thousand events that wait, and hands over all of ten thousand that need not", async () => {
    const burst = 'for (let n = 0; n < 10000; n++) pixel.track("ADD_CART", { client_dedup_id: "e" + n })';
    const one = await visit(shop(config(), burst));
    await run(one, "pixel.consent(true)");
    await arrived(100);
    expect(
      hits()
        .map(({ cdid }) => cdid)
        .sort(),
    ).toEqual(Array.from({ length: 100 }, (_, n) => `e${9_900 + n}`));
    expect(await one.warnings()).toEqual(Array(9_900).fill("queue_full"));
    // The pixel itself lets one out in fifty milliseconds; what counts here is that it gets them all.
    await run(one, `window.given = 0; snaptr.handleRequest = () => given++; ${burst}`);
    expect([await run(one, "given"), one.errors]).toEqual([10_000, []]);
  });

  it("hands on the click with its case and the time it was first seen, and the cookie as it is", async () => {
    simulator.knobs.scidForm = "opaque";
    const one = await visit(shop(config({ consent: true } as object)), { path: `/?utm_source=snap&ScCid=${CLICK}` });
    await until(() => run(one, "told.some(({ cookie1 }) => cookie1)"), "the cookie");
    const first = (await run(one, "told.at(-1)")) as { clickId: string; clickIdSeenAtMs: number; cookie1: string };
    expect(first).toMatchObject({ clickId: CLICK, cookie1: expect.stringMatching(/^[\w-]{32}$/) });
    expect(Math.abs(first.clickIdSeenAtMs - Date.now())).toBeLessThan(10_000);
    const later = async (path: string) => {
      await one.page.goto(new URL(path, one.page.url()).href, { waitUntil: "load" });
      return (await run(one, "pixel.identifiers()")) as typeof first;
    };
    expect(await later("/shoes")).toEqual(first);
    expect(await later(`/?ScCid=${CLICK}`)).toEqual(first);
    const inner = CLICK.replace("0A", "9F");
    const next = await later(`/go?to=${encodeURIComponent(encodeURIComponent(`https://shop.test/?ScCid=${inner}`))}`);
    expect(next).toMatchObject({ clickId: inner, cookie1: first.cookie1 });
    expect(next.clickIdSeenAtMs).toBeGreaterThan(first.clickIdSeenAtMs);
    expect(await later("/bad?q=100%")).toEqual(next);
    simulator.knobs.scidForm = "uuid";
  });

  it("makes ids in a page without TLS, where browsers have no crypto.randomUUID", async () => {
    const one = await visit(
      shop(
        config({ consent: true } as object),
        'window.made = [typeof crypto.randomUUID, pixel.track("SIGN_UP"), pixel.track("SIGN_UP")]',
      ),
      { origin: pages.insecure },
    );
    await arrived(2);
    const [kind, a, b] = (await run(one, "made")) as string[];
    expect(kind).toBe("undefined");
    expect(
      hits()
        .map(({ cdid }) => cdid)
        .sort(),
    ).toEqual([a, b].sort());
    expect(a).not.toBe(b);
    expect(new Set(await one.warnings())).toEqual(new Set(["no_random_uuid"]));
    expect(one.errors).toEqual([]);
  });

  it("goes on where cookies and storage are blocked", async () => {
    const page = shop(config({ consent: true } as object), 'pixel.track("SIGN_UP")');
    const one = await visit(
      { ...page, headers: { "content-security-policy": "sandbox allow-scripts" } },
      { path: `/?ScCid=${CLICK}` },
    );
    await arrived(1);
    expect(await run(one, "pixel.identifiers()")).toMatchObject({ clickId: CLICK });
    expect(new Set(await one.warnings())).toEqual(new Set(["storage_blocked"]));
    expect(one.errors).toEqual([]);
  });

  it("never throws into the page, whatever it is given", async () => {
    const one = await visit({
      html: `<!doctype html><title>Bad</title><script src="/pixel.js"></script><script>
const { createPixel } = snapchatDestination;
const boom = () => { throw new Error("of the page") };
window.results = [
  createPixel(), createPixel(null), createPixel(5), createPixel({ pixelId: "123456789012345" }), createPixel({ pixelId: { toString: null } , debug: boom }),
].map((pixel) => pixel && [pixel.track("PAGE_VIEW"), pixel.track(), pixel.consent("granted"), pixel.identify(7), pixel.identifiers()]);
const bad = createPixel(Object.assign(${JSON.stringify(config({ pixelId: "not-a-uuid" }))}, { debug: warned }));
bad.consent(true); bad.track("SIGN_UP");
window.pixel = createPixel(Object.assign(${JSON.stringify(config({ consent: true } as object))}, { debug: (...said) => { warned(...said); boom() }, onEvent: boom, onIdentifiers: boom }));
pixel.identify({ user_hashed_email: { toString: boom } }); pixel.consent(Symbol("y")); pixel.consent("denied"); pixel.consent(true);
pixel.track("ADD_TO_CART"); pixel.track("add_cart"); pixel.track(null); pixel.track("SEARCH"); pixel.track(Symbol("x"));
pixel.track("ADD_CART", { price: "twelve", value: 3, currency: "pounds", item_ids: [{}], get level() { return boom() } });
pixel.track("ADD_CART", { price: "twelve", value: 3, currency: "pounds", item_ids: [{}] });
pixel.track("SIGN_UP", "text"); pixel.track("SIGN_UP", [1, 2]);
</script>`,
    });
    await arrived(3);
    expect(one.errors).toEqual([]);
    expect(names()).toEqual(["ADD_CART", "SIGN_UP", "SIGN_UP"]);
    for (const hit of hits()) expect(hit).not.toHaveProperty("e_pr");
    const heard = await one.warnings();
    for (const code of [
      "pixel_id_invalid",
      "pixel_id_invalid SIGN_UP",
      "event_off ADD_TO_CART",
      "event_off add_cart",
      "event_off SEARCH",
      "parameter_invalid price",
      "parameter_unknown value",
      "parameter_invalid currency",
      "parameter_invalid item_ids",
      "failed",
    ]) {
      expect(heard).toContain(code);
    }
  });

  it("cannot keep the pixel from reading forms and the data layer, as docs/pixel.md says", async () => {
    simulator.knobs.pixelAutomatedMatching = true;
    const form = `<form><input name="mail" value="Jane@Example.com"><input name="tel" value="+44 7700 900123"><input type="password" value="joe@example.com"></form>`;
    const one = await visit(
      shop(
        config({ consent: true } as object),
        'pixel.track("SIGN_UP")',
        `<script>dataLayer = [{ secret: 1 }]</script>${form}`,
      ),
    );
    await arrived(1);
    await run(one, "document.forms[0].onsubmit = () => false; document.forms[0].requestSubmit()");
    const reports = (kind: string) =>
      simulator.inspect.pixelReports.filter((report) => report.kind === kind).map(({ fields }) => fields);
    await until(() => reports("form").length === 2 && reports("micro_data").length === 1, "what the pixel reads");
    expect(
      reports("form")
        .map(({ hem, hpn }) => hem ?? hpn)
        .sort(),
    ).toEqual([hash("em", "jane@example.com"), hash("ph", "+447700900123")].sort());
    expect(reports("micro_data")[0]?.dl).toContain("secret");
    simulator.knobs.pixelAutomatedMatching = false;
  });

  it("says nothing at all where nobody listens", async () => {
    const html = `<!doctype html><title>Quiet</title>${pixelTag(config({ events: [] }), { consent: true, pageViews: true })}<script>snapchatPixels["${pixelId()}"].track("NOTHING", { a: 1 })</script>`;
    const words: string[] = [];
    const one = await visit({ html: "" });
    one.page.on("console", (message) => words.push(message.text()));
    await one.page.setContent(html);
    expect(await run(one, "typeof snaptr")).toBe("function");
    expect([words, one.errors]).toEqual([[], []]);
  });
});
