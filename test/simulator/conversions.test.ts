import { describe, expect, it } from "vitest";
import { DIGEST, start } from "./support.ts";

const PURCHASE = { value: 64.5, currency: "GBP", order_id: "SO-1" };
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MADID = "38400000-8cf0-11bd-b23e-10b96e40000d";

describe("a batch of events", () => {
  it("is answered with the literal body of the real API, and counted", async () => {
    const { simulator, send, event } = await start();
    const answer = await send([event()]);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ status: "VALID", reason: "Events have been processed successfully." });
    const { events } = simulator.inspect;
    expect(events).toMatchObject({ received: 1, counted: 1, duplicates: 0, rejected: 0, warnedBy: {} });
    expect(events.list()[0]).toMatchObject({ channel: "server", outcome: "counted", name: "PAGE_VIEW" });
    await simulator.close();
  });

  it("is refused as a whole for one bad event, in the nested envelope, by its place", async () => {
    const { simulator, send, event } = await start();
    const answer = await send([event(), event({ event_id: "evt-2", user_data: { em: ["person@example.com"] } })]);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      status: "INVALID",
      event: 2,
      reason: "At least one of the events is invalid.",
      errors: { codes: ["517", "517"], error_msgs: [expect.stringMatching(/^Unhashed PII/), expect.anything()] },
    });
    expect(simulator.inspect.events).toMatchObject({ received: 2, counted: 0, rejected: 1, refusedWithBatch: 1 });
    await simulator.close();
  });

  it("is refused in Segment's flat envelope, without a place, where the knob says so", async () => {
    const { simulator, send, event } = await start({ knobs: { errorEnvelope: "flat" } });
    const answer = await send([event({ event_time: "soon" })]);
    expect(answer.json).toEqual({
      status: "INVALID",
      error_msgs: ["Param data['event_time'] is an invalid Unix timestamp."],
    });
    await simulator.close();
  });

  it.each([
    ["accept_good", 400, "INVALID"],
    ["accept_good_silently", 200, "VALID"],
  ] as const)("keeps its good events with %s", async (partialFailure, status, word) => {
    const { simulator, send, event } = await start({ knobs: { partialFailure } });
    const answer = await send([event(), event({ event_id: "evt-2", event_name: "ADD_TO_CART" })]);
    expect([answer.status, answer.json.status]).toEqual([status, word]);
    expect(simulator.inspect.events).toMatchObject({ counted: 1, rejected: 1, refusedWithBatch: 0 });
    await simulator.close();
  });

  it.each([
    ["a bare list", [{}]],
    ["no data", {}],
    ["an empty list", { data: [] }],
    ["data that is no list", { data: {} }],
  ])("is refused with %s", async (_, body) => {
    const { simulator, call } = await start();
    const { main } = simulator.world;
    const url = `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events?access_token=${main.conversionsToken}`;
    const answer = await call(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.json.status]).toEqual([400, "INVALID"]);
    expect(answer.json).not.toHaveProperty("event");
    await simulator.close();
  });

  it("is refused with 2,001 events, and taken with 2,000", async () => {
    const { simulator, send, event } = await start();
    const events = Array.from({ length: 2_001 }, (_, i) => event({ event_id: `e${i}` }));
    expect((await send(events)).status).toBe(400);
    expect(simulator.inspect.events.received).toBe(0);
    expect((await send(events.slice(1))).status).toBe(200);
    expect(simulator.inspect.events.counted).toBe(2_000);
    await simulator.close();
  });

  it("is refused without a JSON content type, broken JSON, or beyond the byte limit", async () => {
    const { simulator, call } = await start({ knobs: { maxBodyBytes: 1_000 } });
    const { main } = simulator.world;
    const url = `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events?access_token=${main.conversionsToken}`;
    const json = { "content-type": "application/json" };
    expect((await call(url, { method: "POST", body: "{}", headers: { "content-type": "text/plain" } })).status).toBe(
      400,
    );
    expect((await call(url, { method: "POST", body: "{", headers: json })).status).toBe(400);
    expect((await call(url, { method: "POST", body: " ".repeat(1_001), headers: json })).status).toBe(413);
    expect((await call(url)).status).toBe(405);
    await simulator.close();
  });
});

