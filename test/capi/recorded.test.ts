import { readFileSync } from "node:fs";
import nock from "nock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConversionsClient } from "../../src/capi/index.ts";
import { readTranscript, replayTranscript } from "../../src/testing/transcript.ts";
import { texts } from "./snapchat.ts";

const PIXEL = "11111111-2222-4333-8444-555555555555";
const TOKEN = "long-lived-token";

function load(name: string) {
  return readTranscript(readFileSync(new URL(`../fixtures/transcripts/${name}.json`, import.meta.url), "utf8"));
}

const recorded = [...load("conversions-send").exchanges, ...load("conversions-validate").exchanges];

/** Lets nock give, once each, the first recorded answers whose text holds these words. */
function answer(...words: string[]): void {
  const exchanges = words.map((word) => {
    const exchange = recorded.find(({ request, response }) =>
      `${request} ${response.status} ${JSON.stringify(response.body)}`.includes(word),
    );
    if (exchange === undefined) throw new Error(`no recorded answer holds ${word}`);
    return exchange;
  });
  replayTranscript(nock as never, { format: "transcript/1", title: "part", exchanges });
}

beforeAll(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.restore();
});

describe("answers recorded from Snapchat", () => {
  const client = new ConversionsClient();
  const send = (count = 1) => client.sendPrepared(PIXEL, texts(count), { token: TOKEN });

  it("accepted", async () => {
    answer("processed successfully");
    expect((await send()).outcomes).toMatchObject([{ status: "delivered", known: true }]);
  });

  it("refused, in the envelope that was captured and in the one of Snap's own schema", async () => {
    answer("invalid Unix timestamp");
    expect((await send()).outcomes).toMatchObject([
      { status: "rejected", message: "Param data['event_time'] is an invalid Unix timestamp.", code: "http_400" },
    ]);
    answer('"event":1');
    expect((await send()).outcomes).toMatchObject([{ status: "rejected", message: "free text", code: "517" }]);
  });

  it("an asset of another organization", async () => {
    answer("Unauthorized resources");
    expect((await send()).outcomes).toMatchObject([{ status: "forbidden", message: "Unauthorized resources" }]);
  });

  it("a refused token", async () => {
    answer("Invalid access token");
    expect((await send()).outcomes).toMatchObject([{ status: "unauthorized", message: "Invalid access token" }]);
  });

  it("too many requests, without a word about how long to wait", async () => {
    answer(" 429 ");
    expect((await send()).outcomes).toEqual([
      { status: "retry", known: true, code: "rate_limited", message: "Snapchat answered 429.", eventId: "e0" },
    ]);
  });

  it("a refused batch, judged event by event, then sent without the bad one", async () => {
    answer("invalid Unix timestamp", "At least one", "processed successfully");
    const { outcomes, requests } = await send(2);
    expect(outcomes).toMatchObject([
      { status: "delivered" },
      { status: "rejected", message: "free text", code: "517" },
    ]);
    expect(requests.map(({ purpose }) => purpose)).toEqual(["events", "validate", "events"]);
  });

  it("verdicts of validate", async () => {
    answer('"warnings":[]');
    expect(await client.validate(PIXEL, texts(1), { token: TOKEN })).toMatchObject([{ snapchat: { valid: true } }]);
    answer("At least one");
    expect(await client.validate(PIXEL, texts(2), { token: TOKEN })).toMatchObject([
      { snapchat: { valid: true, warnings: [] } },
      { snapchat: { valid: false, message: "free text", code: "517", warnings: ["free text"] } },
    ]);
  });

  it("logs and stats", async () => {
    answer("raw_event_name", "event_count_past_hour");
    expect(await client.logs(PIXEL, { token: TOKEN })).toEqual([
      {
        eventName: "PURCHASE",
        rawEventName: "purchase",
        eventTimeMs: 1_790_000_000_000,
        actionSource: "WEB",
        valid: true,
        integration: "my-cdp",
        errors: [],
        warnings: [],
      },
    ]);
    expect(await client.stats(PIXEL, { token: TOKEN })).toEqual({
      test: { latestEventMs: 1_790_000_000_000, eventsPastHour: 3 },
      live: { latestEventMs: 1_790_000_000_000, eventsPastHour: 812 },
    });
  });
});
