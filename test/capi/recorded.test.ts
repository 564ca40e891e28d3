import nock from "nock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConversionsClient } from "../../src/capi/index.ts";
import { LOGS, RECORDED, STATS } from "./recorded-answers.ts";
import { texts } from "./snapchat.ts";

const PIXEL = "11111111-2222-4333-8444-555555555555";
const TOKEN = "long-lived-token";

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

function answer(name: string): void {
  const recorded = RECORDED.find((one) => one.name === name);
  if (recorded === undefined) throw new Error(`no recorded answer is named ${name}`);
  nock("https://tr.snapchat.com")
    .post(`/v3/${PIXEL}/${recorded.path}`)
    .query({ access_token: TOKEN })
    .reply(recorded.status, recorded.body as nock.Body, { "content-type": recorded.contentType ?? "application/json" });
}

describe("answers recorded from Snapchat", () => {
  const client = new ConversionsClient();
  const send = (count = 1) => client.sendPrepared(PIXEL, texts(count), { token: TOKEN });

  it("accepted", async () => {
    answer("accepted");
    expect((await send()).outcomes).toMatchObject([{ status: "delivered", known: true }]);
  });

  it.each([
    ["refused, schema of Snap's OpenAPI", { message: "free text", code: "517" }],
    ["refused, as captured", { message: "Param data['event_time'] is an invalid Unix timestamp.", code: "http_400" }],
  ])("%s", async (name, words) => {
    answer(name);
    expect((await send()).outcomes).toMatchObject([{ status: "rejected", known: true, ...words }]);
  });

  it("asset of another organization", async () => {
    answer("asset of another organization");
    expect((await send()).outcomes).toMatchObject([{ status: "forbidden", message: "Unauthorized resources" }]);
  });

  it("token refused", async () => {
    answer("token refused");
    expect((await send()).outcomes).toMatchObject([{ status: "unauthorized", message: "Invalid access token" }]);
  });

  it("a refused batch, judged event by event, then sent without the bad one", async () => {
    answer("refused, as captured");
    answer("judged: one invalid");
    answer("accepted");
    const { outcomes, requests } = await send(2);
    expect(outcomes).toMatchObject([
      { status: "delivered" },
      { status: "rejected", message: "free text", code: "517" },
    ]);
    expect(requests.map(({ purpose }) => purpose)).toEqual(["events", "validate", "events"]);
  });

  it("verdicts of validate", async () => {
    answer("judged: all valid");
    expect(await client.validate(PIXEL, texts(1), { token: TOKEN })).toMatchObject([{ snapchat: { valid: true } }]);
    answer("judged: one invalid");
    expect(await client.validate(PIXEL, texts(2), { token: TOKEN })).toMatchObject([
      { snapchat: { valid: true, warnings: [] } },
      { snapchat: { valid: false, message: "free text", code: "517", warnings: ["free text"] } },
    ]);
  });

  it("logs and stats", async () => {
    const snapchat = nock("https://tr.snapchat.com").get(/./).query(true).reply(200, LOGS);
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
    snapchat.get(`/v3/${PIXEL}/events/validate/stats`).query({ access_token: TOKEN }).reply(200, STATS);
    expect(await client.stats(PIXEL, { token: TOKEN })).toEqual({
      test: { latestEventMs: 1_790_000_000_000, eventsPastHour: 3 },
      live: { latestEventMs: 1_790_000_000_000, eventsPastHour: 812 },
    });
  });

  it("never asks another host than Snapchat's", async () => {
    const elsewhere = new ConversionsClient({ endpoints: { conversions: "https://tr.snapchat.com.example" } });
    const { outcomes } = await elsewhere.sendPrepared(PIXEL, texts(1), { token: TOKEN });
    expect(outcomes[0]?.status).toBe("retry");
  });
});
