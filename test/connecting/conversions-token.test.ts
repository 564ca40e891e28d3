import { randomBytes } from "node:crypto";
import { createSnapchat, type Snapchat, type Tenant } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { purchase, shopWorkflow } from "../snapchat/shop.ts";
import { runningClock } from "./running-clock.ts";
import { canary } from "./walk/canaries.ts";
import { createWalk, type Walk } from "./walk/sinks.ts";

const MINUTE = 60_000;

let clock: ReturnType<typeof runningClock>;
let simulator: Simulator;
let snapchat: Snapchat;
let acme: Tenant;
let walk: Walk;
let id: string;
let token: string;

beforeEach(async () => {
  clock = runningClock();
  simulator = await createSimulator({ listen: false });
  simulator.knobs.conversionsTokenRefusedMs = 60 * MINUTE;
  const { clientId, clientSecret, main } = simulator.world;
  walk = createWalk();
  snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri: "https://cdp.example/snapchat/callback" },
    storage: walk.watched(memory({ clock })),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: Object.values(simulator.endpoints),
    fetch: (request) => simulator.fetch(request),
    clock,
  });
  acme = snapchat.tenant("acme");
  id = (await acme.destinations.create({ name: "Shop" })).id;
  const login = simulator.control.issueToken();
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = login;
  await acme.destinations.update(id, { pixelId: main.pixel.id, workflow: shopWorkflow() });
  await acme.connections.import(id, { accessToken, refreshToken, expiresInMs: 1_000 * seconds });
  token = simulator.control.addConversionsToken(main.organization.id).token;
});
afterEach(async () => {
  await snapchat.close();
  await simulator.close();
});

const status = async () => (await acme.destinations.get(id)).conversionsToken?.status;
const event = (name: string) => ({ ...purchase(name), timestamp: new Date(clock.now()).toISOString() });

describe("a token that Snapchat refuses for its first hour", () => {
  it("is saved unconfirmed, leaves events to the login, and is accepted by itself", async () => {
    const pasted = await acme.destinations.update(id, { conversionsToken: `\n ${token}\t` }, { actor: "user-7" });
    expect(pasted.conversionsToken).toEqual({ masked: `…${token.slice(-4)}`, status: "unconfirmed" });
    await acme.destinations.enable(id);
    expect((await acme.preflight(id)).lines).toContainEqual(expect.objectContaining({ code: "token_unconfirmed" }));

    const [early] = await acme.track([event("early")]);
    expect(early?.status).toBe("queued");
    await snapchat.drain({ maxMs: 5_000 });
    expect(simulator.inspect.events.counted).toBe(1);
    expect(await status()).toBe("unconfirmed");

    const worker = snapchat.startWorker();
    let minutes = 0;
    for (; (await status()) !== "accepted" && minutes < 180; minutes += 1) {
      clock.forward(MINUTE);
      simulator.control.advance(MINUTE);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(minutes).toBeGreaterThanOrEqual(60);
    expect(minutes).toBeLessThan(180);
    await worker.stop();
    await acme.track([event("late")]);
    await snapchat.drain({ maxMs: 5_000 });
    expect(simulator.inspect.events.counted).toBe(2);
    const kinds = simulator.inspect.requests.filter(({ area, method }) => area === "conversions" && method === "POST");
    expect(kinds.map(({ token: by }) => (by === simulator.inspect.tokenId(token) ? "token" : "login"))).toEqual([
      "login",
      "token",
    ]);
    const actions = (await acme.audit.list({ destinationId: id })).items.map(
      ({ actor, action }) => `${actor} ${action}`,
    );
    expect(actions).toContain("snapchat destination.token_accepted");
  });

  it("is readable nowhere", async () => {
    await acme.destinations.update(id, { conversionsToken: token });
    await walk.asking(() => acme.destinations.get(id));
    await walk.asking(() => acme.destinations.list());
    await walk.asking(() => acme.preflight(id));
    await walk.asking(() => acme.verify(id));
    await walk.asking(() => acme.audit.list());
    await walk.asking(() => snapchat.stats());
    await walk.asking(() => acme.destinations.update(id, { conversionsToken: `${token} ${token}` }));
    expect(walk.size("storage")).toBeGreaterThan(1_000);
    expect(walk.size("errors")).toBeGreaterThan(100);
    expect(walk.sightings(canary("token", "secret", token))).toEqual([]);
  });
});
