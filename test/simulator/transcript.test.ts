import { readdirSync, readFileSync } from "node:fs";
import nock from "nock";
import { afterEach, describe, expect, it } from "vitest";
import { readTranscript, replayTranscript } from "../../src/testing/index.ts";
import { DIGEST, start } from "./support.ts";

const FOLDER = new URL("../fixtures/transcripts/", import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
const load = (name: string) => readTranscript(readFileSync(new URL(name, FOLDER), "utf8"));

/** The request of a line, with something in the places in braces. */
function requestOf(line: string): [string, RequestInit] {
  const [method = "", url = ""] = line.split(" ");
  return [url.replace(/\{[^}]*\}/g, "anything"), { method }];
}

/** nock throws where it knows the host not at all, and answers 501 where no exchange fits. */
async function refused(answer: Promise<Response>): Promise<boolean> {
  try {
    return (await answer).status === 501;
  } catch {
    return true;
  }
}

afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

describe("a transcript", () => {
  it.each(files)("%s is replayed word for word, each exchange once", async (name) => {
    nock.disableNetConnect();
    const transcript = load(name);
    const replay = replayTranscript(nock, transcript);
    expect(replay.remaining).toHaveLength(transcript.exchanges.length);
    for (const { request, response } of transcript.exchanges) {
      const answer = await fetch(...requestOf(request));
      expect(answer.status).toBe(response.status);
      const text = await answer.text();
      expect(typeof response.body === "string" ? text : JSON.parse(text)).toEqual(response.body);
      for (const [header, value] of Object.entries(response.headers ?? {}))
        expect(answer.headers.get(header)).toBe(value);
    }
    expect(replay.remaining).toEqual([]);
    const [first] = transcript.exchanges;
    expect(await refused(fetch(...requestOf(first?.request ?? "")))).toBe(true);
  });

  it("does not answer another path, method or query", async () => {
    nock.disableNetConnect();
    const request = "GET https://tr.snapchat.com/v3/{asset}/events?access_token={token}&mode=a.b";
    const exchange = { request, response: { status: 200, body: {} }, provenance: "schema" as const };
    const replay = replayTranscript(nock, { format: "transcript/1", title: "one", exchanges: [exchange] });
    const origin = "https://tr.snapchat.com";
    expect(await refused(fetch(`${origin}/v3/a/b/events?access_token=x&mode=a.b`))).toBe(true);
    expect(await refused(fetch(`${origin}/v3/a/events?mode=a.b`))).toBe(true);
    expect(await refused(fetch(`${origin}/v3/a/events?access_token=x&mode=axb`))).toBe(true);
    expect(await refused(fetch(`${origin}/v3/a/events?access_token=x&mode=a.b`, { method: "POST" }))).toBe(true);
    expect(replay.remaining).toHaveLength(1);
    expect((await fetch(`${origin}/v3/a/events?access_token=x&mode=a.b`)).status).toBe(200);
  });

  it.each([
    ["nothing", "", /not JSON/],
    ["another format", '{"format":"har"}', /format/],
    ["no exchanges", '{"format":"transcript/1","title":"x"}', /list of exchanges/],
    ["a line that is none", one({ request: "FETCH http://tr.snapchat.com/" }), /not a request line/],
    ["a token in the line", one({ request: "GET https://tr.snapchat.com/v3/a/events?access_token=abc" }), /secret/],
    ["a token in the body", one({ response: { status: 200, body: { t: `eyJ${"a".repeat(40)}` } } }), /token/],
    ["no provenance", one({ provenance: undefined }), /comes from/],
    ["no response", one({ response: undefined }), /no response/],
  ])("with %s is refused", (_, text, message) => {
    expect(() => readTranscript(text)).toThrow(message);
  });

  function one(changes: Record<string, unknown>): string {
    const exchange = {
      request: "GET https://tr.snapchat.com/v3/a/events",
      response: { status: 200, body: {} },
      provenance: "seen",
    };
    return JSON.stringify({ format: "transcript/1", title: "x", exchanges: [{ ...exchange, ...changes }] });
  }
});

describe("the simulator answers in the shapes of the transcripts:", () => {
  /** The keys of a body, in full depth; values fall away, lists keep their first entry. */
  function shape(value: unknown): unknown {
    if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
    if (typeof value !== "object" || value === null) return typeof value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
  }
  const body = (name: string, index: number) => load(name).exchanges[index]?.response.body;

  it("Conversions API", async () => {
    const { simulator, send, event } = await start();
    const bad = event({ event_name: "NOPE" });
    expect((await send([event()])).json).toEqual(body("conversions-send.json", 0));
    expect(shape((await send([bad])).json)).toEqual(shape(body("conversions-send.json", 2)));
    expect((await send([event()], { assetId: "x" })).json).toEqual(body("conversions-send.json", 3));
    expect((await send([event()], { token: "x" })).json).toEqual(body("conversions-send.json", 4));
    simulator.knobs.errorEnvelope = "flat";
    expect((await send([event({ event_time: "soon" })])).json).toEqual(body("conversions-send.json", 1));
    const path = "events/validate";
    expect(shape((await send([event()], { path })).json)).toEqual(shape(body("conversions-validate.json", 0)));
    await simulator.close();
  });

  it("OAuth", async () => {
    const { simulator, token, authorizeUrl } = await start();
    const code = new URL(simulator.consent(authorizeUrl())).searchParams.get("code") ?? "";
    const redirect_uri = "https://cdp.example/snapchat/callback";
    const good = await token({ grant_type: "authorization_code", code, redirect_uri });
    expect(shape(good.json)).toEqual(shape(body("oauth.json", 0)));
    expect((await token({ grant_type: "refresh_token", refresh_token: "x" })).json).toEqual(body("oauth.json", 1));
    expect((await token({ client_secret: "x" })).json).toEqual(body("oauth.json", 2));
    await simulator.close();
  });

  it("segments and members", async () => {
    const { simulator, ads, segment } = await start();
    const path = `/adaccounts/${simulator.world.main.adAccount.id}/segments`;
    const created = await ads("POST", path, { segments: [segment({ description: "synced" })] });
    expect(shape(created.json)).toEqual(shape(body("segments.json", 0)));
    const users = { users: [{ schema: ["EMAIL_SHA256"], data: [[DIGEST.em]] }] };
    const one = `/segments/${simulator.inspect.segments()[0]?.id}`;
    expect(shape((await ads("POST", `${one}/users`, users)).json)).toEqual(shape(body("segments.json", 1)));
    expect(shape((await ads("DELETE", `${one}/users`, users)).json)).toEqual(shape(body("segments.json", 2)));
    expect(shape((await ads("DELETE", one)).json)).toEqual(shape(body("segments.json", 3)));
    expect(shape((await ads("DELETE", one)).json)).toEqual(shape(body("segments.json", 4)));
    expect(shape((await ads("GET", one)).json)).toEqual(shape(body("segments.json", 5)));
    await simulator.close();
  });
});