describe("one event is rejected", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["no name", "event_name_missing", { event_name: undefined }],
    ["a name outside the 31", "event_name_unknown", { event_name: "ADD_TO_CART" }],
    ["an app name on the web", "event_name_app_only", { event_name: "APP_OPEN" }],
    ["no time", "event_time_missing", { event_time: undefined }],
    ["a time that is none", "event_time_invalid", { event_time: "2026-01-01" }],
    ["a time more than 7 days ago", "event_too_old", { event_time: 1_790_000_000 - 7 * 86_400 - 1 }],
    ["a time ahead", "event_in_future", { event_time: 1_790_000_000 + 301 }],
    ["no action source", "action_source_missing", { action_source: undefined }],
    ["an unknown action source", "action_source_unknown", { action_source: "TELEPATHY" }],
    ["an app source on a pixel", "action_source_of_other_asset", { action_source: "MOBILE_APP" }],
    ["no URL", "event_source_url_missing", { event_source_url: undefined }],
    ["a URL without a scheme", "event_source_url_invalid", { event_source_url: "shop.example/thanks" }],
    ["an id that is an object", "event_id_invalid", { event_id: {} }],
    ["no user data", "user_data_missing", { user_data: undefined }],
    ["no identifier", "insufficient_pii", { user_data: {} }],
    ["only a click id and a cookie", "insufficient_pii", { user_data: { sc_click_id: "x", sc_cookie1: "y" } }],
    ["an address without a user agent", "insufficient_pii", { user_data: { client_ip_address: "203.0.113.24" } }],
    ["an advertising id on the web", "insufficient_pii", { user_data: { madid: MADID } }],
    ["the digest of nothing", "insufficient_pii", { user_data: { em: [NOTHING] } }],
    ["a raw mail address", "unhashed_pii", { user_data: { em: ["person@example.com"] } }],
    ["a raw phone number", "unhashed_pii", { user_data: { em: [DIGEST.em], ph: "448444124653" } }],
    ["a raw first name", "unhashed_pii", { user_data: { em: [DIGEST.em], fn: "john" } }],
    ["a raw country", "unhashed_pii", { user_data: { em: [DIGEST.em], country: "gb" } }],
    ["an MD5 digest", "unhashed_pii", { user_data: { em: ["d41d8cd98f00b204e9800998ecf8427e"] } }],
    ["a digest and one character more", "unhashed_pii", { user_data: { em: [`${DIGEST.em}0`] } }],
    ["a mail address as external id", "unhashed_pii", { user_data: { em: [DIGEST.em], external_id: "a@b.example" } }],
    ["a hashed address", "client_ip_address_invalid", { user_data: { em: [DIGEST.em], client_ip_address: DIGEST.em } }],
    ["a number as digest", "user_data_field_invalid", { user_data: { em: [DIGEST.em], ph: [5] } }],
    ["a click id that is a number", "user_data_field_invalid", { user_data: { em: [DIGEST.em], sc_click_id: 5 } }],
    ["custom data that is a list", "custom_data_invalid", { custom_data: [] }],
    ["a purchase without custom data", "purchase_without_value", { event_name: "PURCHASE" }],
    [
      "a purchase without value",
      "purchase_without_value",
      { event_name: "PURCHASE", custom_data: { currency: "GBP" } },
    ],
    ["a purchase without currency", "purchase_without_currency", { event_name: "PURCHASE", custom_data: { value: 1 } }],
    ["a value that is no number", "value_invalid", { custom_data: { value: "twelve" } }],
    ["a currency that is no code", "currency_invalid", { custom_data: { currency: "pounds" } }],
    ["contents that are no list", "contents_invalid", { custom_data: { contents: { id: "x" } } }],
    ["Meta's option as an object", "data_processing_options_invalid", { data_processing_options: {} }],
    ["an unknown option", "data_processing_options_invalid", { data_processing_options: ["CCPA"] }],
  ])("with %s", async (_, why, changes) => {
    const { simulator, send, event } = await start();
    const answer = await send([event(changes)]);
    expect([answer.status, answer.json.status]).toEqual([400, "INVALID"]);
    expect(simulator.inspect.events.rejectedBy).toHaveProperty(why);
    expect(simulator.inspect.events).toMatchObject({ received: 1, counted: 0, rejected: 1 });
    await simulator.close();
  });

  it("that is no object", async () => {
    const { simulator, send } = await start();
    expect((await send(["event", null])).status).toBe(400);
    expect(simulator.inspect.events.rejectedBy).toEqual({ event_not_an_object: 2 });
    await simulator.close();
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["no app data", "app_data_missing", { app_data: undefined }],
    ["no app id", "app_id_missing", { app_data: { advertiser_tracking_enabled: 1 } }],
    ["no tracking answer", "advertiser_tracking_missing", { app_data: { app_id: "x" } }],
    ["a short extinfo", "extinfo_invalid", { app_data: { app_id: "x", extinfo: ["a2"] } }],
    ["an extinfo of no version", "extinfo_version_invalid", { app_data: { extinfo: slots({ 0: "a1" }) } }],
    ["an extinfo without OS version", "extinfo_os_version_missing", { app_data: { extinfo: slots({ 4: "" }) } }],
    ["a zeroed advertising id", "insufficient_pii", { user_data: { madid: "00000000-0000-0000-0000-000000000000" } }],
    ["a web source on an app", "action_source_of_other_asset", { action_source: "WEB" }],
  ])("of an app with %s", async (_, why, changes) => {
    const { simulator, send, appEvent } = await start();
    const assetId = simulator.world.main.mobileApp.id;
    expect((await send([appEvent()], { assetId })).status).toBe(200);
    expect((await send([appEvent({ event_id: "evt-app-2", ...changes })], { assetId })).status).toBe(400);
    expect(simulator.inspect.events.rejectedBy).toHaveProperty(why);
    await simulator.close();
  });
});

