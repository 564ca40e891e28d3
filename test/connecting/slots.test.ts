import { memory } from "snapchat-destination/memory";
import { afterEach, expect, it } from "vitest";
import type { Storage } from "../../src/storage/ports.ts";
import { entered, openShop, purchase, type Shop } from "../snapchat/shop.ts";

let shop: Shop;
afterEach(() => shop.close());

/** The storage, and how many slots were given under keys that begin so. */
function counting(prefix: string): { storage: Storage; given: () => number } {
  const storage = memory();
  let count = 0;
  const reserve: Storage["slots"] = Object.assign(Object.create(storage.slots ?? {}), {
    async reserve(...call: Parameters<NonNullable<Storage["slots"]>["reserve"]>) {
      const answer = await (storage.slots as NonNullable<Storage["slots"]>).reserve(...call);
      if ("inMs" in answer && call[0].some(({ key }) => key.startsWith(prefix))) count += answer.inMs.length;
      return answer;
    },
  });
  return { storage: { ...storage, slots: reserve } as Storage, given: () => count };
}

it("every request of a call that a person waits for takes a slot of the login's limits", async () => {
  const { storage, given } = counting("oauth-token/");
  shop = await openShop({ storage });
  const { acme, id, simulator, snapchat } = shop;
  await acme.track([entered("vip")]);
  await snapchat.drain({ maxMs: 10_000 });
  // Without a token of its own the destination asks for everything with its login.
  await acme.destinations.update(id, { conversionsToken: null });

  const login = new Set(simulator.inspect.tokens.filter(({ kind }) => kind === "access").map((token) => token.id));
  const asked = () => simulator.inspect.requests.filter(({ token }) => token !== undefined && login.has(token)).length;
  const calls = {
    verify: () => acme.verify(id),
    "segments.list": () => acme.segments.list(id),
    "segments.update": () => acme.segments.update(id, "vip", { description: "Best" }),
    explain: () => acme.explain(id, purchase("p-1"), { validate: true }),
    "segments.remove": () => acme.segments.remove(id, "vip", "empty"),
  };
  for (const [name, call] of Object.entries(calls)) {
    const before = { asked: asked(), given: given() };
    await call();
    const requests = asked() - before.asked;
    expect(requests, name).toBeGreaterThan(0);
    expect(given() - before.given, name).toBe(requests);
  }
});

it("every question about a pasted Conversions token takes a slot of that token's limit", async () => {
  const { storage, given } = counting("conversions-token/");
  shop = await openShop({ storage });
  const { acme, id, simulator, snapchat } = shop;
  const asked = () => simulator.inspect.requests.filter(({ path }) => path.endsWith("/stats")).length;
  const before = { asked: asked(), given: given() };
  expect(before.given).toBe(before.asked);
  simulator.faults.add({ path: /stats$/, status: 503, count: 1 });
  await acme.destinations.update(id, { conversionsToken: simulator.world.main.conversionsToken });
  expect(asked() - before.asked).toBeGreaterThan(1);
  expect(given() - before.given).toBe(asked() - before.asked);
  await snapchat.close();
});
