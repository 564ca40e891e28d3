import { describe, expect, it } from "vitest";
import { ConversionsClient, type SnapEvent } from "../../src/capi/index.ts";
import { Secret, SnapchatError } from "../../src/errors.ts";
import { accepted, NOW_MS, purchase } from "./events.ts";
import { setUp, texts } from "./snapchat.ts";

const event = (id: string): SnapEvent => ({
  event_name: "VIEW_CONTENT",
  event_time: new Date(NOW_MS - 1_000),
  event_id: id,
  action_source: "WEB",
  event_source_url: "https://shop.example/p/1",
  user_data: { em: "jane@example.com" },
});

describe("ConversionsClient.send", () => {
  it("delivers events and answers one outcome each, in order", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes, requests } = await client.send(pixel, [event("a"), event("b")], { token: new Secret(token) });
    expect(outcomes).toMatchObject([
      { status: "delivered", known: true, eventId: "a" },
      { status: "delivered", known: true, eventId: "b" },
    ]);
    expect(requests).toBe(1);
    expect(simulator.inspect.events.list().map(({ eventId }) => eventId)).toEqual(["a", "b"]);
  });

  it("rejects here what Snapchat would refuse, and sends the rest", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const old = { ...event("old"), event_time: new Date(NOW_MS - 8 * 86_400_000) };
    const { outcomes } = await client.send(pixel, [old, event("b")], { token });
    expect(outcomes[0]).toMatchObject({
      status: "rejected",
      known: true,
      code: "event_too_old",
      message: expect.stringContaining("older"),
    });
    expect(outcomes[1]?.status).toBe("delivered");
    expect(simulator.inspect.events.list()).toHaveLength(1);
  });

  it("takes events prepared earlier, and their refusals", async () => {
    const { client, pixel, token } = await setUp();
    const { outcomes } = await client.send(
      pixel,
      [accepted(purchase()), { ok: false, reason: "value_missing", issues: [] }],
      { token },
    );
    expect(outcomes.map(({ status, code }) => code ?? status)).toEqual(["delivered", "value_missing"]);
  });

  it("makes no request for nothing", async () => {
    const { client, simulator, pixel, token } = await setUp();
    expect(await client.send(pixel, [], { token })).toEqual({ outcomes: [], requests: 0 });
    expect(simulator.inspect.requests).toHaveLength(0);
  });

  it("splits by 2,000 events", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes, requests } = await client.send(pixel, texts(4_001), { token });
    expect(requests).toBe(3);
    expect(simulator.inspect.requests.map(({ items }) => items)).toEqual([2_000, 2_000, 1]);
    expect(outcomes.every(({ status }) => status === "delivered")).toBe(true);
  });

  it("splits by bytes, and rejects an event that fits in no request", async () => {
    const { client, simulator, pixel, token } = await setUp({}, { bytesPerRequest: 2_000 });
    const big = accepted(
      purchase({
        event_id: "big",
        custom_data: { value: 1, currency: "GBP", content_ids: Array.from({ length: 300 }, (_, i) => `sku-${i}`) },
      }),
    );
    const { outcomes } = await client.send(pixel, [...texts(10), big], { token });
    expect(Math.max(...simulator.inspect.requests.map(({ items }) => items ?? 0))).toBeLessThan(6);
    expect(outcomes.slice(0, 10).every(({ status }) => status === "delivered")).toBe(true);
    expect(outcomes[10]).toMatchObject({ status: "rejected", known: true, code: "event_too_large", eventId: "big" });
  });

  it("gives the answers beside the data", async () => {
    const { client, pixel, token } = await setUp();
    const { data, response, responses } = await client.send(pixel, [event("a")], { token }).withResponse();
    expect(data.outcomes).toHaveLength(1);
    expect(response).toMatchObject({ status: 200 });
    expect(responses).toHaveLength(1);
    expect(response?.headers.get("content-type")).toContain("json");
  });

  it("marks a whole request as a test", async () => {
    const { client, simulator, pixel, token } = await setUp();
    await client.send(pixel, [event("a")], { token, testEventCode: 'run "7"' });
    expect(simulator.inspect.testEvents).toHaveLength(1);
  });

  it("sends the host's headers", async () => {
    const seen: Headers[] = [];
    const { simulator, pixel, token } = await setUp();
    const client = new ConversionsClient({
      endpoints: simulator.endpoints,
      fetch: (request) => {
        seen.push(request.headers);
        return simulator.fetch(request);
      },
      userAgent: "example-cdp/1",
    });
    await client.send(pixel, [event("a")], { token, headers: { "x-trace": "t1" } });
    expect(seen[0]?.get("x-trace")).toBe("t1");
    expect(seen[0]?.get("user-agent")).toBe("example-cdp/1");
  });

  it("refuses a call without a token or asset", async () => {
    const { client, pixel, token } = await setUp();
    await expect(client.send(pixel, [event("a")], { token: "" })).rejects.toMatchObject({
      code: "token_missing",
      kind: "fix_configuration",
    });
    await expect(client.send(pixel, [event("a")], { token: [] })).rejects.toMatchObject({ code: "token_missing" });
    for (const asset of ["", " ", "../../v1/me", "a?b"]) {
      await expect(client.send(asset, [event("a")], { token })).rejects.toMatchObject({ code: "asset_id_invalid" });
    }
  });

  it("ignores white space around an asset id", async () => {
    const { client, pixel, token } = await setUp();
    expect((await client.send(` ${pixel}\n`, [event("a")], { token })).outcomes[0]?.status).toBe("delivered");
  });
});

