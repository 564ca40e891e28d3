import { describe, expect, it } from "vitest";
import { AudiencesClient, segmentMarker } from "../../src/audiences/index.ts";
import { Secret } from "../../src/errors.ts";
import { setup } from "./setup.ts";

const LIST = "GET /v1/adaccounts/{id}/segments";
const CREATE = "POST /v1/adaccounts/{id}/segments";

describe("making a segment", () => {
  it("sends what Snapchat wants and reads the answer with the id as text", async () => {
    const { client, account, call, simulator } = await setup();
    const made = await client.segments.create(
      account,
      { name: "VIP – last 90 days", description: "synced", retentionInDays: 90, marker: segmentMarker("vip", "7f3a") },
      call,
    );
    expect(made).toMatchObject({
      id: expect.stringMatching(/^\d+$/),
      name: "VIP – last 90 days",
      description: "synced cdp:vip#7f3a",
      sourceType: "FIRST_PARTY",
      retentionInDays: 90,
      uploadStatus: "NO_UPLOAD",
      targetableStatus: "NOT_READY",
      approximateNumberUsers: 0,
    });
    expect(simulator.inspect.requests).toHaveLength(1);
    await expect(client.segments.get(made.id, call)).resolves.toEqual(made);
  });

  it.each([0, undefined, 9_999])("keeps members for ever with a retention of %s", async (retentionInDays) => {
    const { client, account, call } = await setup();
    const made = await client.segments.create(account, { name: "VIP", retentionInDays }, call);
    expect(made.retentionInDays).toBe(9_999);
  });

  it.each([
    ["no name", { name: " " }, "segment_name_invalid"],
    ["a long name", { name: "x".repeat(376) }, "segment_name_invalid"],
    ["a retention of half a day", { name: "VIP", retentionInDays: 0.5 }, "segment_retention_invalid"],
    ["a retention of a life and a day", { name: "VIP", retentionInDays: 10_000 }, "segment_retention_invalid"],
    ["an empty marker", { name: "VIP", marker: "" }, "segment_marker_invalid"],
  ])("refuses %s before anything is sent", async (_, segment, code) => {
    const { client, account, call, simulator } = await setup();
    await expect(client.segments.create(account, segment, call)).rejects.toMatchObject({ code, kind: "fix_data" });
    expect(simulator.inspect.requests).toHaveLength(0);
  });

  it("counts a name's characters as Snapchat does", async () => {
    const { client, account, call } = await setup();
    const name = "🛍".repeat(375);
    await expect(client.segments.create(account, { name }, call)).resolves.toMatchObject({ name });
  });

  it.each(["", "  ", "k".repeat(10_000)])("has no marker for a key of %# characters", (key) => {
    expect(() => segmentMarker(key, "1")).toThrow(expect.objectContaining({ code: "segment_key_invalid" }));
  });
});

describe("a creation whose answer is lost", () => {
  const lost = { area: "ads", method: "POST", timeoutAfterAcceptance: true, count: 1 } as const;

  it("is found by its marker and not made twice", async () => {
    const { client, account, call, simulator, requests, pauses } = await setup();
    simulator.faults.add(lost);
    const made = await client.segments.create(account, { name: "VIP", marker: "cdp:vip#1" }, call);
    expect(made.name).toBe("VIP");
    expect(simulator.inspect.segments()).toHaveLength(1);
    expect(requests()).toEqual([CREATE, LIST]);
    expect(pauses).toHaveLength(1);
  });

  it("is found by a marker that stands in the description", async () => {
    const { client, account, call, simulator } = await setup();
    simulator.faults.add(lost);
    await client.segments.create(account, { name: "VIP", description: "CDP list cdp:vip group#1" }, call);
    expect(simulator.inspect.segments()).toHaveLength(1);
  });

  it("is found on a later page than the first", async () => {
    const { client, account, call, simulator } = await setup({
      knobs: { rateLimits: false, segmentsPerAdAccount: 2_000 },
    });
    for (let n = 0; n < 1_005; n++) await client.segments.create(account, { name: `Other ${n}` }, call);
    simulator.faults.add(lost);
    const made = await client.segments.create(account, { name: "VIP", marker: "cdp:vip#1" }, call);
    expect(
      simulator.inspect
        .segments()
        .filter(({ name }) => name === "VIP")
        .map(({ id }) => id),
    ).toEqual([made.id]);
  });

  it("is made where it did not arrive", async () => {
    const { client, account, call, simulator, requests } = await setup();
    simulator.faults.add({ area: "ads", method: "POST", status: 503, count: 2 });
    const made = await client.segments.create(account, { name: "VIP", marker: "cdp:vip#1" }, call);
    expect(simulator.inspect.segments().map(({ id }) => id)).toEqual([made.id]);
    expect(requests()).toEqual([CREATE, LIST, CREATE, LIST, CREATE]);
  });

  it("is looked for once more when the last try is lost as well", async () => {
    const { client, account, call, simulator } = await setup();
    simulator.faults.add({ area: "ads", method: "POST", status: 503, count: 2 });
    simulator.faults.add({ area: "ads", method: "POST", timeoutAfterAcceptance: true });
    const made = await client.segments.create(account, { name: "VIP", marker: "cdp:vip#1" }, call);
    expect(simulator.inspect.segments().map(({ id }) => id)).toEqual([made.id]);
  });

  it("without a marker is left to the caller", async () => {
    const { client, account, call, simulator, requests } = await setup();
    simulator.faults.add(lost);
    await expect(client.segments.create(account, { name: "VIP" }, call)).rejects.toMatchObject({
      kind: "retry",
      details: { sent: "maybe" },
    });
    expect(requests()).toEqual([CREATE]);
  });

  it("is one request where the caller repeats by himself", async () => {
    const { client, account, call, simulator, requests } = await setup({}, { maxRetries: 0 });
    simulator.faults.add(lost);
    await expect(client.segments.create(account, { name: "VIP", marker: "cdp:vip#1" }, call)).rejects.toMatchObject({
      code: "network_error",
    });
    expect(requests()).toEqual([CREATE]);
  });
});

