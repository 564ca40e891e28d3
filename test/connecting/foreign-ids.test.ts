import type { Tenant } from "snapchat-destination";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, purchase, type Shop } from "../snapchat/shop.ts";
import { surface } from "./surface.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** Methods that take no destination's id; what they do with somebody else's data is said below, one by one. */
const WITHOUT_ID = new Set([
  "track",
  "destinations.create",
  "destinations.list",
  "audit.list",
  "audit.export",
  "people.forget",
  "people.revokeConsent",
  "people.inspect",
]);

/** What some methods want besides the id, so that the id is what they fail on. */
const FURTHER: Record<string, unknown[]> = {
  "destinations.update": [{ name: "Mine now" }],
  "destinations.rename": ["Mine now"],
  "destinations.connect": ["any"],
  "connections.import": [{ refreshToken: "r" }],
  explain: [purchase("a")],
  "accounts.adAccounts": [{ organizationId: "o" }],
  "accounts.pixels": [{ organizationId: "o" }],
  "accounts.mobileApps": [{ organizationId: "o" }],
  "pixel.calls": [purchase("a")],
};

/** What a call throws, now, later, or when what it answers is walked. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    const answer = await call();
    if (typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer) {
      await Array.fromAsync(answer as AsyncIterable<unknown>);
    }
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("another tenant's destination", () => {
  it("is answered like one that does not exist by every method of the handle, and nothing of it changes", async () => {
    const evil = shop.snapchat.tenant("evil");
    const before = await shop.acme.destinations.get(shop.id);
    const methods = surface(evil).filter(([path]) => !WITHOUT_ID.has(path));
    expect(methods.length).toBeGreaterThanOrEqual(25);
    for (const [path, method] of methods) {
      const further = FURTHER[path] ?? [];
      const foreign = await failureOf(() => method(shop.id, ...further));
      expect(foreign, path).toMatchObject({ code: "not_found", kind: "fix_configuration" });
      const missing = await failureOf(() => method("no-such-id", ...further));
      expect(JSON.stringify(foreign), path).toBe(JSON.stringify(missing));
    }
    expect(await shop.acme.destinations.get(shop.id)).toEqual(before);
    expect((await evil.destinations.list()).items).toEqual([]);
  });

  it("is not reached by the methods that take no id", async () => {
    const evil = shop.snapchat.tenant("evil");
    await shop.acme.track([purchase("mine")]);
    const [receipt] = await evil.track([purchase("theirs")], { destinations: [shop.id] });
    const [nowhere] = await evil.track([purchase("theirs")], { destinations: ["no-such-id"] });
    expect(receipt).toMatchObject({ status: "skipped", parts: [{ destinationId: "", reason: "no_destination" }] });
    expect(receipt).toEqual(nowhere);
    expect((await evil.audit.list({ destinationId: shop.id })).items).toEqual([]);
    expect(await Array.fromAsync(evil.audit.export({ destinationId: shop.id }))).toEqual([]);
    await expect(
      evil.people.revokeConsent({ email: "jane@example.com" } as never, { destinationId: shop.id }),
    ).rejects.toMatchObject({ code: "not_found" });
    await evil.people.forget({ email: "jane@example.com" } as never);
    await shop.snapchat.drain({ maxMs: 10_000 });
    expect(shop.simulator.inspect.events).toMatchObject({ counted: 1 });
  });

  it("cannot be made again under its id, which would reach its queue", async () => {
    const evil: Tenant = shop.snapchat.tenant("evil");
    await shop.acme.track([purchase("waiting")]);
    await expect(evil.destinations.create({ name: "Same id", id: shop.id })).rejects.toMatchObject({
      code: "already_exists",
    });
    const { connection } = await shop.acme.destinations.get(shop.id);
    const mine = await evil.destinations.create({ name: "Mine" });
    await expect(evil.destinations.connect(mine.id, connection?.id ?? "")).rejects.toMatchObject({ code: "not_found" });
    await evil.destinations.delete(mine.id);
    await shop.snapchat.drain({ maxMs: 10_000 });
    expect(shop.simulator.inspect.events.list().map(({ eventId }) => eventId)).toContain("waiting");
  });

  it("may have its id once it is deleted", async () => {
    const evil = shop.snapchat.tenant("evil");
    const other = await shop.acme.destinations.create({ name: "Short", id: "short" });
    await shop.acme.destinations.delete(other.id);
    expect(await evil.destinations.create({ name: "Next", id: "short" })).toMatchObject({ id: "short" });
  });
});