describe("tokens", () => {
  it("uses the first that is not refused, and says which", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(1), { token: ["not-a-token", token] });
    expect(outcomes[0]?.status).toBe("delivered");
    expect(requests.map(({ status, credential, extra }) => [status, credential, extra])).toEqual([
      [401, 0, false],
      [200, 1, true],
    ]);
    expect(simulator.inspect.events.list()).toHaveLength(1);
  });

  it("uses the next where one is good for another organization only", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { conversionsTokens, main } = simulator.world;
    const foreign = conversionsTokens.find(({ organizationId }) => organizationId !== main.organization.id);
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(1), { token: [foreign?.token ?? "", token] });
    expect(outcomes[0]?.status).toBe("delivered");
    expect(requests.map(({ credential }) => credential)).toEqual([0, 1]);
  });

  it("says that the only token is refused, and stops there", async () => {
    const { client, simulator, pixel } = await setUp();
    const { outcomes } = await client.send(pixel, texts(4_500), { token: "not-a-token" });
    expect(new Set(outcomes.map(({ status, known }) => `${status} ${known}`))).toEqual(new Set(["unauthorized true"]));
    expect(simulator.inspect.requests).toHaveLength(1);
  });

  it.each([400, 401] as const)("tells a bad token from bad data at status %i", async (invalidTokenStatus) => {
    const { client, pixel } = await setUp({ invalidTokenStatus });
    const { outcomes } = await client.send(pixel, texts(2), { token: "x" });
    expect(outcomes[0]).toMatchObject({ status: "unauthorized", message: "Invalid access token" });
  });

  it.each([400, 401, 403] as const)("tells another organization's asset at status %i", async (foreignAssetStatus) => {
    const { client, simulator, pixel } = await setUp({ foreignAssetStatus });
    const foreign = simulator.world.conversionsTokens.find(
      ({ organizationId }) => organizationId !== simulator.world.main.organization.id,
    );
    const { outcomes } = await client.send(pixel, texts(2), { token: foreign?.token ?? "" });
    expect(outcomes[0]).toMatchObject({ status: "forbidden", known: true, message: "Unauthorized resources" });
  });

  it("a new token that is refused for an hour falls back and is used once it is accepted", async () => {
    const { client, simulator, pixel, clock } = await setUp({ conversionsTokenRefusedMs: 3_600_000 });
    const { conversionsToken } = simulator.world.main;
    simulator.knobs.conversionsTokenRefusedMs =
      clock.now() - (simulator.world.conversionsTokens[0]?.createdAt ?? 0) + 3_600_000;
    expect((await client.send(pixel, texts(1), { token: conversionsToken })).outcomes[0]?.status).toBe("unauthorized");
    await clock.sleep(3_600_000);
    expect((await client.send(pixel, texts(1), { token: conversionsToken })).outcomes[0]?.status).toBe("delivered");
  });
});

