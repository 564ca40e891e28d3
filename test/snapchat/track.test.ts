import { hash } from "snapchat-destination/identity";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const drain = () => shop.snapchat.drain({ maxMs: 20_000 });

describe("track", () => {
  it("answers one receipt per event, in order, and Snapchat counts each once", async () => {
    const receipts = await shop.acme.track([purchase("a"), { event: "wheel_spun" }, purchase("b")]);
    expect(receipts.map(({ status, eventId }) => [status, eventId])).toEqual([
      ["queued", "a"],
      ["skipped", expect.any(String)],
      ["queued", "b"],
    ]);
    await drain();
    expect(shop.simulator.inspect.events).toMatchObject({ received: 2, counted: 2 });
  });

  it("says why an event was not sent", async () => {
    const [viewed, unknown] = await shop.acme.track([{ event: "Product viewed" }, { event: "wheel_spun" }]);
    expect(viewed?.parts).toMatchObject([
      { channel: "server", status: "skipped", reason: "client_only" },
      { channel: "client", status: "skipped", reason: "sent_by_browser" },
    ]);
    expect(unknown?.parts).toMatchObject([{ status: "skipped", reason: "unknown_event" }]);
  });

  it("offers each event to every enabled destination of the tenant and to no other tenant's", async () => {
    const second = await shop.acme.destinations.create({ name: "Second pixel" });
    const other = await shop.snapchat.tenant("other").destinations.create({ name: "Other" });
    const { pixel, conversionsToken } = shop.simulator.world.main;
    for (const [tenant, { id }] of [
      ["acme", second],
      ["other", other],
    ] as const) {
      const handle = shop.snapchat.tenant(tenant);
      await handle.destinations.update(id, { pixelId: pixel.id, conversionsToken, workflow: shopWorkflow() });
      await handle.destinations.enable(id);
    }
    const [receipt] = await shop.acme.track([purchase("a")]);
    const queued = receipt?.parts.filter(({ status }) => status === "queued");
    expect(new Set(queued?.map(({ destinationId }) => destinationId))).toEqual(new Set([shop.id, second.id]));
  });

  it("offers to the destinations that are named only", async () => {
    const [receipt] = await shop.acme.track([purchase("a")], { destinations: [] });
    expect(receipt).toMatchObject({ status: "skipped", parts: [{ destinationId: "", reason: "no_destination" }] });
  });

  it("says that there is nobody to offer to: a wrong tenant, a wrong id, a destination that is off", async () => {
    const [nobody] = await shop.snapchat.tenant("acmee").track([purchase("a")]);
    expect(nobody).toMatchObject({
      status: "skipped",
      parts: [{ destinationId: "", reason: "no_destination", words: { fix: expect.stringContaining("tenant's id") } }],
    });
    const second = await shop.acme.destinations.create({ name: "Second pixel" });
    const [beside] = await shop.acme.track([purchase("a")]);
    expect(new Set(beside?.parts.map(({ destinationId }) => destinationId))).toEqual(new Set([shop.id]));
    const [named] = await shop.acme.track([purchase("b")], { destinations: [second.id, "none"] });
    expect(named?.parts).toMatchObject([{ destinationId: second.id, reason: "destination_disabled" }]);
    await shop.acme.destinations.disable(shop.id);
    const [off] = await shop.acme.track([purchase("c")]);
    expect(off).toMatchObject({ status: "skipped" });
    expect(off?.parts.map(({ destinationId, reason }) => [destinationId, reason])).toEqual([
      [shop.id, "destination_disabled"],
      [second.id, "destination_disabled"],
    ]);
    const [outcome] = await shop.snapchat.sendNow([{ tenantId: "acmee", event: purchase("d") }]);
    expect(outcome).toMatchObject({ status: "skipped", parts: [{ reason: "no_destination" }] });
  });

  it("says which field rejects an event, for what it was given, and what to do, without the value", async () => {
    const priced = (currency: unknown, value: unknown = 20) => {
      const event = purchase(`p-${String(currency)}-${String(value)}`);
      Object.assign(event.customProperties as object, { currency, value });
      return event;
    };
    const receipts = await shop.acme.track([priced("pounds-secret"), priced(undefined), priced("GBP", "cheap-secret")]);
    expect(receipts.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    const server = receipts.map(({ parts }) => parts.find(({ channel }) => channel === "server"));
    expect(server).toMatchObject([
      {
        reason: "currency_unreadable",
        path: "custom_data.currency",
        words: { message: expect.stringContaining("not a three-letter code"), fix: "Use ISO 4217." },
      },
      {
        reason: "currency_missing",
        path: "custom_data.currency",
        from: ["properties.currency"],
        words: {
          message:
            "A PURCHASE needs a currency. The workflow reads it at `properties.currency`, and the event has nothing there.",
          fix: "Send it at `properties.currency`, or map another path to `custom_data.currency`.",
        },
      },
      { reason: "number_unreadable", path: "custom_data.value", words: { fix: "Pass a number." } },
    ]);
    expect(JSON.stringify(receipts.map(({ parts }) => parts))).not.toContain("secret");
    const [queued] = await shop.acme.track([purchase("fine")]);
    expect(queued?.parts[0]).not.toHaveProperty("words");
  });

  it("takes a mixed batch of several tenants with one receipt each", async () => {
    const receipts = await shop.snapchat.track([
      { tenantId: "acme", event: purchase("a") },
      { tenantId: "nobody", event: purchase("b") },
    ]);
    expect(receipts.map(({ status }) => status)).toEqual(["queued", "skipped"]);
  });

  it("answers a repeated call with duplicates and sends nothing twice", async () => {
    const events = [purchase("a"), purchase("b")];
    await shop.acme.track(events);
    const again = await shop.acme.track(events);
    expect(again.map(({ status }) => status)).toEqual(["duplicate", "duplicate"]);
    await drain();
    expect(shop.simulator.inspect.events.received).toBe(2);
  });

  it("sends an event that stands twice in one call once", async () => {
    const receipts = await shop.acme.track([purchase("a"), purchase("a")]);
    expect(receipts.map(({ status }) => status)).toEqual(["queued", "duplicate"]);
  });

  it("gives the pixel's call the id that the server sends", async () => {
    const event = purchase("a");
    const [call] = await shop.acme.pixel.calls(shop.id, event);
    await shop.acme.track([event]);
    await drain();
    const [sent] = shop.simulator.inspect.events.list();
    expect(call).toMatchObject(["track", shop.simulator.world.main.pixel.id, "PURCHASE", { client_dedup_id: "a" }]);
    expect(sent?.eventId).toBe("a");
  });

  it("keeps a segment in step, made at Snapchat on first use", async () => {
    await shop.acme.track([entered("vip", "jane@example.com"), entered("vip", "joe@example.com")]);
    await drain();
    await shop.acme.track([entered("vip", "joe@example.com", "removed_from_segment")]);
    await drain();
    const [segment] = await shop.acme.segments.list(shop.id);
    const members = shop.simulator.inspect.members(segment?.segmentId ?? "");
    expect([...members.EMAIL_SHA256]).toEqual([hash("em", "jane@example.com")]);
    expect(shop.simulator.inspect.segments()).toHaveLength(1);
  });

  it("skips new server events while server-side is off, and goes on with audiences", async () => {
    await shop.acme.destinations.update(shop.id, { serverSide: false });
    const receipts = await shop.acme.track([purchase("a"), entered("vip")]);
    expect(receipts[0]?.parts[0]).toMatchObject({ status: "skipped", reason: "server_side_off" });
    expect(receipts[1]).toMatchObject({ status: "queued" });
  });

  it("refuses the host's transaction where the storage has none", async () => {
    await expect(shop.acme.track([purchase("a")], { tx: {} })).rejects.toMatchObject({ code: "capability_missing" });
  });

  it("explains without sending: the JSON, the pixel call and every reason in words", async () => {
    const { parts } = await shop.acme.explain(shop.id, purchase("a"));
    expect(parts).toMatchObject([
      { channel: "server", status: "queued", identifiers: ["em"] },
      { channel: "client", reason: "sent_by_browser", words: { message: expect.stringContaining("same id") } },
    ]);
    expect(parts[0]?.json).toContain(hash("em", "jane@example.com"));
    expect(JSON.stringify(parts)).not.toContain("jane@example.com");
    await drain();
    expect(shop.simulator.inspect.events.received).toBe(0);
  });

  it("verifies with what Snapchat last saw", async () => {
    await shop.acme.track([purchase("a")]);
    await drain();
    const report = await shop.acme.verify(shop.id);
    expect(report).toMatchObject({ ok: true, snapchat: { stats: { live: { eventsPastHour: 1 } } } });
    expect(report.text()).toContain("Snapchat last saw an event");
  });

  it("keeps the work of a lost login and resumes it when somebody signs in again", async () => {
    const lost: string[] = [];
    await shop.close();
    shop = await openShop({ onReauthRequired: ({ destinationId }) => lost.push(destinationId) });
    shop.simulator.control.revokeRefreshTokens();
    shop.simulator.control.revokeAccessTokens();
    await shop.acme.track([entered("vip"), purchase("a")]);
    await drain();
    expect(shop.simulator.inspect.events.counted).toBe(1);
    expect(shop.simulator.inspect.segments()).toHaveLength(0);
    expect(lost).toContain(shop.id);

    const { signIn } = await import("./shop.ts");
    await signIn(shop, "acme", shop.id);
    await drain();
    expect(shop.simulator.inspect.segments()).toHaveLength(1);
  });
});