describe("one event is taken", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["a lower-case name", "event_name_case", { event_name: "page_view" }],
    ["a time as text", "event_time_text", { event_time: "1790000000" }],
    ["milliseconds on the web", "event_time_milliseconds", { event_time: 1_790_000_000_000 }],
    ["no id", "event_id_missing", { event_id: undefined }],
    ["a number as id", "event_id_number", { event_id: 7 }],
    ["an upper-case digest", "digest_upper_case", { user_data: { em: [DIGEST.em.toUpperCase()] } }],
    ["the digest of nothing beside a good one", "digest_of_nothing", { user_data: { em: [DIGEST.em], ph: [NOTHING] } }],
    ["a raw external id", "external_id_raw", { user_data: { em: [DIGEST.em], external_id: "user-42" } }],
    ["a mail address in the URL", "personal_data_in_url", { event_source_url: "https://a.example/?m=a%40b.example" }],
    ["a value as text", "value_text", { custom_data: { value: "12.50" } }],
    ["an unknown currency", "currency_unknown", { custom_data: { value: 1, currency: "ARS" } }],
    ["a lower-case currency", "currency_case", { custom_data: { value: 1, currency: "gbp" } }],
    ["the option as text", "data_processing_options_text", { data_processing_options: "['LMU']" }],
    ["DELETE", "data_processing_delete", { data_processing_options: ["DELETE"] }],
    ["no integration", "integration_missing", { integration: undefined }],
    ["an unknown field", "unknown_key", { shoe_size: 44 }],
    ["the id inside custom data", "event_id_in_custom_data", { custom_data: { event_id: "x" } }],
  ])("with a warning: %s", async (_, why, changes) => {
    const { simulator, send, event } = await start();
    expect((await send([event(changes)])).status).toBe(200);
    expect(simulator.inspect.events).toMatchObject({ counted: 1, warnedBy: { [why]: 1 } });
    await simulator.close();
  });

  it.each<[string, Record<string, unknown>]>([
    ["Meta's alias of the source", { action_source: "website" }],
    ["a lower-case source", { action_source: "web" }],
    ["an address with a user agent", { user_data: { client_ip_address: "2001:db8::1", client_user_agent: "X/1" } }],
    ["a digest that is no list", { user_data: { em: DIGEST.em } }],
    ["limited use", { data_processing_options: ["LMU"] }],
    ["a purchase", { event_name: "PURCHASE", custom_data: PURCHASE }],
    ["an offline source without URL", { action_source: "OFFLINE", event_source_url: undefined }],
    ["an offline time of 36 days ago", { action_source: "phone_call", event_time: 1_790_000_000 - 36 * 86_400 }],
  ])("with %s, without a warning", async (_, changes) => {
    const { simulator, send, event } = await start();
    expect((await send([event(changes)])).status).toBe(200);
    expect(simulator.inspect.events).toMatchObject({ counted: 1, warnedBy: {} });
    await simulator.close();
  });
});

