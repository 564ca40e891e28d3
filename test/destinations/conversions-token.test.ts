import { describe, expect, it } from "vitest";
import { createWorld, PIXEL, TOKEN } from "./fakes/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function withRefusedToken(login: boolean) {
  const world = createWorld();
  world.script.token = "refused";
  const { id } = await world.destinations.create("acme", { name: "Shop" });
  if (login) await world.destinations.connect("acme", id, world.signIn("acme"));
  await world.destinations.update("acme", id, { pixelId: PIXEL, conversionsToken: TOKEN });
  await world.destinations.enable("acme", id);
  const status = async () => (await world.destinations.get("acme", id)).conversionsToken?.status;
  const credential = () => [...world.queue.groups.values()][0]?.credentialId;
  return { ...world, id, status, credential };
}

describe("a Conversions token that Snapchat does not take yet", () => {
  it("is saved unconfirmed, asked about every five minutes, and accepted by itself after an hour", async () => {
    const { destinations, clock, status, script, judged, credential, id } = await withRefusedToken(false);
    expect(await status()).toBe("unconfirmed");
    for (let minute = 0; minute < 60; minute += 5) {
      clock.advance(5 * MINUTE);
      expect((await destinations.maintain()).checkedTokens).toBe(1);
      expect((await destinations.maintain()).checkedTokens).toBe(0);
    }
    expect(await status()).toBe("unconfirmed");
    expect(judged).toHaveLength(13);
    script.token = "accepted";
    clock.advance(5 * MINUTE);
    await destinations.maintain();
    expect(await status()).toBe("accepted");
    expect(credential()).toBe(`conversions/acme/${id}/1`);
    clock.advance(HOUR);
    expect((await destinations.maintain()).checkedTokens).toBe(0);
  });

  it("leaves events to the login until then", async () => {
    const { destinations, clock, script, credential, id } = await withRefusedToken(true);
    expect(credential()).toBe("oauth/acme/c1");
    script.token = "accepted";
    clock.advance(5 * MINUTE);
    await destinations.maintain();
    expect(credential()).toBe(`conversions/acme/${id}/1`);
  });

  it("is called refused after two hours, and still asked about now and then", async () => {
    const { destinations, clock, status, queue, id } = await withRefusedToken(false);
    for (let minute = 0; minute <= 125; minute += 5) {
      clock.advance(5 * MINUTE);
      await destinations.maintain();
    }
    expect(await status()).toBe("refused");
    expect(queue.reasons(id, `events/${PIXEL}`, `conversions/acme/${id}/1`)).toEqual(["token_refused"]);
    for (let hour = 0; hour < 12; hour++) {
      clock.advance(HOUR);
      await destinations.maintain();
    }
    expect((await destinations.get("acme", id)).conversionsToken?.status).toBe("refused");
  });

  it("is never called refused because Snapchat did not answer", async () => {
    const { destinations, clock, status, script } = await withRefusedToken(false);
    script.token = new Error("network");
    for (let hour = 0; hour < 5; hour++) {
      clock.advance(HOUR);
      await destinations.maintain();
    }
    expect(await status()).toBe("unconfirmed");
  });

  it("is asked about by one of several processes only", async () => {
    const world = await withRefusedToken(false);
    const other = createWorld(world);
    world.clock.advance(5 * MINUTE);
    const done = await Promise.all([world.destinations.maintain(), other.destinations.maintain()]);
    expect(done[0].checkedTokens + done[1].checkedTokens).toBe(1);
  });
});

describe("a Conversions token that Snapchat refuses while sending", () => {
  it("gives way to the login, and to a new token", async () => {
    const { destinations, enabledShop, script, queue } = createWorld();
    const { id } = await enabledShop();
    script.token = "refused";
    expect(await destinations.tokenRefused("acme", id, 1)).toBe("retry");
    expect([...queue.groups.values()][0]?.credentialId).toBe("oauth/acme/c1");
    expect((await destinations.get("acme", id)).conversionsToken?.status).toBe("refused");
    script.token = "accepted";
    await destinations.update("acme", id, { conversionsToken: "another-token-canary" });
    expect([...queue.groups.values()][0]?.credentialId).toBe(`conversions/acme/${id}/2`);
    expect(await destinations.tokenRefused("acme", id, 1)).toBe("retry");
    expect(await destinations.conversionsToken("acme", id, 1)).toBeUndefined();
    expect((await destinations.conversionsToken("acme", id, 2))?.reveal()).toBe("another-token-canary");
  });

  it("pauses where nothing takes its place", async () => {
    const { destinations, enabledShop, script, connections } = createWorld();
    const { id } = await enabledShop();
    connections.clear();
    script.token = "refused";
    expect(await destinations.tokenRefused("acme", id, 1)).toBe("pause");
  });

  it("is doubted where Snapchat does not answer, asked about every five minutes, and goes on", async () => {
    const { destinations, enabledShop, script, connections, queue, clock } = createWorld();
    const { id } = await enabledShop();
    const status = async () => (await destinations.get("acme", id)).conversionsToken?.status;
    connections.clear();
    clock.advance(90 * 24 * HOUR);
    script.token = new Error("network");
    expect(await destinations.tokenRefused("acme", id, 1)).toBe("pause");
    expect(await status()).toBe("unconfirmed");
    expect(await destinations.tokenAccepted("acme", id, 1)).toBe(false);
    const credentialId = `conversions/acme/${id}/1`;
    await queue.pause({ credentialId }, "reauth_required");
    for (let minute = 0; minute < 30; minute += 5) {
      clock.advance(5 * MINUTE);
      expect((await destinations.maintain()).checkedTokens).toBe(1);
    }
    expect(queue.reasons(id, `events/${PIXEL}`, credentialId)).toEqual(["reauth_required"]);
    script.token = "accepted";
    clock.advance(5 * MINUTE);
    await destinations.maintain();
    expect(await status()).toBe("accepted");
    expect(await destinations.tokenAccepted("acme", id, 1)).toBe(true);
    expect(queue.reasons(id, `events/${PIXEL}`, credentialId)).toEqual([]);
  });

  it("is tried again where Snapchat takes it after all", async () => {
    const { destinations, enabledShop } = createWorld();
    const { id } = await enabledShop();
    expect(await destinations.tokenRefused("acme", id, 1)).toBe("retry");
    expect((await destinations.get("acme", id)).conversionsToken?.status).toBe("accepted");
  });
});

describe("two people pasting tokens at once", () => {
  it("ends with one of them, and only that one is kept", async () => {
    const { destinations, enabledShop, records } = createWorld();
    const { id } = await enabledShop();
    const pasted = Array.from({ length: 5 }, (_, i) => `token-canary-number-${i}`);
    await Promise.all(pasted.map((conversionsToken) => destinations.update("acme", id, { conversionsToken })));
    const found = [];
    for (let n = 0; n <= 30; n++) {
      const secret = await destinations.conversionsToken("acme", id, n);
      if (secret) found.push(secret);
    }
    expect(found).toHaveLength(1);
    const shown = (await destinations.get("acme", id)).conversionsToken?.masked;
    expect(found[0]?.masked()).toBe(shown);
    await destinations.update("acme", id, { conversionsToken: null });
    expect([...records.rows.keys()].filter((key) => key.startsWith("secret/"))).toEqual([]);
    expect((await destinations.get("acme", id)).conversionsToken).toBeUndefined();
  });
});
