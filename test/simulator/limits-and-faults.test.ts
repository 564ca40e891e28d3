import { describe, expect, it, vi } from "vitest";
import { createSimulator } from "../../src/testing/index.ts";
import { DIGEST, start } from "./support.ts";

const times = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("rate limits", () => {
  it("let an OAuth token make ten requests in any second", async () => {
    const { simulator, ads, tokenOf, clock } = await start();
    const token = tokenOf("ada");
    const me = () => ads("GET", "/me", undefined, token);
    clock.advance(700);
    for (const _ of times(10)) expect((await me()).status).toBe(200);
    const refused = await me();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBeNull();
    expect(refused.headers.get("x-rate-limit-reset")).toBeNull();
    clock.advance(999);
    expect((await me()).status).toBe(429);
    clock.advance(1);
    expect((await me()).status).toBe(200);
    expect(simulator.inspect.requests.filter(({ limitedBy }) => limitedBy === "token:access-1")).toHaveLength(2);
    await simulator.close();
  });

  it("give a refused request no place", async () => {
    const { simulator, ads, tokenOf, clock } = await start();
    const token = tokenOf("ada");
    const burst = async () => {
      let taken = 0;
      for (const _ of times(15)) taken += (await ads("GET", "/me", undefined, token)).status === 200 ? 1 : 0;
      return taken;
    };
    expect(await burst()).toBe(10);
    clock.advance(500);
    expect(await burst()).toBe(0);
    clock.advance(500);
    expect(await burst()).toBe(10);
    await simulator.close();
  });

  it("judge aligned windows where the knob says so, and either where it says both", async () => {
    const { simulator, ads, tokenOf, clock } = await start({ knobs: { rateWindow: "aligned" } });
    const token = tokenOf("ada");
    const burst = async () => {
      const answers = [];
      for (const _ of times(10)) answers.push((await ads("GET", "/me", undefined, token)).status);
      return answers.filter((status) => status === 200).length;
    };
    clock.advance(999);
    expect(await burst()).toBe(10);
    clock.advance(1);
    expect(await burst()).toBe(10);
    simulator.knobs.rateWindow = "both";
    clock.advance(999);
    expect(await burst()).toBe(0);
    await simulator.close();
  });

  it("hold all tokens of an app to twenty, over both APIs", async () => {
    const { simulator, ads, send, event, tokenOf } = await start();
    const tokens = [tokenOf("ada"), tokenOf("ben"), tokenOf("ada")];
    const statuses: number[] = [];
    for (const i of times(8)) {
      for (const token of tokens) {
        const answer = i % 2 === 0 ? await ads("GET", "/me", undefined, token) : await send([event()], { token });
        statuses.push(answer.status);
      }
    }
    expect(statuses.slice(0, 20).every((status) => status === 200)).toBe(true);
    expect(statuses.slice(20)).toEqual([429, 429, 429, 429]);
    await simulator.close();
  });

  it("may count each API by itself", async () => {
    const { simulator, ads, send, event, tokenOf } = await start({ knobs: { rateScope: "per_api" } });
    const token = tokenOf("ada");
    for (const _ of times(10)) expect((await ads("GET", "/me", undefined, token)).status).toBe(200);
    for (const _ of times(10)) expect((await send([event()], { token })).status).toBe(200);
    await simulator.close();
  });

  it("of a long-lived token are its own; validate is free where the knob says so", async () => {
    const { simulator, send, event } = await start({ knobs: { conversionsTokenPerSecond: 5, validateCounts: false } });
    for (const _ of times(8)) expect((await send([event()], { path: "events/validate" })).status).toBe(200);
    const statuses = [];
    for (const _ of times(6)) statuses.push((await send([event()])).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    await simulator.close();
  });

  it("count segment writes in aligned five seconds, told in headers with an epoch in milliseconds", async () => {
    const { simulator, ads, tokenOf, segment, clock } = await start({
      knobs: { oauthTokenPerSecond: 1_000, oauthAppPerSecond: 1_000 },
    });
    const token = tokenOf("ada");
    const path = `/adaccounts/${simulator.world.main.adAccount.id}/segments`;
    const write = () => ads("POST", path, { segments: [segment()] }, token);
    clock.advance(1_200);
    const first = await write();
    expect(first.headers.get("x-rate-limit-limit")).toBe("83");
    expect(first.headers.get("x-rate-limit-remaining")).toBe("82");
    expect(Number(first.headers.get("x-rate-limit-reset"))).toBe(clock.at - 1_200 + 5_000);
    for (const _ of times(82)) await write();
    const refused = await write();
    expect([refused.status, refused.headers.get("x-rate-limit-remaining")]).toEqual([429, "0"]);
    expect((await ads("GET", path, undefined, token)).headers.get("x-rate-limit-limit")).toBeNull();
    clock.advance(3_800);
    simulator.knobs.rateLimitHeaders = "seconds";
    const next = await write();
    expect([next.status, next.headers.get("x-rate-limit-reset")]).toEqual([200, String((clock.at + 5_000) / 1_000)]);
    simulator.knobs.rateLimitHeaders = "none";
    expect((await write()).headers.get("x-rate-limit-reset")).toBeNull();
    await simulator.close();
  });

  it("are measured by token and app, whatever is allowed", async () => {
    const { simulator, ads, tokenOf, clock } = await start({ knobs: { rateLimits: false } });
    const token = tokenOf("ada");
    for (const _ of times(12)) {
      await ads("GET", "/me", undefined, token);
      clock.advance(250);
    }
    expect(simulator.inspect.peaks["token:access-1"]).toEqual({ requests: 12, in1s: 4, in5s: 12 });
    expect(simulator.inspect.peaks[`app:${simulator.world.clientId}`]?.in1s).toBe(4);
    expect(simulator.inspect.maxInWindow("access-1", 500)).toBe(2);
    await simulator.close();
  });
});

describe("a fault", () => {
  it("answers instead of processing, so often and after so many", async () => {
    const { simulator, send, event } = await start();
    const fault = simulator.faults.add({ area: "conversions", status: 503, count: 2, after: 1 });
    const statuses = [];
    for (const i of times(5)) statuses.push((await send([event({ event_id: `e${i}` })])).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect(fault.hits).toBe(2);
    expect(simulator.inspect.events.counted).toBe(3);
    expect(simulator.inspect.requests.filter(({ fault: id }) => id === fault.id)).toHaveLength(2);
    await simulator.close();
  });

  it("matches by method, path, pattern, token and body", async () => {
    const { simulator, ads, send, event } = await start();
    const hit = async (rule: object, call: () => Promise<{ status: number }>) => {
      simulator.faults.add({ status: 500, ...rule });
      const { status } = await call();
      simulator.faults.clear();
      return status === 500;
    };
    const me = () => ads("GET", "/me");
    const post = () => send([event()]);
    expect(await hit({ method: "POST" }, me)).toBe(false);
    expect(await hit({ method: "get" }, me)).toBe(true);
    expect(await hit({ path: "/v1/me" }, me)).toBe(true);
    expect(await hit({ path: /\/events$/g }, post)).toBe(true);
    expect(await hit({ path: /\/validate$/ }, post)).toBe(false);
    expect(await hit({ token: "conversions-1" }, post)).toBe(true);
    const tokenId = simulator.inspect.tokenId(simulator.world.main.conversionsToken);
    expect(await hit({ token: tokenId }, post)).toBe(true);
    expect(await hit({ token: tokenId }, me)).toBe(false);
    expect(await hit({ token: "oauth" }, post)).toBe(false);
    expect(await hit({ token: "oauth" }, me)).toBe(true);
    expect(await hit({ bodyMatches: "evt-1" }, post)).toBe(true);
    expect(await hit({ bodyMatches: (body: string) => body.length === 0 }, post)).toBe(false);
    await simulator.close();
  });

  it("comes by chance, the same for the same seed", async () => {
    const pattern = async (seed: number) => {
      const { simulator, ads, tokenOf } = await start({ knobs: { rateLimits: false } });
      simulator.faults.add({ status: 500, probability: 0.5, seed });
      const token = tokenOf("ada");
      let text = "";
      for (const _ of times(24)) text += (await ads("GET", "/me", undefined, token)).status === 500 ? "x" : ".";
      await simulator.close();
      return text;
    };
    const [first, again, other] = [await pattern(7), await pattern(7), await pattern(8)];
    expect(first).toBe(again);
    expect(first).not.toBe(other);
    expect(first).toContain("x");
    expect(first).toContain(".");
    const { simulator, ads } = await start();
    const never = simulator.faults.add({ status: 500, probability: 0 });
    const always = simulator.faults.add({ status: 502, probability: 1 });
    expect((await ads("GET", "/me")).status).toBe(502);
    expect([never.hits, never.matches, always.hits]).toEqual([0, 1, 1]);
    await simulator.close();
  });

  it("may answer JSON, headers and a content type of its own", async () => {
    const { simulator, ads } = await start();
    simulator.faults.add({ status: 429, body: { why: "busy" }, headers: { "retry-after": "3" }, count: 1 });
    simulator.faults.add({ status: 502, body: "<h1>Bad gateway</h1>", contentType: "text/html", count: 1 });
    const busy = await ads("GET", "/me");
    expect([busy.status, busy.json, busy.headers.get("retry-after")]).toEqual([429, { why: "busy" }, "3"]);
    expect((await ads("GET", "/me")).headers.get("content-type")).toBe("text/html");
    await simulator.close();
  });

  it("may cut the connection before processing", async () => {
    const { simulator, send, event } = await start();
    simulator.faults.add({ reset: true, count: 1 });
    await expect(send([event()])).rejects.toThrow();
    expect(simulator.inspect.events.received).toBe(0);
    expect((await send([event()])).status).toBe(200);
    await simulator.close();
  });

  it.each([true, "destroy", "hang"] as const)(
    "may lose the answer after acceptance: %s",
    async (timeoutAfterAcceptance) => {
      const { simulator, send, event, call } = await start();
      simulator.faults.add({ timeoutAfterAcceptance, count: 1 });
      if (timeoutAfterAcceptance === "hang") {
        const { main } = simulator.world;
        const url = `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events?access_token=${main.conversionsToken}`;
        const request = { method: "POST", headers: { "content-type": "application/json" } };
        const patience = new AbortController();
        const { signal } = patience;
        const answer = call(url, { ...request, body: JSON.stringify({ data: [event()] }), signal });
        await vi.waitFor(() => expect(simulator.inspect.events.counted).toBe(1), 10_000);
        patience.abort(new Error("timeout"));
        await expect(answer).rejects.toThrow(/timeout/);
      } else {
        await expect(send([event()])).rejects.toThrow();
      }
      expect(simulator.inspect.events.counted).toBe(1);
      await send([event()]);
      expect(simulator.inspect.events).toMatchObject({ counted: 1, duplicates: 1 });
      await simulator.close();
    },
  );

  it("may never answer, and never process", async () => {
    const { simulator, call } = await start();
    simulator.faults.add({ halfOpen: true });
    const patience = new AbortController();
    const answer = call(`${simulator.url}/v1/me`, { signal: patience.signal });
    await vi.waitFor(() => expect(simulator.inspect.requests).toHaveLength(1), 10_000);
    patience.abort(new Error("timeout"));
    await expect(answer).rejects.toThrow(/timeout/);
    expect(simulator.inspect.requests).toMatchObject([{ status: 0, path: "/v1/me" }]);
    await simulator.close();
  });

  it("may come late: what the caller has given up is processed all the same", async () => {
    const { simulator, call, ads, segment, tokenOf } = await start();
    const { adAccount } = simulator.world.main;
    const path = `/adaccounts/${adAccount.id}/segments`;
    await ads("POST", path, { segments: [segment()] });
    const [{ id } = { id: "" }] = simulator.inspect.segments();
    const late = simulator.faults.add({ method: "POST", delayMs: 100, count: 1 });
    const body = JSON.stringify({ users: [{ schema: ["EMAIL_SHA256"], data: [[DIGEST.em]] }] });
    const headers = { authorization: `Bearer ${tokenOf("ada")}` };
    const caller = new AbortController();
    const { signal } = caller;
    const given = call(`${simulator.url}/v1/segments/${id}/users`, { method: "POST", body, headers, signal });
    while (late.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    caller.abort(new Error("gave up"));
    await expect(given).rejects.toThrow("gave up");
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(0);
    while (simulator.inspect.members(id).EMAIL_SHA256.size === 0) await new Promise((resolve) => setImmediate(resolve));
    await simulator.close();
  });

  it("may spoil an answer that was given: its type, or its end", async () => {
    const { simulator, send, event } = await start();
    simulator.faults.add({ wrongContentType: true, count: 1 });
    const spoiled = await send([event()]);
    expect([spoiled.status, spoiled.headers.get("content-type")]).toEqual([200, "text/html"]);
    simulator.faults.add({ truncate: 10, count: 1 });
    await expect(send([event({ event_id: "evt-2" })])).rejects.toThrow();
    expect(simulator.inspect.events.counted).toBe(2);
    await simulator.close();
  });

  it("in the token endpoint leaves the code usable", async () => {
    const { simulator, token, authorizeUrl } = await start();
    simulator.faults.add({ area: "accounts", status: 503, count: 1 });
    const code = new URL(simulator.consent(authorizeUrl())).searchParams.get("code") ?? "";
    const fields = { grant_type: "authorization_code", code, redirect_uri: "https://cdp.example/snapchat/callback" };
    expect((await token(fields)).status).toBe(503);
    expect((await token(fields)).status).toBe(200);
    await simulator.close();
  });
});

describe("without a socket", () => {
  it("the same faults come as errors of fetch", async () => {
    const simulator = await createSimulator({ listen: false });
    const url = `${simulator.url}/v1/me`;
    const ok = await simulator.fetch(url, {
      headers: { authorization: `Bearer ${simulator.control.issueToken().access_token}` },
    });
    expect(ok.status).toBe(200);
    simulator.faults.add({ reset: true, count: 1 });
    await expect(simulator.fetch(url)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
    simulator.faults.add({ halfOpen: true, count: 1 });
    await expect(simulator.fetch(url, { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/);
    simulator.faults.add({ truncate: 3, count: 1 });
    await expect((await simulator.fetch(url)).text()).rejects.toThrow();
    await expect(simulator.fetch("https://elsewhere.example/")).rejects.toMatchObject({ cause: { code: "ENOTFOUND" } });
    await simulator.close();
  });

  it("delays use the clock's own sleep", async () => {
    const slept: number[] = [];
    const clock = {
      now: () => 1_790_000_000_000,
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };
    const simulator = await createSimulator({ listen: false, clock, latencyMs: 30 });
    simulator.faults.add({ delayMs: 60_000 });
    await simulator.fetch(`${simulator.url}/v1/me`);
    expect(slept).toEqual([60_000, 30]);
    await simulator.close();
  });
});