describe("a knob", () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, number, number]>([
    [
      "milliseconds offline",
      { acceptsMilliseconds: { web: true, app: true, offline: true } },
      { action_source: "OFFLINE", event_time: 1_790_000_000_000 },
      400,
      200,
    ],
    ["free names", { unknownEventNames: "accept" }, { event_name: "VIEW_CART" }, 400, 200],
    [
      "a longer age",
      { maxAgeMs: { web: 28 * 86_400_000, app: 0, offline: 0 } },
      { event_time: 1_790_000_000 - 8 * 86_400 },
      400,
      200,
    ],
    ["other currencies", { unknownCurrencies: "reject" }, { custom_data: { value: 1, currency: "ARS" } }, 200, 400],
    ["unknown fields", { unknownKeys: "reject" }, { shoe_size: 44 }, 200, 400],
    [
      "URLs off the web",
      { urlRequiredOffWeb: true },
      { action_source: "OFFLINE", event_source_url: undefined },
      200,
      400,
    ],
    ["no check of hashing", { unhashedCheck: false }, { user_data: { em: "a@b.example" } }, 400, 200],
    ["no check of identity", { identityCheck: false }, { user_data: {} }, 400, 200],
    ["INVALID with 200", { invalidStatus: 200 }, { event_name: "NOPE" }, 400, 200],
  ])("turns %s", async (_, knobs, changes, before, after) => {
    const { simulator, send, event } = await start();
    expect((await send([event({ event_id: "first", ...changes })])).status).toBe(before);
    Object.assign(simulator.knobs, knobs);
    expect((await send([event({ event_id: "second", ...changes })])).status).toBe(after);
    await simulator.close();
  });

  it("gives error codes as numbers, positions from zero, or no position", async () => {
    const { simulator, send, event } = await start({ knobs: { errorCodes: "number", firstEventIndex: 0 } });
    const bad = event({ event_name: "NOPE" });
    expect((await send([bad])).json).toMatchObject({ event: 0, errors: { codes: [517] } });
    simulator.knobs.namesBadEvent = false;
    expect((await send([bad])).json).not.toHaveProperty("event");
    await simulator.close();
  });
});

