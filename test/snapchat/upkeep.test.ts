import { randomBytes } from "node:crypto";
import { createSnapchat, type Snapchat, type SnapchatOptions } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createUpkeep, drainWithUpkeep } from "../../src/snapchat/upkeep.ts";
import { runningClock } from "../connecting/running-clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("a host that runs nothing but drain", () => {
  let clock: ReturnType<typeof runningClock>;
  let simulator: Simulator;
  let processes: Snapchat[];
  let id: string;

  beforeEach(async () => {
    clock = runningClock();
    simulator = await createSimulator({ listen: false });
    const { clientId, clientSecret, main } = simulator.world;
    const options: SnapchatOptions = {
      app: { clientId, clientSecret, redirectUri: "https://cdp.example/snapchat/callback" },
      storage: memory({ clock }),
      acceptLoss: true,
      encryptionKeys: [randomBytes(32).toString("base64")],
      endpoints: simulator.endpoints,
      allowEndpoints: Object.values(simulator.endpoints),
      fetch: (request) => simulator.fetch(request),
      clock,
    };
    processes = [createSnapchat(options), createSnapchat(options), createSnapchat(options)];
    const acme = tenant();
    id = (await acme.destinations.create({ name: "Shop" })).id;
    const login = simulator.control.issueToken();
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = login;
    await acme.destinations.update(id, { pixelId: main.pixel.id });
    await acme.connections.import(id, { accessToken, refreshToken, expiresInMs: 1_000 * seconds });
  });
  afterEach(async () => {
    await Promise.all(processes.map((one) => one.close()));
    await simulator.close();
  });

  const tenant = () => (processes[0] as Snapchat).tenant("acme");
  const later = (ms: number) => {
    clock.forward(ms);
    simulator.control.advance(ms);
  };
  const drains = () => Promise.all(processes.map((one) => one.drain({ maxMs: 2_000 })));
  const refreshes = () => simulator.inspect.requests.filter(({ path }) => path.includes("access_token")).length;

  it("keeps idle logins alive, one refresh whatever the number of processes", async () => {
    await drains();
    const before = refreshes();
    later(8 * DAY);
    await drains();
    expect(refreshes() - before).toBe(1);
    later(6 * DAY);
    await drains();
    expect(refreshes() - before).toBe(1);
    later(2 * DAY);
    await drains();
    expect(refreshes() - before).toBe(2);
  });

  it("asks again about a Conversions token that was not accepted yet", async () => {
    simulator.knobs.conversionsTokenRefusedMs = HOUR;
    const { token } = simulator.control.addConversionsToken(simulator.world.main.organization.id);
    await tenant().destinations.update(id, { conversionsToken: token });
    await drains();
    expect((await tenant().destinations.get(id)).conversionsToken?.status).toBe("unconfirmed");
    later(1.5 * HOUR);
    await drains();
    expect((await tenant().destinations.get(id)).conversionsToken?.status).toBe("accepted");
  });
});

describe("the upkeep of a drain", () => {
  const nothing = { delivered: 0, retrying: 0, dead: 0, requests: 0, left: 0 };

  function keeping(logins: number) {
    const kept: number[] = [];
    const { records } = memory();
    const upkeep = createUpkeep({
      clock: systemClock,
      records,
      destinations: { maintain: async () => ({ recovered: 0, checkedTokens: 0 }) },
      vault: {
        async keepAlive({ signal } = {}) {
          for (let n = kept.length; n < logins && !signal?.aborted; n++) {
            await systemClock.sleep(20);
            kept.push(n);
          }
          return { connections: logins, refreshed: kept.length, failed: 0 };
        },
      },
      presence: { note: async () => {} },
    });
    const drain = (maxMs: number) => drainWithUpkeep(async () => nothing, { clock: systemClock, upkeep, maxMs });
    return { kept, drain };
  }

  it("begins no refresh in its last half, and goes on in the next", async () => {
    const { kept, drain } = keeping(12);
    await drain(200);
    const first = kept.length;
    expect(first).toBeLessThan(12);
    for (let n = 0; n < 20 && kept.length < 12; n++) await drain(200);
    expect(kept).toHaveLength(12);
    await drain(200);
    expect(kept).toHaveLength(12);
  });

  it("is nobody's failure: what throws is tried again by the next one, what was done is not", async () => {
    let calls = 0;
    const upkeep = createUpkeep({
      clock: systemClock,
      records: memory().records,
      destinations: {
        maintain: async () => {
          if (++calls < 3) throw new Error("away");
          return { recovered: 0, checkedTokens: 0 };
        },
      },
      vault: { keepAlive: async () => ({ connections: 0, refreshed: 0, failed: 0 }) },
      presence: {
        note: async () => {
          throw new Error("away");
        },
      },
    });
    const drain = () => drainWithUpkeep(async () => nothing, { clock: systemClock, upkeep, maxMs: 100 });
    for (let n = 0; n < 5; n++) expect(await drain()).toEqual(nothing);
    expect(calls).toBe(3);
  });
});
