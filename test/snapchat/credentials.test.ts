/** Which credential each request with events leaves with, as Snapchat sees it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { openShop, purchase, type Shop, signIn } from "./shop.ts";

const HOUR_MS = 3_600_000;

let shop: Shop;
afterEach(() => shop.close());

/** Kinds of tokens of the event requests since the last look, with the answers they got. */
function looker() {
  let from = shop.simulator.inspect.requests.length;
  return () => {
    const seen = shop.simulator.inspect.requests
      .slice(from)
      .filter(({ method, path }) => method === "POST" && path.endsWith("/events"))
      .map(({ token, status }) => `${shop.simulator.inspect.tokens.find(({ id }) => id === token)?.kind} ${status}`);
    from = shop.simulator.inspect.requests.length;
    return seen;
  };
}

const deliver = async (id: string) => {
  await shop.acme.track([purchase(id)]);
  await shop.snapchat.drain({ maxMs: 10_000 });
};
const status = async () => (await shop.acme.destinations.get(shop.id)).conversionsToken?.status;

describe("the credential of each request", () => {
  it("is the Conversions token where there is one, and the login where there is none", async () => {
    shop = await openShop();
    const since = looker();
    await deliver("a");
    expect(since()).toEqual(["conversions_token 200"]);
    await shop.acme.destinations.update(shop.id, { conversionsToken: null });
    await deliver("b");
    expect(since()).toEqual(["access 200"]);
    expect(shop.simulator.inspect.events.counted).toBe(2);
  });

  it("is the login while a new token is refused, for up to an hour, and the token once it is accepted", async () => {
    shop = await openShop();
    shop.simulator.knobs.conversionsTokenRefusedMs = HOUR_MS;
    const token = shop.simulator.control.addConversionsToken(shop.simulator.world.main.organization.id);
    await shop.acme.destinations.update(shop.id, { conversionsToken: token.token });
    expect(await status()).toBe("unconfirmed");
    const since = looker();
    await deliver("a");
    expect(since()).toEqual(["access 200"]);
    await shop.acme.destinations.checkToken(shop.id);
    expect(await status()).toBe("unconfirmed");
    shop.simulator.control.advance(HOUR_MS + 60_000);
    await shop.acme.destinations.checkToken(shop.id);
    expect(await status()).toBe("accepted");
    const { snapchat, simulator } = shop;
    await signIn({ snapchat, simulator }, "acme", shop.id);
    since();
    await deliver("b");
    expect(since()).toEqual(["conversions_token 200"]);
    expect(shop.simulator.inspect.events.counted).toBe(2);
  });

  it("changes from a token that is refused to the login, with the same events, and nothing is counted twice", async () => {
    shop = await openShop();
    shop.simulator.control.revokeConversionsToken(shop.simulator.world.main.conversionsToken);
    const since = looker();
    await deliver("a");
    await vi.waitUntil(
      async () => {
        await shop.snapchat.drain({ maxMs: 1_000 });
        return shop.simulator.inspect.events.counted === 1;
      },
      { timeout: 60_000 },
    );
    const seen = since();
    expect(seen[0]).toMatch(/^conversions_token 40[01]$/);
    expect(seen.at(-1)).toBe("access 200");
    expect(await status()).toBe("refused");
    await deliver("b");
    expect(since()).toEqual(["access 200"]);
    expect(shop.simulator.inspect.events).toMatchObject({ counted: 2 });
  });
});
