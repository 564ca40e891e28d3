import { definePlugin } from "snapchat-destination";
import { hash } from "snapchat-destination/identity";
import { afterEach, describe, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

describe("consent of the host's own, asked again at the moment of sending", () => {
  const JANE = hash("em", "jane@example.com");
  type Asked = { purpose: string; identifiers: Readonly<Record<string, unknown>> };

  async function open(answer: (asked: Asked) => boolean) {
    const asked: Asked[] = [];
    const plugin = definePlugin({
      name: "consents",
      consent: ({ identifiers }, purpose) => {
        asked.push({ purpose, identifiers });
        return answer({ purpose, identifiers });
      },
    });
    shop = await openShop({ plugins: [plugin] });
    return asked;
  }

  it("sends nothing of a person who refused meanwhile, and asks with digests only", async () => {
    let refused = false;
    const asked = await open(({ identifiers }) => !(refused && String([identifiers.em].flat()[0]) === JANE));
    await shop.acme.track([
      purchase("a"),
      purchase("b", "joe@example.com"),
      entered("vip"),
      entered("vip", "joe@example.com"),
    ]);
    refused = true;
    const atIngest = asked.length;
    await shop.snapchat.drain({ maxMs: 10_000 });
    expect(shop.simulator.inspect.events.list().map(({ eventId }) => eventId)).toEqual(["b"]);
    const [segment] = await shop.acme.segments.list(shop.id);
    const members = shop.simulator.inspect.members(segment?.segmentId ?? "");
    expect([...members.EMAIL_SHA256]).toEqual([hash("em", "joe@example.com")]);
    const later = asked.slice(atIngest);
    expect(new Set(later.map(({ purpose }) => purpose))).toEqual(new Set(["events", "audiences"]));
    expect(JSON.stringify(later)).not.toContain("@");
    expect((await shop.snapchat.stats()).waiting).toBe(0);
  });

  it("asks nobody about a removal", async () => {
    let refused = false;
    await open(() => !refused);
    await shop.acme.track([entered("vip")]);
    await shop.snapchat.drain({ maxMs: 10_000 });
    await shop.acme.track([entered("vip", "jane@example.com", "removed_from_segment")]);
    refused = true;
    await shop.snapchat.drain({ maxMs: 10_000 });
    const [segment] = await shop.acme.segments.list(shop.id);
    expect(shop.simulator.inspect.members(segment?.segmentId ?? "").EMAIL_SHA256.size).toBe(0);
  });

  it("keeps the event while nobody knows, and refuses the call at ingest", async () => {
    let down = false;
    await open(() => {
      if (down) throw new Error("down");
      return true;
    });
    await shop.acme.track([purchase("a")]);
    down = true;
    await shop.snapchat.drain({ maxMs: 1_000 });
    expect(shop.simulator.inspect.events.received).toBe(0);
    expect((await shop.snapchat.stats()).waiting).toBe(1);
    await expect(shop.acme.track([purchase("b")])).rejects.toMatchObject({ code: "plugin_failed", kind: "retry" });
    expect((await shop.snapchat.stats()).waiting).toBe(1);
  });
});

describe("the host's own key of a person", () => {
  it("is enough to forget what was queued under it", async () => {
    const plugin = definePlugin({
      name: "crm",
      resolveIdentity: ({ identifiers, personKey }) => {
        const email = [identifiers?.em].flat()[0];
        return personKey === undefined && email ? { personKey: `key of ${email.length}` } : undefined;
      },
    });
    shop = await openShop({ plugins: [plugin] });
    await shop.acme.track([purchase("a", "jane@example.com"), purchase("b", "joe@example.com"), entered("vip")]);
    await shop.acme.people.forget({ personKey: `key of ${"jane@example.com".length}` });
    await shop.snapchat.drain({ maxMs: 10_000 });
    expect(shop.simulator.inspect.events.list().map(({ eventId }) => eventId)).toEqual(["b"]);
    const [segment] = await shop.acme.segments.list(shop.id);
    expect(shop.simulator.inspect.members(segment?.segmentId ?? "").EMAIL_SHA256.size).toBe(0);
  });
});