describe("the Conversions token", () => {
  it("is asked for in the query; a header is enough only where the knob says so", async () => {
    const { simulator, call, event } = await start();
    const { main } = simulator.world;
    const url = `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events`;
    const init = (authorization?: string) => ({
      method: "POST",
      body: JSON.stringify({ data: [event()] }),
      headers: { "content-type": "application/json", ...(authorization ? { authorization } : {}) },
    });
    expect((await call(url, init())).status).toBe(401);
    expect((await call(url, init(`Bearer ${main.conversionsToken}`))).status).toBe(200);
    simulator.knobs.conversionsAuth = "query";
    expect((await call(url, init(`Bearer ${main.conversionsToken}`))).status).toBe(401);
    expect((await call(`${url}?access_token=${main.conversionsToken}`, init("Bearer x"))).status).toBe(200);
    await simulator.close();
  });

  it("that is unknown, revoked or too new is invalid", async () => {
    const { simulator, send, event, clock } = await start({ knobs: { conversionsTokenRefusedMs: 3_600_000 } });
    const { organization, conversionsToken } = simulator.world.main;
    const { token } = simulator.control.addConversionsToken(organization.id);
    const unknown = await send([event()], { token: "nobody's" });
    expect([unknown.status, unknown.json.reason]).toEqual([401, "Invalid access token"]);
    expect((await send([event()], { token })).status).toBe(401);
    clock.advance(3_600_000);
    expect((await send([event()], { token })).status).toBe(200);
    simulator.control.revokeConversionsToken(conversionsToken);
    simulator.knobs.invalidTokenStatus = 400;
    expect((await send([event()])).status).toBe(400);
    await simulator.close();
  });

  it("reaches the assets of its organization only", async () => {
    const { simulator, send, event } = await start();
    const foreign = simulator.world.pixels.find((pixel) => pixel.name === "Contoso site")?.id ?? "";
    const answer = await send([event()], { assetId: foreign });
    expect([answer.status, answer.json]).toEqual([400, { status: "INVALID", reason: "Unauthorized resources" }]);
    simulator.knobs.foreignAssetStatus = 403;
    expect((await send([event()], { assetId: "11111111-2222-4333-8444-555555555555" })).status).toBe(403);
    await simulator.close();
  });

  it("may be an OAuth token of the right scope and role", async () => {
    const { simulator, send, event, tokenOf, clock } = await start();
    const north = simulator.world.main.pixel.id;
    const german = simulator.world.pixels.find((pixel) => pixel.name === "Northwind DE shop")?.id ?? "";
    const asBen = { token: tokenOf("ben") };
    expect((await send([event()], { ...asBen, assetId: north })).status).toBe(200);
    expect((await send([event()], { ...asBen, assetId: german })).json.reason).toBe("Unauthorized resources");
    expect((await send([event()], { token: tokenOf("ada", ["snapchat-marketing-api"]) })).status).toBe(401);
    clock.advance(3_600_000);
    expect((await send([event()], asBen)).status).toBe(401);
    await simulator.close();
  });
});

describe("deduplication", () => {
  it("counts an id once in 48 hours, and again after", async () => {
    const { simulator, send, event, clock } = await start();
    await send([event(), event()]);
    clock.advance(48 * 3_600_000);
    await send([event()]);
    clock.advance(1);
    await send([event()]);
    const outcomes = simulator.inspect.events.list().map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["counted", "duplicate", "duplicate", "counted"]);
    await simulator.close();
  });

  it("is per asset", async () => {
    const { simulator, send, event } = await start();
    await send([event()]);
    await send([event()], { assetId: simulator.world.pixels[1]?.id ?? "" });
    expect(simulator.inspect.events.counted).toBe(2);
    await simulator.close();
  });

  it.each([
    [{}, 1],
    [{ dedupeByName: true }, 2],
    [{ dedupeByTime: true }, 2],
    [{ dedupeByName: true, dedupeByTime: true }, 3],
  ])("with %j counts one id under two names at two times %i times", async (knobs, counted) => {
    const { simulator, send, event } = await start({ knobs });
    await send([event(), event(), event({ event_time: 1_789_999_990 }), event({ event_name: "LOGIN" })]);
    expect(simulator.inspect.events.counted).toBe(counted);
    await simulator.close();
  });

  it("takes no account of time between pixel and server, whatever the knob says", async () => {
    const { simulator, send, event, call } = await start({ knobs: { dedupeByTime: true } });
    const { pixel } = simulator.world.main;
    const hit = (id: string) =>
      call(`${simulator.endpoints.conversions}/p?pid=${pixel.id}&ev=PAGE_VIEW&ts=1790000012345&cdid=${id}`);
    await send([event({ event_id: "a" })]);
    await hit("a");
    await hit("b");
    await send([event({ event_id: "b" })]);
    expect(simulator.inspect.events).toMatchObject({ counted: 2, duplicates: 2 });
    await simulator.close();
  });

  it("does not take two server purchases of one order for one", async () => {
    const { simulator, send, event } = await start();
    const purchase = (event_id: string) => event({ event_id, event_name: "PURCHASE", custom_data: PURCHASE });
    await send([purchase("a"), purchase("b")]);
    expect(simulator.inspect.events.counted).toBe(2);
    await simulator.close();
  });

  it("keeps the first and takes over what only the second says", async () => {
    const { simulator, send, event } = await start();
    await send([event()]);
    await send([event({ event_source_url: "https://other.example/", custom_data: { num_items: 3 } })]);
    const [first] = simulator.inspect.events.list({ outcome: "counted" });
    expect(first?.event).toMatchObject({ event_source_url: "https://shop.example/", custom_data: { num_items: 3 } });
    await simulator.close();
  });
});

