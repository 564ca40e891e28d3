import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { run } from "../../src/cli/simulator.ts";
import { createSimulator } from "../../src/testing/index.ts";
import { start } from "./support.ts";

describe("the simulator", () => {
  it("listens on this machine only, and says what to do about a port in use", async () => {
    const simulator = await createSimulator();
    const { port, hostname } = new URL(simulator.url);
    expect(hostname).toBe("127.0.0.1");
    await expect(createSimulator({ port: Number(port) })).rejects.toMatchObject({
      code: "port_in_use",
      message: expect.stringContaining("choose another port"),
    });
    await expect(createSimulator({ host: "0.0.0.0" as "127.0.0.1" })).rejects.toMatchObject({
      code: "host_not_loopback",
    });
    await simulator.close();
  });

  it("closes although callers wait", async () => {
    const { simulator, call } = await start();
    simulator.faults.add({ halfOpen: true });
    const waiting = expect(call(`${simulator.url}/v1/me`)).rejects.toThrow();
    while (simulator.inspect.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await simulator.close();
    await waiting;
  });

  it("refuses a knob it does not have, and a word a knob does not take", async () => {
    await expect(createSimulator({ knobs: { latency: 5 } as never })).rejects.toThrow("no knob called latency");
    await expect(createSimulator({ knobs: { refreshToken: "new" as never } })).rejects.toThrow("takes: same, rotated");
  });

  it("is the same world for the same seed, another for another", async () => {
    const ids = async (seed: number) => {
      const simulator = await createSimulator({ seed, listen: false });
      return JSON.stringify([simulator.world.main.pixel.id, simulator.world.clientSecret]);
    };
    expect(await ids(5)).toBe(await ids(5));
    expect(await ids(5)).not.toBe(await ids(6));
  });

  it("takes a world of one's own", async () => {
    const simulator = await createSimulator({
      listen: false,
      people: ["zoe"],
      organizations: [
        {
          name: "Acme",
          adAccounts: [{ name: "Acme UK", pixels: ["Acme shop"] }],
          roles: { zoe: ["admin"] },
          mobileApps: ["Acme app"],
        },
      ],
    });
    const { main } = simulator.world;
    expect([
      main.person.name,
      main.organization.name,
      main.adAccount.name,
      main.pixel.name,
      main.mobileApp.name,
    ]).toEqual(["zoe", "Acme", "Acme UK", "Acme shop", "Acme app"]);
    const added = simulator.control.addPixel(main.adAccount.id, "Second");
    const token = simulator.control.addConversionsToken(main.organization.id);
    const answer = await simulator.fetch(
      `${simulator.endpoints.conversions}/v3/${added.id}/events/validate/stats?access_token=${token.token}`,
    );
    expect(answer.status).toBe(200);
  });

  it("can give each of Snapchat's hosts an origin, and each refuses what is another's", async () => {
    const { simulator, call, send, event, token } = await start({ origins: "separate" });
    const { accounts, adsApi, conversions, pixelScript } = simulator.endpoints;
    expect(new Set([accounts, adsApi, conversions, pixelScript]).size).toBe(4);
    expect((await send([event()])).status).toBe(200);
    expect((await token({ grant_type: "refresh_token", refresh_token: "x" })).status).toBe(400);
    expect((await call(`${adsApi}/v1/me`)).status).toBe(401);
    expect((await call(`${pixelScript}/scevent.min.js`)).text).toContain(JSON.stringify(conversions));
    expect((await call(`${adsApi}/login/oauth2/access_token`, { method: "POST" })).status).toBe(404);
    expect((await call(`${conversions}/v1/me`)).status).toBe(404);
    await simulator.close();
  });

  it("forgets what happened on reset, and keeps the world", async () => {
    const { simulator, send, event, ads, segment } = await start();
    const { pixel, adAccount } = simulator.world.main;
    await send([event()]);
    await ads("POST", `/adaccounts/${adAccount.id}/segments`, { segments: [segment()] });
    simulator.faults.add({ status: 500 });
    simulator.reset();
    expect(simulator.snapshot()).toMatchObject({
      events: { received: 0 },
      requests: { total: 0 },
      segments: [],
      faults: [],
    });
    expect(simulator.world.main.pixel).toBe(pixel);
    await send([event()]);
    expect(simulator.inspect.events.counted).toBe(1);
    await simulator.close();
  });

  it("keeps counts without keeping events or requests", async () => {
    const { simulator, send, event } = await start({ keep: "counts" });
    await send([event(), event({ event_id: "evt-2" }), event()]);
    expect(simulator.inspect.events).toMatchObject({ received: 3, counted: 2, duplicates: 1 });
    expect(simulator.inspect.events.list()).toEqual([]);
    expect(simulator.inspect.requests).toEqual([]);
    expect(simulator.inspect.requestTotals).toMatchObject({ total: 1, byEndpoint: { "POST /v3/{id}/events": 1 } });
    await simulator.close();
  });

  it("lets time pass at Snapchat alone", async () => {
    const { simulator, send, event } = await start();
    simulator.control.advance(8 * 86_400_000);
    await send([event()]);
    expect(simulator.inspect.events.rejectedBy).toEqual({ event_too_old: 1 });
    await simulator.close();
  });
});

describe("the simulator's own rules", () => {
  it("are a second copy: it imports nothing of the package", () => {
    const root = fileURLToPath(new URL("../../src/testing/simulator/", import.meta.url));
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(30);
    for (const file of files) {
      for (const [, specifier = ""] of readFileSync(join(root, file), "utf8").matchAll(
        /^(?:import|export|}).* from "([^"]+)"/gm,
      )) {
        const inside = specifier.startsWith(".") && resolve(root, dirname(file), specifier).startsWith(root);
        expect(inside || specifier.startsWith("node:"), `${file} imports ${specifier}`).toBe(true);
      }
    }
  });
});

