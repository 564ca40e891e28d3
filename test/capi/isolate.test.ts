import { describe, expect, it } from "vitest";
import { setUp, texts } from "./snapchat.ts";

const statuses = (outcomes: readonly { status: string }[]) => {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
const rejectedAt = (outcomes: readonly { status: string }[]) =>
  outcomes.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));

describe("one bad event in a batch", () => {
  it.each([
    ["named by its place from 1", { namesBadEvent: true, firstEventIndex: 1 as const }, 2],
    ["named by its place from 0", { namesBadEvent: true, firstEventIndex: 0 as const }, 4],
    ["not named", { namesBadEvent: false }, 3],
    [
      "not named, flat envelope, codes as numbers",
      { errorEnvelope: "flat" as const, errorCodes: "number" as const },
      3,
    ],
    ["with status 200", { invalidStatus: 200 as const }, 2],
  ])("%s: the others are delivered, it carries Snapchat's words", async (_name, knobs, requests) => {
    const { client, simulator, pixel, token } = await setUp(knobs);
    const result = await client.sendPrepared(pixel, texts(2_000, [1_234]), { token });
    expect(rejectedAt(result.outcomes)).toEqual([1_234]);
    expect(statuses(result.outcomes)).toEqual({ delivered: 1_999, rejected: 1 });
    expect(result.outcomes[1_234]).toMatchObject({
      known: true,
      eventId: "e1234",
      message: expect.stringMatching(/value|price/i),
    });
    expect(result.requests).toHaveLength(requests);
    expect(simulator.inspect.events).toMatchObject({ counted: 1_999 });
  });

  it("costs at most 8 requests per 10,000 events", async () => {
    for (const knobs of [{}, { namesBadEvent: false }, { errorEnvelope: "flat" as const }]) {
      const { client, simulator, pixel, token } = await setUp(knobs);
      const { outcomes, requests } = await client.send(pixel, texts(10_000, [7_777]), { token });
      expect(rejectedAt(outcomes)).toEqual([7_777]);
      expect(requests).toBeLessThanOrEqual(8);
      expect(simulator.inspect.events.counted).toBe(9_999);
    }
  });

  it.each([0, 1, 1_998, 1_999])(
    "at place %i is the one that is found, whatever Snapchat counts from",
    async (place) => {
      for (const firstEventIndex of [0, 1] as const) {
        const { client, pixel, token } = await setUp({ firstEventIndex });
        const { outcomes } = await client.sendPrepared(pixel, texts(2_000, [place]), { token });
        expect(rejectedAt(outcomes)).toEqual([place]);
      }
    },
  );

  it("is found by halving where validate does not help", async () => {
    const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" });
    simulator.faults.add({ path: /validate$/, status: 404, body: "Not Found" });
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(2_000, [1_234]), { token });
    expect(rejectedAt(outcomes)).toEqual([1_234]);
    expect(requests.length).toBeLessThanOrEqual(2 + 2 * 11);
    expect(simulator.inspect.events.counted).toBe(1_999);
  });

  it("is found by halving where validate calls everything valid", async () => {
    const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" });
    simulator.faults.add({
      path: /validate$/,
      status: 200,
      body: { status: "VALID", test_event: true, event_logs: [] },
    });
    const { outcomes } = await client.sendPrepared(pixel, texts(64, [63]), { token });
    expect(rejectedAt(outcomes)).toEqual([63]);
  });

  it("alone is rejected with one request", async () => {
    const { client, pixel, token } = await setUp();
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(1, [0]), { token });
    expect(outcomes).toMatchObject([{ status: "rejected", code: "517", known: true }]);
    expect(requests).toHaveLength(1);
  });
});