describe("a creation that Snapchat refuses", () => {
  it("says that the account is full", async () => {
    const { client, account, call } = await setup({ knobs: { rateLimits: false, segmentsPerAdAccount: 1_000 } });
    for (let n = 0; n < 1_000; n++) await client.segments.create(account, { name: `List ${n}` }, call);
    await expect(client.segments.create(account, { name: "One more" }, call)).rejects.toMatchObject({
      code: "segment_limit_reached",
      kind: "fix_configuration",
      details: { count: 1_000 },
    });
  });

  it("says that the name is taken", async () => {
    const { client, account, call } = await setup({ knobs: { rateLimits: false, duplicateSegmentNames: "reject" } });
    await client.segments.create(account, { name: "VIP" }, call);
    await expect(client.segments.create(account, { name: "VIP" }, call)).rejects.toMatchObject({
      code: "segment_name_taken",
    });
  });

  it("says what Snapchat said where the list does not tell", async () => {
    const { client, account, call } = await setup();
    const lookalike = { name: "Like VIP", seedSegmentId: "5000000000009999", countries: ["GB"] };
    await expect(client.segments.createLookalike(account, lookalike, call)).rejects.toMatchObject({
      code: "request_refused",
      details: { errorCode: "E2002", said: expect.stringContaining("seed_segment_id") },
    });
  });

  it("tells of roles and of terms that nobody accepted", async () => {
    const { client, account, call, simulator } = await setup();
    simulator.control.acceptTerms(simulator.world.main.organization.id, false);
    await expect(client.segments.create(account, { name: "VIP" }, call)).rejects.toMatchObject({
      code: "access_forbidden",
      kind: "fix_configuration",
      fix: expect.stringMatching(/role.*Customer List terms/s),
    });
  });

  it("tells a refused token", async () => {
    const { client, account } = await setup();
    await expect(
      client.segments.create(account, { name: "VIP" }, { token: new Secret("nobody") }),
    ).rejects.toMatchObject({
      code: "access_token_refused",
      kind: "reauthorize",
    });
  });
});

describe("a lookalike", () => {
  it("is made from a segment for countries", async () => {
    const { client, account, call, simulator } = await setup();
    const seed = await client.segments.create(account, { name: "VIP" }, call);
    const made = await client.segments.createLookalike(
      account,
      { name: "Like VIP", seedSegmentId: seed.id, countries: ["gb", "IE"], type: "SIMILARITY" },
      call,
    );
    expect(made).toMatchObject({ name: "Like VIP", sourceType: "LOOKALIKE", retentionInDays: 180 });
    expect(simulator.inspect.segments()).toHaveLength(2);
  });

  it.each([
    ["without a seed", { name: "L", seedSegmentId: "vip", countries: ["GB"] }, "lookalike_seed_invalid"],
    ["without countries", { name: "L", seedSegmentId: "1", countries: [] }, "lookalike_countries_invalid"],
    [
      "for a country by its name",
      { name: "L", seedSegmentId: "1", countries: ["Ireland"] },
      "lookalike_countries_invalid",
    ],
    [
      "of a type that is none",
      { name: "L", seedSegmentId: "1", countries: ["GB"], type: "CLOSE" },
      "lookalike_type_invalid",
    ],
    [
      "that is kept too long",
      { name: "L", seedSegmentId: "1", countries: ["GB"], retentionInDays: 181 },
      "segment_retention_invalid",
    ],
  ])("%s is refused before anything is sent", async (_, lookalike, code) => {
    const { client, account, call, simulator } = await setup();
    await expect(client.segments.createLookalike(account, lookalike as never, call)).rejects.toMatchObject({ code });
    expect(simulator.inspect.requests).toHaveLength(0);
  });
});

