import { describe, expect, it } from "vitest";
import { createTenants } from "../../src/destinations/index.ts";
import { memory } from "../../src/memory/index.ts";
import { FakeClock } from "./fakes/clock.ts";
import { ACCOUNT_2, createWorld, PIXEL, PIXEL_2 } from "./fakes/world.ts";

/** The room on a real storage: its records and its outbox, claimed from as the worker does. */
async function shopOnMemory() {
  const clock = new FakeClock();
  const { records, outbox } = memory({ clock });
  const world = createWorld({ clock, storage: { records, outbox } });
  const { id } = await world.enabledShop();
  let count = 0;
  return {
    ...world,
    outbox,
    id,
    append: (group: string) =>
      outbox.append([
        {
          id: `e${++count}`,
          group: { destinationId: id, name: group },
          priority: 0,
          items: 1,
          payload: new Uint8Array([count]),
        },
      ]),
    /** Ids of all that leaves now, and with which credential. */
    async deliver(): Promise<[string, string][]> {
      const left: [string, string][] = [];
      for (;;) {
        const claim = await outbox.claim({ owner: "test", leaseMs: 60_000, maxItems: 100, maxBytes: 1_000_000 });
        if (!claim) return left;
        left.push(...claim.entries.map((entry): [string, string] => [entry.id, claim.group.credentialId]));
        await outbox.settle(
          claim,
          claim.entries.map((entry) => ({ id: entry.id })),
        );
      }
    },
    dead: async () =>
      (await outbox.dead.list({ destinationId: id, limit: 100 })).items
        .map(({ entryId, reason }) => [entryId, reason])
        .sort(),
  };
}

describe("a destination's life on a real outbox", () => {
  it("holds, finishes and drops", async () => {
    const shop = await shopOnMemory();
    const { destinations, id } = shop;
    await shop.append(`events/${PIXEL}`);
    await destinations.disable("acme", id);
    expect(await shop.deliver()).toEqual([]);
    await destinations.disable("acme", id, { queue: "finish" });
    expect(await shop.deliver()).toEqual([["e1", `conversions/acme/${id}/1`]]);
    await destinations.enable("acme", id);
    await shop.append(`events/${PIXEL}`);
    await destinations.disable("acme", id, { queue: "drop" });
    expect(await shop.dead()).toEqual([["e2", "dropped"]]);
    await destinations.enable("acme", id);
    await shop.append(`events/${PIXEL}`);
    expect((await shop.deliver()).map(([entry]) => entry)).toEqual(["e3"]);
  });

  it("holds events while server-side is off, moves to another pixel, and drops what was for the old one", async () => {
    const shop = await shopOnMemory();
    const { destinations, id } = shop;
    await shop.append(`events/${PIXEL}`);
    await destinations.update("acme", id, { serverSide: false });
    expect(await shop.deliver()).toEqual([]);
    await destinations.update("acme", id, { adAccountId: ACCOUNT_2, pixelId: PIXEL_2 }, { queue: "drop" });
    await destinations.update("acme", id, { serverSide: true });
    await shop.append(`events/${PIXEL_2}`);
    expect((await shop.deliver()).map(([entry]) => entry)).toEqual(["e2"]);
    expect(await shop.dead()).toEqual([["e1", "dropped"]]);
  });

  it("takes a new token for what is queued already, and the login where there is none", async () => {
    const shop = await shopOnMemory();
    const { destinations, id } = shop;
    await shop.append(`events/${PIXEL}`);
    await destinations.update("acme", id, { conversionsToken: "another-token-canary" });
    expect(await shop.deliver()).toEqual([["e1", `conversions/acme/${id}/2`]]);
    await shop.append(`events/${PIXEL}`);
    await destinations.update("acme", id, { conversionsToken: null });
    expect(await shop.deliver()).toEqual([["e2", "oauth/acme/c1"]]);
    await shop.append(`events/${PIXEL}`);
    shop.signIn("acme", "c1", { status: "reauth_required" });
    await destinations.connectionChanged("acme", "c1");
    expect(await shop.deliver()).toEqual([]);
    shop.signIn("acme", "c1");
    await destinations.connectionChanged("acme", "c1");
    expect(await shop.deliver()).toEqual([["e3", "oauth/acme/c1"]]);
  });

  it("suspends, and leaves nothing behind when the tenant leaves", async () => {
    const shop = await shopOnMemory();
    const tenants = createTenants(shop.context);
    await shop.append(`events/${PIXEL}`);
    await tenants.suspend("acme");
    expect(await shop.deliver()).toEqual([]);
    await tenants.resume("acme");
    expect(await shop.deliver()).toHaveLength(1);
    await shop.append(`events/${PIXEL}`);
    expect(await tenants.offboard("acme")).toMatchObject({ queuedItems: 1, destinations: 1 });
    expect(await shop.outbox.depth()).toEqual([]);
    await expect(shop.append(`events/${PIXEL}`)).rejects.toMatchObject({ code: "unknown_group" });
  });
});