describe("several bad events in a batch", () => {
  const bad = [0, 5, 6, 700, 1_999];

  it.each([
    [{}, 4],
    [{ firstEventIndex: 0 as const }, 4],
    [{ errorEnvelope: "flat" as const }, 3],
  ])("are named by one validate call (%j)", async (knobs, requests) => {
    const { client, simulator, pixel, token } = await setUp(knobs);
    const result = await client.sendPrepared(pixel, texts(2_000, bad), { token });
    expect(rejectedAt(result.outcomes)).toEqual(bad);
    expect(result.requests).toHaveLength(requests);
    expect(simulator.inspect.events.counted).toBe(2_000 - bad.length);
  });

  it("are all found by halving", async () => {
    const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" });
    simulator.faults.add({ path: /validate$/, status: 404, body: "" });
    const { outcomes } = await client.sendPrepared(pixel, texts(2_000, bad), { token });
    expect(rejectedAt(outcomes)).toEqual(bad);
    expect(simulator.inspect.events.counted).toBe(2_000 - bad.length);
  });

  it("may be all of them", async () => {
    for (const knobs of [{}, { errorEnvelope: "flat" as const }, { firstEventIndex: 0 as const }]) {
      const { client, pixel, token } = await setUp(knobs);
      const { outcomes, requests } = await client.sendPrepared(pixel, texts(5, [0, 1, 2, 3, 4]), { token });
      expect(statuses(outcomes)).toEqual({ rejected: 5 });
      expect(requests.length).toBeLessThanOrEqual(4);
    }
  });

  it("stop costing requests at the budget; the rest is kept for later", async () => {
    const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" }, { isolationRequests: 12 });
    simulator.faults.add({ path: /validate$/, status: 404, body: "" });
    const all = Array.from({ length: 100 }, (_, index) => index);
    const { outcomes, requests } = await client.sendPrepared(pixel, texts(100, all), { token });
    expect(requests.length).toBe(13);
    expect(outcomes.filter(({ code }) => code === "isolation_budget_spent").every(({ known }) => known)).toBe(true);
    expect(Object.keys(statuses(outcomes)).sort()).toEqual(["rejected", "retry"]);
  });

  it("in every batch cost only their own batch", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const { outcomes } = await client.sendPrepared(pixel, texts(6_000, [10, 2_010, 4_010]), { token });
    expect(rejectedAt(outcomes)).toEqual([10, 2_010, 4_010]);
    expect(simulator.inspect.events.counted).toBe(5_997);
  });
});

describe("what happens on the way to the bad event", () => {
  it("a failure keeps the rest for later and rejects nobody unproven", async () => {
    for (let after = 1; after <= 3; after++) {
      const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" });
      simulator.faults.add({ after, status: 503 });
      const { outcomes } = await client.sendPrepared(pixel, texts(100, [50]), { token });
      expect(statuses(outcomes).delivered ?? 0).toBe(simulator.inspect.events.counted);
      for (const [index, { status }] of outcomes.entries()) if (status === "rejected") expect(index).toBe(50);
    }
  });

  it("a token that dies in between is told, and nobody is rejected unproven", async () => {
    const { client, simulator, pixel, token } = await setUp({ firstEventIndex: 0 });
    simulator.faults.add({ after: 1, status: 401, body: { status: "INVALID", reason: "Invalid access token" } });
    const { outcomes } = await client.sendPrepared(pixel, texts(10, [5]), { token });
    expect(statuses(outcomes)).toEqual({ unauthorized: 10 });
  });

  it("events that validate passes and the real call refuses are found among the rest", async () => {
    const { client, simulator, pixel, token } = await setUp({ errorEnvelope: "flat" });
    const refusesE9 = { status: "INVALID", error_msgs: ["free text"] };
    simulator.faults.add({ path: /events$/, status: 400, body: refusesE9, bodyMatches: '"e9"' });
    const { outcomes } = await client.sendPrepared(pixel, texts(16, [3]), { token });
    expect(rejectedAt(outcomes)).toEqual([3, 9]);
    expect(outcomes[9]?.message).toBe("free text");
    expect(simulator.inspect.events.counted).toBe(14);
  });

  it("nobody is rejected on the word of an index alone when the rest could not be sent", async () => {
    const { client, simulator, pixel, token } = await setUp({ firstEventIndex: 0 });
    simulator.faults.add({ after: 1, status: 503 });
    const { outcomes } = await client.sendPrepared(pixel, texts(4, [2]), { token });
    expect(outcomes.map(({ status, known }) => `${status} ${known}`)).toEqual([
      "retry false",
      "retry true",
      "retry false",
      "retry false",
    ]);
  });

  it("too large a body is halved until it passes", async () => {
    const { client, simulator, pixel, token } = await setUp();
    simulator.faults.add({ status: 413, body: "Payload Too Large", bodyMatches: (body) => body.length > 10_000 });
    const { outcomes } = await client.sendPrepared(pixel, texts(200), { token });
    expect(statuses(outcomes)).toEqual({ delivered: 200 });
    expect(simulator.inspect.events.counted).toBe(200);
  });

  it("words about the token in a list of events are about the token", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const errors = { codes: ["1"], error_msgs: ["Unauthorized resources"] };
    const event_logs = [1, 2, 3].map((event) => ({ event, status: "INVALID", errors }));
    simulator.faults.add({
      status: 400,
      body: { status: "INVALID", reason: "At least one of the events is invalid.", event_logs },
    });
    const { outcomes } = await client.sendPrepared(pixel, texts(3), { token });
    expect(statuses(outcomes)).toEqual({ forbidden: 3 });
  });

  it("good events that Snapchat kept are not counted twice", async () => {
    const { client, simulator, pixel, token } = await setUp({ partialFailure: "accept_good" });
    const { outcomes } = await client.sendPrepared(pixel, texts(50, [7]), { token });
    expect(statuses(outcomes)).toEqual({ delivered: 49, rejected: 1 });
    expect(simulator.inspect.events.counted).toBe(49);
  });
});
