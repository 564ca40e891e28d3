/**
 * Defects found in other Snapchat integrations, each as a test that their behaviour fails. Those of other rooms stand
 * there: adds and removes in parallel (D7) and a list emptied to be replaced (D25) in `delivery/members.test.ts` and
 * `audiences/checker`; counts of the wrong row (D8) in `audiences/members.test.ts`; a rotated refresh token lost (D11) and
 * a lock freed by who no longer holds it (D26) in `auth/refresh-races.test.ts`.
 */
import { describe, expect, it } from "vitest";
import { ConversionsClient, prepareEvent } from "../../src/capi/index.ts";
import { hashedMember, sha256Hex } from "../../src/identity/index.ts";
import { pixelTrackCall } from "../../src/pixel/index.ts";
import type { SnapEventInput } from "../../src/wire/event.ts";
import { createRouter, presets, setToggle, sources } from "../../src/workflow/index.ts";
import { accepted, appOpen, findings, NOW_MS, NOW_S, OPTIONS, purchase, refusal, sent } from "./events.ts";
import { setUp, texts } from "./snapchat.ts";

describe("what peers get wrong", () => {
  it("D1: the click id of the address is lower-cased with it", () => {
    const event = sent(purchase({ event_source_url: "https://shop.example/?ScCid=0A1b2C3d-AbCd" }));
    expect(event.user_data.sc_click_id).toBe("0A1b2C3d-AbCd");
    expect(event.event_source_url).toContain("ScCid=0A1b2C3d-AbCd");
  });

  it("D2: production batches go out as tests, without the sender's name", async () => {
    const { client, simulator, pixel, token } = await setUp();
    await client.sendPrepared(pixel, texts(3), { token });
    expect(simulator.inspect.testEvents).toEqual([]);
    expect(simulator.inspect.events.counted).toBe(3);
    expect(sent(purchase()).integration).toBe("example-cdp");
  });

  it.each([
    ["D3: only the first separator of a phone is removed", "+44 844 412 4653"],
    ["D6: zeros before the country code are kept", "+0044 844 412 4653"],
    ["D22: plus, spaces and dashes are hashed too", "+44-844-412-4653"],
    ["the trunk zero after the country code is hashed", "+44 (0)844 412 4653"],
  ])("%s", (_name, ph) => {
    expect(sent(purchase({ user_data: { ph } })).user_data.ph).toEqual([
      "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383",
    ]);
  });

  it("D4: lists of ids are joined to one text", () => {
    const custom_data = {
      value: 1,
      currency: "GBP",
      content_ids: ["a", "b"],
      brands: ["c", "d"],
      content_category: ["e", "f"],
    };
    expect(sent(purchase({ custom_data })).custom_data).toMatchObject({
      content_ids: ["a", "b"],
      brands: ["c", "d"],
      content_category: ["e", "f"],
    });
  });

  it("D5: a national phone is taken for American", () => {
    const event = purchase({ user_data: { em: "jane@example.com", ph: "07911 123456" } });
    expect(sent(event, { defaultCountry: undefined }).user_data.ph).toBeUndefined();
    expect(sent(event).user_data.ph).toEqual([sha256Hex("447911123456")]);
  });

  it("D9: an unknown currency throws the event away", () => {
    for (const currency of ["ARS", "BDT", "LKR", "ZZZ"]) {
      expect(refusal(purchase({ custom_data: { value: 1, currency } }))).toBeUndefined();
    }
  });

  it("D10: one request per event", async () => {
    const { client, pixel, token } = await setUp();
    expect((await client.send(pixel, texts(2_000), { token })).requests).toBe(1);
  });

  it("D12: limited use is a text, and not what the field takes", () => {
    expect(sent(purchase(), { limitedUse: true }).data_processing_options).toEqual(["LMU"]);
  });

  it("D14: no event id without a setting, and the order id is lost", () => {
    const event = sent(purchase());
    expect(event.event_id).toBe("order-10442");
    expect(event.custom_data.order_id).toBe("SO-10442");
    expect(findings(purchase({ event_id: undefined }))).toEqual(["event_id event_id_missing"]);
  });

  it("D13: the pixel gets its id under a name it does not read", () => {
    const [, , , parameters] = pixelTrackCall(purchase() as SnapEventInput, { pixelId: "p" });
    expect(parameters).toMatchObject({ client_dedup_id: "order-10442" });
    expect(parameters).not.toHaveProperty("client_deduplication_id");
  });

  it("D14: the checkout and the purchase of one order share an id, and a repeat of a plain event has another", () => {
    const router = createRouter(presets.rudderstack());
    const id = (event: string, messageId?: string) =>
      router.route(
        sources.rudderstack.read({
          type: "track",
          event,
          ...(messageId ? { messageId } : {}),
          timestamp: "2026-11-20T10:15:00Z",
          properties: { order_id: "SO-1" },
        }),
      ).eventId;
    expect(id("Checkout Started", "m-1")).toBe("m-1");
    expect(id("Order Completed", "m-2")).toBe("m-2");
    expect(id("Checkout Started")).not.toBe(id("Order Completed"));
    expect(id("Order Completed")).toBe(id("Order Completed"));
  });

  it("D15: a phone has one digest in events and another in lists", () => {
    for (const ph of ["+0044 20 7946 0018", "0044 (0)20 7946 0018"]) {
      expect(sent(purchase({ user_data: { ph } })).user_data.ph).toEqual([hashedMember("phone", ph)]);
    }
  });

  it("D16: what has no channel is called offline", () => {
    expect(refusal(purchase({ action_source: undefined }))).toBe("action_source_missing");
    expect(refusal(purchase({ action_source: "server" }))).toBe("action_source_unknown");
  });

  it("D17: the event id sits in custom_data, where nothing is deduplicated by it", () => {
    const event = sent(purchase({ event_id: undefined, custom_data: { value: 1, currency: "GBP", event_id: "e1" } }));
    expect(event.event_id).toBe("e1");
    expect(event.custom_data).toEqual({ value: 1, currency: "GBP" });
  });

  it("D18: where somebody's address comes from is the mapping's to say; nothing is added here", () => {
    const event = sent(purchase({ user_data: { client_ip_address: "203.0.113.9", client_user_agent: "UA/1" } }));
    expect(Object.keys(event.user_data)).toEqual(["client_ip_address", "client_user_agent"]);
  });

  it("D18: where the address of an IP lookup stands among the traits of a platform, it is not taken for the person's", () => {
    const { event } =
      createRouter(setToggle(presets.segment(), "Order Completed", { server: true })).route(
        sources.segment.read({
          type: "track",
          event: "Order Completed",
          context: {
            ip: "203.0.113.9",
            location: { city: "Oslo", country: "NO" },
            traits: { email: "jane@example.com" },
          },
        }),
      ).decisions[0] ?? {};
    expect(Object.keys(event?.user_data ?? {})).toEqual(["em", "client_ip_address"]);
  });

  it("D19: too few identifiers, and the event is gone without a word", () => {
    const prepared = prepareEvent(purchase({ user_data: { fn: "Jane" } }), OPTIONS);
    expect(prepared).toMatchObject({
      ok: false,
      reason: "identifiers_missing",
      issues: [{ fix: expect.stringMatching(/\w/) }],
    });
  });

  it("D20: values are hashed as they stand, lists as one text, digests again, nothing as something", () => {
    const digest = sha256Hex("jane@example.com");
    const user = (em: unknown) => sent(purchase({ user_data: { em, ph: "+447911123456" } })).user_data.em;
    expect(user(" Jane@Example.com ")).toEqual([digest]);
    expect(user(["jane@example.com", "JANE@example.com", ""])).toEqual([digest]);
    expect(user(digest.toUpperCase())).toEqual([digest]);
    for (const nothing of ["", "null", "undefined", [], [""], sha256Hex(""), sha256Hex("null")]) {
      expect(user(nothing)).toBeUndefined();
    }
  });

  it("D21: the address with the token is logged", async () => {
    const labels: string[] = [];
    const secret = "conversions-token-of-acme";
    const client = new ConversionsClient({
      http: {
        request: async (request) => {
          labels.push(request.label);
          expect(request.untraced).toBe(true);
          throw new TypeError(`failed: ${request.url}`);
        },
      },
    });
    const result = await client.sendPrepared("pixel-1", texts(1), { token: secret });
    expect(labels).toEqual(["POST /v3/{asset}/events"]);
    expect(JSON.stringify(result)).not.toContain(secret);
    const failed = await client.stats("pixel-1", { token: secret, maxRetries: 0 }).catch((error: unknown) => error);
    expect(`${failed} ${JSON.stringify(failed)}`).not.toContain(secret);
  });

  it("D22: a comparison with the wrong case decides whether currency and value are there", () => {
    expect(refusal(purchase({ event_name: "Purchase", custom_data: {} }))).toBe("value_missing");
  });

  it("D23: the phone goes under a key nobody reads", () => {
    const event = sent(purchase({ user_data: { pn: "+447911123456" } }));
    expect(event.user_data).toEqual({ ph: [sha256Hex("447911123456")] });
  });

  it("D24: one purchase of three products becomes three purchases", async () => {
    const { client, simulator, pixel, token } = await setUp();
    const contents = ["a", "b", "c"].map((id) => ({ id, quantity: 1, item_price: 2 }));
    await client.send(pixel, [accepted(purchase({ custom_data: { value: 6, currency: "GBP", contents } }))], { token });
    expect(simulator.inspect.events.counted).toBe(1);
  });

  it("milliseconds are read as seconds for offline events", () => {
    expect(sent(purchase({ action_source: "OFFLINE", event_time: NOW_MS - 5_000 })).event_time).toBe(NOW_S - 5);
  });

  it("slots of extinfo are swapped or dropped", () => {
    const named = {
      platform: "ios",
      osVersion: "18",
      screenWidth: 1080,
      screenHeight: 2400,
      timezone: "Europe/London",
    };
    const event = sent(appOpen({ app_data: { app_id: "1", advertiser_tracking_enabled: 1, extinfo: named } }));
    const extinfo = event.app_data.extinfo as string[];
    expect([extinfo.length, extinfo[9], extinfo[10], extinfo[15]]).toEqual([16, "1080", "2400", "Europe/London"]);
  });

  it("a 200 that says INVALID is counted as success", async () => {
    const { client, pixel, token } = await setUp({ invalidStatus: 200 });
    expect((await client.send(pixel, texts(1, [0]), { token })).outcomes[0]?.status).toBe("rejected");
  });
});
