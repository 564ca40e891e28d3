import { createHash, randomBytes } from "node:crypto";
import { memory } from "snapchat-destination/memory";
import type { Slots } from "snapchat-destination/storage";
import { afterEach, expect, it, vi } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

const jane = createHash("sha256").update("jane@example.com").digest();

it("a suspended tenant's events are skipped with that reason, and taken again once it is resumed", async () => {
  shop = await openShop();
  await shop.snapchat.tenants.suspend("acme");
  const [receipt] = await shop.acme.track([purchase("a")]);
  expect(receipt).toMatchObject({
    status: "skipped",
    parts: [{ destinationId: shop.id, status: "skipped", reason: "tenant_suspended" }],
  });
  await shop.snapchat.tenants.resume("acme");
  expect((await shop.acme.track([purchase("a")]))[0]?.status).toBe("queued");
});

it("a deleted destination leaves no members behind", async () => {
  const storage = memory();
  shop = await openShop({ storage });
  await shop.acme.track([entered("VIP")], { receivedAt: Date.now() });
  await shop.snapchat.drain({ maxMs: 5_000 });
  expect(await storage.members?.find("acme", [jane])).toHaveLength(1);
  await shop.acme.destinations.delete(shop.id);
  expect(await storage.members?.find("acme", [jane])).toEqual([]);
});

it("limits of the host's own go before Snapchat's", async () => {
  const storage = memory();
  const asked = vi.spyOn(storage.slots as Slots, "reserve");
  shop = await openShop({ storage, limits: { conversionsTokenPerSecond: 40 } });
  // The dropdowns have taken theirs.
  asked.mockClear();
  await shop.acme.track([purchase("a")]);
  await shop.snapchat.drain({ maxMs: 5_000 });
  expect(asked.mock.calls.map(([scopes]) => scopes)).toEqual([
    [{ key: expect.any(String), perWindow: 3, windowMs: 84 }],
  ]);
});

it("a key may go once nothing is stored that it has sealed", async () => {
  const [old, fresh] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
  const storage = memory();
  shop = await openShop({ storage, encryptionKeys: [fresh, old] });
  const payloads = async () => (await shop.snapchat.keys.inUse()).find(({ sealing }) => !sealing)?.payloads;
  expect(await payloads()).toBe(false);
});