describe("failures", () => {
  it("tries again where nothing is known to be wrong, after full jitter", async () => {
    const { client, simulator, pixel, token, clock } = await setUp();
    simulator.faults.add({ status: 503, count: 2 });
    const { outcomes, requests } = await client.send(pixel, texts(1), { token });
    expect(outcomes[0]?.status).toBe("delivered");
    expect(requests).toBe(3);
    expect(clock.slept).toEqual([250, 500]);
  });

  it("does not try again where a queue will, unless told to", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ status: 503, count: 1 });
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(1), { token });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: false, code: "http_503" });
    expect(requests).toMatchObject([{ status: 503, items: 1, extra: false, purpose: "events" }]);
  });

  it("knows that a 429 took nothing, and how long to wait", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ status: 429, headers: { "retry-after": "30" } });
    const { outcomes } = await client.send(pixel, texts(1), { token });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: true, code: "rate_limited", retryAfterMs: 30_000 });
    expect(simulator.inspect.requests).toHaveLength(1);
  });

  it("reads the window's reset in milliseconds or seconds", async () => {
    for (const reset of [NOW_MS + 4_000, NOW_MS / 1_000 + 4, 4]) {
      const { client, simulator, pixel, token } = await setUp();
      const headers = {
        "x-rate-limit-limit": "83",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": String(reset),
      };
      simulator.faults.add({ status: 429, headers });
      const { outcomes, requests } = await client.sendPrepared(pixel, texts(1), { token });
      expect(outcomes[0]?.retryAfterMs).toBe(4_000);
      expect(requests[0]?.rateLimit).toEqual({ limit: 83, remaining: 0, resetInMs: 4_000 });
    }
  });

  it.each([
    [{ reset: true }, "network_error"],
    [{ timeoutAfterAcceptance: "destroy" as const }, "network_error"],
    [{ wrongContentType: true, status: 200, body: "<html>hello</html>" }, "unreadable_answer"],
    [{ status: 200, body: {} }, "unreadable_answer"],
    [{ status: 200, body: "" }, "unreadable_answer"],
    [{ truncate: 5 }, "network_error"],
  ])("does not know what became of events after %j", async (fault, code) => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add(fault);
    const { outcomes } = await client.sendPrepared(pixel, texts(2), { token });
    expect(outcomes).toMatchObject([
      { status: "retry", known: false, code },
      { status: "retry", known: false, code },
    ]);
  });

  it("stays unsure when a first try may have arrived, whatever the second says", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ timeoutAfterAcceptance: "destroy", count: 1 });
    simulator.faults.add({ status: 429 });
    const { outcomes } = await client.send(pixel, texts(1), { token, maxRetries: 1 });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: false });
  });

  it("counts once what it sent twice", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ timeoutAfterAcceptance: "destroy", count: 1 });
    const { outcomes } = await client.send(pixel, texts(3), { token });
    expect(outcomes.every(({ status }) => status === "delivered")).toBe(true);
    expect(simulator.inspect.events).toMatchObject({ counted: 3 });
  });

  it("knows that a refused connection took nothing", async () => {
    const { pixel, token } = await setUp();
    const client = new ConversionsClient({
      endpoints: { conversions: "http://127.0.0.1:9" },
      fetch: async () => {
        throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) });
      },
    });
    const { outcomes } = await client.sendPrepared(pixel, texts(1), { token });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: true, code: "network_error" });
  });

  it("keeps later batches back after a failure, as known not sent", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ status: 500, after: 1 });
    const { outcomes } = await client.sendPrepared(pixel, texts(6_000), { token });
    expect(outcomes[0]).toMatchObject({ status: "delivered" });
    expect(outcomes[2_000]).toMatchObject({ status: "retry", known: false });
    expect(outcomes[4_000]).toMatchObject({ status: "retry", known: true });
    expect(simulator.inspect.requests).toHaveLength(2);
  });

  it("ends with the caller's signal", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes } = await client.send(pixel, texts(1), { token, signal: AbortSignal.abort() });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: true, code: "aborted" });
    expect(simulator.inspect.requests).toHaveLength(0);

    const abort = new AbortController();
    simulator.faults.add({ halfOpen: true });
    const sending = client.send(pixel, texts(1), { token, signal: abort.signal });
    setImmediate(() => abort.abort());
    expect((await sending).outcomes[0]).toMatchObject({ status: "retry", code: "aborted" });
  });

  it("gives up on a request that is not answered in time", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ halfOpen: true });
    const { outcomes } = await client.sendPrepared(pixel, texts(1), { token, timeoutMs: 20 });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: false, code: "request_timeout" });
  });
});