describe("over HTTP, for any language,", () => {
  it("state, knobs, faults, consent and control can be reached", async () => {
    const { simulator, call, authorizeUrl, send, event } = await start();
    const page = (method: string, name: string, body?: unknown) =>
      call(`${simulator.url}/__simulator/${name}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });

    expect((await page("GET", "world")).json).toMatchObject({
      clientId: simulator.world.clientId,
      main: { pixel: { id: simulator.world.main.pixel.id } },
      endpoints: simulator.endpoints,
    });
    expect((await page("PUT", "knobs", { errorEnvelope: "flat" })).json.errorEnvelope).toBe("flat");
    expect(simulator.knobs.errorEnvelope).toBe("flat");
    expect((await page("PUT", "knobs", { noSuchKnob: 1 })).status).toBe(400);
    expect((await page("PUT", "knobs", { latencyMs: "slow" })).status).toBe(400);
    const { json } = await page("POST", "consent", { authorizeUrl: authorizeUrl(), person: "ben" });
    expect(String(json.redirect)).toContain("code=");
    expect((await page("POST", "consent", { authorizeUrl: "nonsense" })).status).toBe(400);
    expect((await page("POST", "faults", { pathPattern: "/events$", status: 503, count: 1 })).json.id).toBe("fault-1");
    expect((await send([event()])).status).toBe(503);
    expect((await page("GET", "faults")).json).toEqual([{ id: "fault-1", matches: 1, hits: 1 }]);
    expect((await page("DELETE", "faults")).status).toBe(200);
    expect((await send([event()])).status).toBe(200);
    expect((await page("GET", "state")).json).toMatchObject({ events: { counted: 1 }, faults: [] });
    expect((await page("GET", "events?outcome=counted&request=2")).json).toHaveLength(1);
    expect((await page("GET", "events?outcome=rejected")).json).toHaveLength(0);
    expect((await page("POST", "control", { do: "advance", with: [1_000] })).status).toBe(200);
    expect((await page("POST", "control", { do: "toString" })).status).toBe(400);
    await page("POST", "redirect-uris", { uri: "https://mine.example/back" });
    expect(simulator.world.redirectUris.has("https://mine.example/back")).toBe(true);
    await page("POST", "reset");
    expect(simulator.inspect.events.received).toBe(0);
    expect((await page("GET", "nothing")).status).toBe(404);
    await simulator.close();
  });

  it("a page under a foreign name is refused", async () => {
    const { simulator } = await start();
    const answer = await simulator.fetch(`${simulator.url}/__simulator/state`, {
      headers: { host: "rebound.example" },
    });
    const allowed = await simulator.fetch(`${simulator.url}/__simulator/state`, {
      headers: { host: "localhost:4010" },
    });
    expect([answer.status, allowed.status]).toEqual([403, 200]);
    await simulator.close();
  });
});

describe("the command", () => {
  function io() {
    const stop = new AbortController();
    return { stdout: paper(), stderr: paper(), signal: stop.signal, stop: () => stop.abort() };
  }

  function paper() {
    return {
      text: "",
      write(more: string) {
        this.text += more;
      },
    };
  }

  it("runs until it is stopped, and prints what another process needs", async () => {
    const command = io();
    const redirect = "http://127.0.0.1:9/back";
    const exit = run(["--port", "0", "--json", "--redirect-uri", redirect, "--knob", "refreshToken=rotated"], command);
    while (command.stdout.text === "") await new Promise((resolve) => setImmediate(resolve));
    const printed = JSON.parse(command.stdout.text) as { url: string; redirectUris: string[] };
    expect(printed.redirectUris).toContain(redirect);
    const knobs = (await (await fetch(`${printed.url}/__simulator/knobs`)).json()) as { refreshToken: string };
    expect(knobs.refreshToken).toBe("rotated");
    command.stop();
    expect(await exit).toBe(0);
    await expect(fetch(printed.url)).rejects.toThrow();
  });

  it.each([
    ["--port", "many"],
    ["--what"],
    ["--knob", "=1"],
    ["--keep", "some"],
    ["--seed", "x"],
    ["--knob", "noSuch=1"],
  ])("explains itself for %s %s", async (...argv) => {
    const command = io();
    expect(await main(["simulator", ...argv], command)).toBe(2);
    expect(command.stderr.text).toMatch(/^.+\nsnapchat-destination simulator --help tells more.\n$/);
  });

  it("says when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const command = io();
    expect(await run(["--port", String(port)], command)).toBe(1);
    expect(command.stderr.text).toContain("already in use");
    other.close();
  });
});