describe("validate, logs and stats", () => {
  it("judges every event and counts none", async () => {
    const { simulator, send, event } = await start();
    const good = await send([event()], { path: "events/validate" });
    expect(good.json).toMatchObject({ status: "VALID", test_event: true, event_logs: [{ event: 1, status: "VALID" }] });
    const bad = await send([event(), event({ event_name: "NOPE" })], { path: "events/validate" });
    expect(bad.status).toBe(400);
    expect(bad.json).toMatchObject({
      status: "INVALID",
      test_event: true,
      reason: "At least one of the events is invalid.",
      event_logs: [
        { event: 1, status: "VALID" },
        { event: 2, status: "INVALID", errors: { codes: ["517"], error_msgs: ["Unrecognized event type."] } },
      ],
    });
    expect(simulator.inspect.events).toMatchObject({ received: 0, test: 3 });
    expect((await send([event()])).status).toBe(200);
    expect(simulator.inspect.events.counted).toBe(1);
    await simulator.close();
  });

  it("counts no event with a test code, of the request or its own", async () => {
    const { simulator, send, event } = await start();
    await send([event()], { extra: { test_event_code: "run-7" } });
    await send([event({ test_event_code: "run-7" }), event({ event_id: "evt-2" })]);
    expect(simulator.inspect.events).toMatchObject({ test: 2, counted: 1 });
    expect(simulator.inspect.testEvents).toHaveLength(2);
    await simulator.close();
  });

  it("remembers test events for a day, and rewrites names", async () => {
    const { simulator, send, event, call, clock } = await start();
    const { main } = simulator.world;
    const logs = () =>
      call(
        `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events/validate/logs?access_token=${main.conversionsToken}`,
      );
    await send([event({ event_name: "page_view" })], { path: "events/validate" });
    const answer = await logs();
    expect(answer.json).toMatchObject({
      status: "SUCCESS",
      logs: [{ event_name: "PAGE_VIEW", raw_event_name: "page_view", event_time: "1790000000", status: "VALID" }],
    });
    clock.advance(86_400_001);
    await send([event()]);
    expect((await logs()).json.logs).toEqual([]);
    await simulator.close();
  });

  it("tells the last event and the past hour, test and live apart", async () => {
    const { simulator, send, event, call, clock } = await start();
    const { main } = simulator.world;
    const stats = async () =>
      (
        await call(
          `${simulator.endpoints.conversions}/v3/${main.pixel.id}/events/validate/stats?access_token=${main.conversionsToken}`,
        )
      ).json.stats;
    expect(await stats()).toMatchObject({ live: { latest_event_ts: null, event_count_past_hour: 0 } });
    const first = clock.at;
    await send([event()]);
    clock.advance(1_800_000);
    await send([event({ event_id: "evt-2" })], { extra: { test_event_code: "x" } });
    expect(await stats()).toEqual({
      test: { latest_event_ts: clock.at, event_count_past_hour: 1 },
      live: { latest_event_ts: first, event_count_past_hour: 1 },
    });
    clock.advance(1_800_000);
    expect(await stats()).toMatchObject({ live: { latest_event_ts: first, event_count_past_hour: 0 } });
    await simulator.close();
  });
});

function slots(changes: Record<number, string>): string[] {
  const extinfo = ["a2", "net.example.game", "42", "4.2.0", "15", ...Array.from({ length: 11 }, () => "")];
  for (const [slot, value] of Object.entries(changes)) extinfo[Number(slot)] = value;
  return extinfo;
}