describe("the plug before every request", () => {
  it("sees each request, extra ones too", async () => {
    const { client, pixel, token } = await setUp({ errorEnvelope: "flat" });
    const plans: unknown[] = [];
    await client.sendPrepared(pixel, texts(10, [3]), { token, beforeRequest: async (plan) => void plans.push(plan) });
    expect(plans).toEqual([
      { purpose: "events", items: 10, extra: false },
      { purpose: "validate", items: 10, extra: true },
      { purpose: "events", items: 9, extra: true },
    ]);
  });

  it("keeps the request from leaving where it throws", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const slotGone = new SnapchatError({
      code: "slot_gone",
      kind: "capacity",
      message: "No slot.",
      fix: "Wait.",
      retryAfterMs: 700,
    });
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(2), {
      token,
      beforeRequest: () => Promise.reject(slotGone),
    });
    expect(outcomes[0]).toMatchObject({ status: "retry", known: true, code: "slot_refused", retryAfterMs: 700 });
    expect(requests).toEqual([]);
    expect(simulator.inspect.requests).toHaveLength(0);
  });
});

describe("validate, logs, stats", () => {
  it("asks Snapchat to judge without counting", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const bad = texts(3, [1]);
    const verdicts = await client.validate(pixel, bad, { token });
    expect(verdicts.map(({ snapchat }) => snapchat?.valid)).toEqual([true, false, true]);
    expect(verdicts[1]?.snapchat).toMatchObject({ code: "517", message: expect.stringMatching(/value|price/i) });
    expect(simulator.inspect.events.counted).toBe(0);
  });

  it("gives our own findings beside Snapchat's", async () => {
    const { client, pixel, token } = await setUp();
    const { event_id: _, ...without } = event("a");
    const [first, second] = await client.validate(pixel, [without, { ...event("b"), event_time: "soon" }], { token });
    expect(first).toMatchObject({ sent: true, issues: [{ code: "event_id_missing" }], snapchat: { valid: true } });
    expect(first?.snapchat?.warnings).not.toEqual([]);
    expect(second).toMatchObject({ sent: false, snapchat: undefined, issues: [{ code: "event_time_invalid" }] });
  });

  it("delivers nothing in validate-only mode", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(3, [2]), { token, validateOnly: true });
    expect(outcomes.map(({ status }) => status)).toEqual(["delivered", "delivered", "rejected"]);
    expect(requests.every(({ purpose }) => purpose === "validate")).toBe(true);
    expect(simulator.inspect.events.counted).toBe(0);
  });

  it("reads the log and the counters", async () => {
    const { client, pixel, token } = await setUp();
    await client.send(pixel, [event("a")], { token, testEventCode: "t" });
    await client.send(pixel, [event("b")], { token });
    expect(await client.logs(pixel, { token })).toMatchObject([
      {
        eventName: "VIEW_CONTENT",
        actionSource: "WEB",
        valid: true,
        eventTimeMs: NOW_MS - 1_000,
        integration: "example-cdp",
      },
    ]);
    expect(await client.stats(pixel, { token })).toMatchObject({
      live: { eventsPastHour: 1, latestEventMs: expect.any(Number) },
    });
  });

  it("throws what to do where there is no answer", async () => {
    const { client, simulator, pixel, token } = await setUp();
    await expect(client.stats(pixel, { token: "x" })).rejects.toMatchObject({
      code: "token_refused",
      kind: "reauthorize",
    });
    simulator.faults.add({ status: 429, headers: { "retry-after": "60" } });
    await expect(client.logs(pixel, { token })).rejects.toMatchObject({
      code: "rate_limited",
      kind: "retry",
      retryAfterMs: 60_000,
    });
    simulator.faults.clear();
    simulator.faults.add({ status: 502, body: "<html>" });
    await expect(client.validate(pixel, texts(1), { token })).rejects.toMatchObject({
      code: "snapchat_unavailable",
      kind: "retry",
    });
  });
});