describe("changing a segment", () => {
  it("writes the whole entity back with the change in it", async () => {
    const bodies: string[] = [];
    const { account, call, requests, simulator, client } = await setup();
    const watched = new AudiencesClient({
      endpoints: simulator.endpoints,
      fetch: async (request) => {
        bodies.push(await request.clone().text());
        return simulator.fetch(request);
      },
    });
    const made = await client.segments.create(account, { name: "VIP", description: "kept", retentionInDays: 60 }, call);
    const { segment, ignored } = await watched.segments.update(made.id, { name: "Very VIP", status: "PAUSED" }, call);
    expect(segment).toMatchObject({
      id: made.id,
      name: "Very VIP",
      description: "kept",
      retentionInDays: 60,
      status: "PAUSED",
    });
    expect(ignored).toEqual([]);
    expect(requests().slice(1)).toEqual(["GET /v1/segments/{id}", "PUT /v1/adaccounts/{id}/segments"]);
    expect(JSON.parse(bodies.at(-1) ?? "")).toMatchObject({
      segments: [
        {
          id: made.id,
          name: "Very VIP",
          description: "kept",
          source_type: "FIRST_PARTY",
          retention_in_days: 60,
          visible_to: expect.any(Array),
        },
      ],
    });
  });

  it("says which field Snapchat did not take", async () => {
    const { client, account, call, simulator } = await setup();
    const made = await client.segments.create(account, { name: "VIP" }, call);
    const echo = {
      request_status: "SUCCESS",
      segments: [{ sub_request_status: "SUCCESS", segment: { id: made.id, name: "VIP", description: "new" } }],
    };
    simulator.faults.add({ area: "ads", method: "PUT", status: 200, body: echo });
    const { ignored } = await client.segments.update(made.id, { name: "Other", description: "new" }, call);
    expect(ignored).toEqual(["name"]);
  });

  it("says that a field is fixed where Snapchat refuses it", async () => {
    const { client, account, call } = await setup({ knobs: { rateLimits: false, retentionMutable: false } });
    const made = await client.segments.create(account, { name: "VIP" }, call);
    await expect(client.segments.update(made.id, { retentionInDays: 30 }, call)).rejects.toMatchObject({
      code: "request_refused",
      details: { errorCode: "E2023" },
    });
  });

  it("refuses a bad name before anything is sent", async () => {
    const { client, call, simulator } = await setup();
    await expect(client.segments.update("1", { name: "" }, call)).rejects.toMatchObject({
      code: "segment_name_invalid",
    });
    expect(simulator.inspect.requests).toHaveLength(0);
  });
});

describe("emptying and deleting", () => {
  it("removes members, then the segment", async () => {
    const { client, account, call, simulator } = await setup();
    const { id } = await client.segments.create(account, { name: "VIP" }, call);
    await client.members.add(id, "email", ["a".repeat(64)], call);
    await client.segments.empty(id, call);
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(0);
    await client.segments.delete(id, call);
    expect(simulator.inspect.segments()).toEqual([]);
  });

  it("counts as done where the answer was lost and the segment is gone", async () => {
    const { client, account, call, simulator } = await setup();
    const { id } = await client.segments.create(account, { name: "VIP" }, call);
    simulator.faults.add({ area: "ads", method: "DELETE", timeoutAfterAcceptance: true, count: 1 });
    await client.segments.delete(id, call);
    expect(simulator.inspect.segments()).toEqual([]);
  });

  it("of what was never there fails", async () => {
    const { client, call } = await setup();
    for (const promise of [
      client.segments.delete("5000000000009999", call),
      client.segments.empty("5000000000009999", call),
      client.segments.get("5000000000009999", call),
    ]) {
      await expect(promise).rejects.toMatchObject({ code: "entity_not_found" });
    }
  });
});

describe("listing", () => {
  it("walks every page, and gives pages where they are wanted", async () => {
    const { client, account, call, requests } = await setup({ knobs: { rateLimits: false, pageLimits: "clamp" } });
    for (let n = 0; n < 3; n++) await client.segments.create(account, { name: `List ${n}` }, call);
    const names = (await Array.fromAsync(client.segments.list(account, call))).map(({ name }) => name);
    expect(names.sort()).toEqual(["List 0", "List 1", "List 2"]);
    const pages = await Array.fromAsync(client.segments.list(account, call).pages());
    expect(pages.flatMap(({ items }) => items)).toHaveLength(3);
    expect(pages[0]?.requestId).toBeTruthy();
    expect(requests().filter((line) => line === LIST).length).toBeGreaterThanOrEqual(2);
  });

  it("does not follow a page to another host: the token would go along", async () => {
    const { client, account, call, simulator } = await setup();
    simulator.faults.add({
      area: "ads",
      method: "GET",
      status: 200,
      body: { request_status: "SUCCESS", segments: [], paging: { next_link: "https://evil.example/v1/more" } },
    });
    await expect(Array.fromAsync(client.segments.list(account, call))).rejects.toMatchObject({
      code: "answer_incomplete",
      details: { said: "The next page is on a foreign host." },
    });
  });
});
