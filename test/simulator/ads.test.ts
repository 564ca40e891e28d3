import { describe, expect, it } from "vitest";
import { DIGEST, start } from "./support.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DAY_MS = 86_400_000;

interface List {
  request_status: string;
  request_id: string;
  paging?: { next_link?: string };
  [plural: string]: unknown;
}

/** The entities of an answer. */
function entities(json: unknown, plural: string, singular: string): Record<string, never>[] {
  const list = (json as List)[plural] as Record<string, Record<string, never>>[];
  return list.map((wrapper) => wrapper[singular] as Record<string, never>);
}

const hash = (n: number) => n.toString(16).padStart(64, "0");
const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => [hash(from + i)]);
const users = (data: unknown, schema: unknown = ["EMAIL_SHA256"]) => ({ users: [{ schema, data }] });

async function withSegment(options: Parameters<typeof start>[0] = {}, changes: Record<string, unknown> = {}) {
  const started = await start(options);
  const { adAccount } = started.simulator.world.main;
  const body = { segments: [started.segment(changes)] };
  const answer = await started.ads("POST", `/adaccounts/${adAccount.id}/segments`, body);
  const id = String(entities(answer.json, "segments", "segment")[0]?.id);
  return { ...started, answer, id, accountPath: `/adaccounts/${adAccount.id}/segments`, path: `/segments/${id}` };
}

describe("account discovery", () => {
  it("answers me as an object, with one member id for each organization", async () => {
    const { simulator, ads } = await start();
    const { json } = await ads("GET", "/me");
    expect(json).toMatchObject({ request_status: "SUCCESS", me: { display_name: "Ada", member_status: "MEMBER" } });
    expect((json.me as unknown as { members: unknown[] }).members).toHaveLength(3);
    await simulator.close();
  });

  it("lists the person's organizations with their accounts unwrapped, each with roles", async () => {
    const { simulator, ads, tokenOf } = await start();
    const plain = await ads("GET", "/me/organizations");
    expect(entities(plain.json, "organizations", "organization")[0]).not.toHaveProperty("ad_accounts");
    const { json } = await ads("GET", "/me/organizations?with_ad_accounts=true", undefined, tokenOf("ben"));
    const organizations = entities(json, "organizations", "organization") as unknown as {
      name: string;
      roles: string[];
      ad_accounts: { name: string; status: string; roles: string[] }[];
    }[];
    expect(organizations.map(({ name }) => name)).toEqual(["Northwind Retail", "Contoso Travel", "Fabrikam Agency"]);
    expect(organizations[0]?.ad_accounts.map(({ name, roles }) => [name, roles])).toEqual([
      ["Northwind UK", ["audience"]],
      ["Northwind DE", ["reports"]],
    ]);
    const asAda = await ads("GET", "/me/organizations?with_ad_accounts=true");
    const states = (entities(asAda.json, "organizations", "organization")[0] as never as (typeof organizations)[0])
      .ad_accounts;
    expect(states.map(({ status }) => status)).toEqual(["ACTIVE", "ACTIVE", "PAUSED", "DISABLED", "ACTIVE"]);
    await simulator.close();
  });

  it("gives each entity as a list of one, with the request id in body and header", async () => {
    const { simulator, ads } = await start();
    const { organization, adAccount, pixel } = simulator.world.main;
    const answer = await ads("GET", `/adaccounts/${adAccount.id}`);
    expect(answer.json.request_id).toMatch(UUID);
    expect(answer.headers.get("x-request-id")).toBe(answer.json.request_id);
    expect(entities(answer.json, "adaccounts", "adaccount")).toMatchObject([
      { id: adAccount.id, currency: "GBP", test: false },
    ]);
    const accounts = await ads("GET", `/organizations/${organization.id}/adaccounts`);
    expect(entities(accounts.json, "adaccounts", "adaccount")).toHaveLength(5);
    const all = await ads("GET", `/organizations/${organization.id}/pixels`);
    expect(entities(all.json, "pixels", "pixel")).toHaveLength(2);
    const one = await ads("GET", `/organizations/${organization.id}`);
    expect(entities(one.json, "organizations", "organization")).toMatchObject([{ name: "Northwind Retail" }]);
    const pixels = await ads("GET", `/adaccounts/${adAccount.id}/pixels`);
    expect(entities(pixels.json, "pixels", "pixel")).toMatchObject([{ id: pixel.id, status: "ACTIVE" }]);
    expect(entities((await ads("GET", `/pixels/${pixel.id}`)).json, "pixels", "pixel")).toHaveLength(1);
    const apps = await ads("GET", `/organizations/${organization.id}/mobile_apps`);
    expect(entities(apps.json, "mobile_apps", "mobile_app")).toMatchObject([{ name: "Northwind app" }]);
    const members = await ads("GET", `/organizations/${organization.id}/members`);
    expect(entities(members.json, "members", "member")).toHaveLength(2);
    const roles = await ads("GET", `/organizations/${organization.id}/roles`);
    expect(entities(roles.json, "roles", "role")).toContainEqual(
      expect.objectContaining({ container_kind: "AdAccounts", container_id: adAccount.id, type: "audience" }),
    );
    await simulator.close();
  });

  it("renames a pixel, for an organization admin", async () => {
    const { simulator, ads, tokenOf } = await start();
    const { adAccount, pixel } = simulator.world.main;
    const body = { pixels: [{ id: pixel.id, name: "Renamed" }] };
    expect((await ads("PUT", `/adaccounts/${adAccount.id}/pixels`, body, tokenOf("ben"))).status).toBe(403);
    await ads("PUT", `/adaccounts/${adAccount.id}/pixels`, body);
    expect(simulator.world.pixels[0]?.name).toBe("Renamed");
    await simulator.close();
  });

  it.each([
    "/nothing",
    "/me/nothing",
    "/adaccounts/none",
    "/organizations/none",
    "/pixels/none",
    "/segments/1",
    "/adaccounts/x/segments/1/upload",
  ])("answers %s with E3003", async (path) => {
    const { simulator, ads } = await start();
    const answer = await ads("GET", path);
    expect(answer.status).toBe(404);
    expect(answer.json).toEqual({
      request_status: "ERROR",
      request_id: expect.stringMatching(UUID),
      debug_message: "Resource can not be found",
      display_message: "We're sorry, but the requested resource is not available at this time",
      error_code: "E3003",
    });
    await simulator.close();
  });

  it("refuses a foreign account with E3002", async () => {
    const { simulator, ads } = await start();
    const foreign = simulator.world.adAccounts.find((account) => account.name === "Contoso US");
    const answer = await ads("GET", `/adaccounts/${foreign?.id}/segments`);
    expect([answer.status, answer.json.error_code]).toEqual([403, "E3002"]);
    await simulator.close();
  });

  it("prints lower-case words and long request ids where the knobs say so", async () => {
    const { simulator, ads } = await start({ knobs: { statusCase: "lower", requestIds: "legacy" } });
    const { json } = await ads("GET", "/me/organizations");
    expect(json).toMatchObject({
      request_status: "success",
      organizations: [{ sub_request_status: "success" }, {}, {}],
    });
    expect(json.request_id).toMatch(/^[0-9a-f]{100}$/);
    await simulator.close();
  });
});

describe("paging", () => {
  async function manySegments(count: number) {
    const started = await start({ knobs: { rateLimits: false } });
    const path = `/adaccounts/${started.simulator.world.main.adAccount.id}/segments`;
    for (let from = 0; from < count; from += 15) {
      const size = Math.min(15, count - from);
      const segments = Array.from({ length: size }, (_, i) => started.segment({ name: `Segment ${from + i}` }));
      await started.ads("POST", path, { segments });
    }
    return { ...started, path };
  }

  it("gives an absolute link on its own origin, and an empty object at the end", async () => {
    const { simulator, ads, path, call, tokenOf } = await manySegments(120);
    const first = await ads("GET", `${path}?limit=100`);
    const link = (first.json as unknown as List).paging?.next_link ?? "";
    expect(entities(first.json, "segments", "segment")).toHaveLength(100);
    expect(new URL(link).origin).toBe(simulator.endpoints.adsApi);
    const last = await call(link, { headers: { authorization: `Bearer ${tokenOf("ada")}` } });
    expect(entities(last.json, "segments", "segment").map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, i) => `Segment ${100 + i}`),
    );
    const whole = await ads("GET", `${path}?limit=120`);
    expect(entities(whole.json, "segments", "segment")).toHaveLength(120);
    expect((whole.json as unknown as List).paging).toEqual({});
    expect((last.json as unknown as List).paging).toEqual({});
    await simulator.close();
  });

  it("skips nothing when a segment goes between two pages", async () => {
    const { simulator, ads, path, call, tokenOf } = await manySegments(60);
    const first = await ads("GET", path);
    const names = entities(first.json, "segments", "segment").map(({ name }) => String(name));
    expect(names).toHaveLength(50);
    simulator.control.deleteSegment(simulator.inspect.segments()[0]?.id ?? "");
    const link = (first.json as unknown as List).paging?.next_link ?? "";
    const last = await call(link, { headers: { authorization: `Bearer ${tokenOf("ada")}` } });
    for (const { name } of entities(last.json, "segments", "segment")) names.push(String(name));
    expect(new Set(names).size).toBe(60);
    await simulator.close();
  });

  it.each(["49", "1001", "many"])("refuses a limit of %s, or bends it", async (limit) => {
    const { simulator, ads, path } = await manySegments(1);
    expect((await ads("GET", `${path}?limit=${limit}`)).status).toBe(400);
    simulator.knobs.pageLimits = "clamp";
    expect((await ads("GET", `${path}?limit=${limit}`)).status).toBe(200);
    await simulator.close();
  });
});

describe("a segment", () => {
  it("is born active, empty and not ready", async () => {
    const { simulator, answer, id, path, ads } = await withSegment();
    expect(answer.status).toBe(200);
    expect(id).toMatch(/^\d{16}$/);
    expect(entities(answer.json, "segments", "segment")[0]).toMatchObject({
      name: "VIP",
      status: "ACTIVE",
      targetable_status: "NOT_READY",
      upload_status: "NO_UPLOAD",
      approximate_number_users: 0,
      retention_in_days: 9_999,
      visible_to: [`AdAccountEntity_${simulator.world.main.adAccount.id}`],
    });
    expect(entities((await ads("GET", path)).json, "segments", "segment")).toHaveLength(1);
    await simulator.close();
  });

  it.each<[string, Record<string, unknown>]>([
    ["no name", { name: "" }],
    ["a name of 376 characters", { name: "x".repeat(376) }],
    ["another account", { ad_account_id: "elsewhere" }],
    ["an unknown source type", { source_type: "GUESSED" }],
    ["a retention of no days", { retention_in_days: 0 }],
    ["a retention that is text", { retention_in_days: "90" }],
    ["a description that is no text", { description: 5 }],
    ["a lookalike without a seed", { source_type: "LOOKALIKE", retention_in_days: 180 }],
    ["a website audience kept too long", { source_type: "PIXEL", retention_in_days: 396 }],
  ])("with %s is refused inside an answer of 200", async (_, changes) => {
    const { simulator, answer, accountPath, ads, segment } = await withSegment({}, changes);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      request_status: "ERROR",
      segments: [
        {
          sub_request_status: "ERROR",
          sub_request_error_reason: expect.stringMatching(/^Error code: E2002, message: .+/),
        },
      ],
    });
    simulator.knobs.subErrorStatus = 400;
    expect((await ads("POST", accountPath, { segments: [segment(changes)] })).status).toBe(400);
    await simulator.close();
  });

  it("may fail beside others that succeed", async () => {
    const { simulator, accountPath, ads, segment } = await withSegment();
    const { json } = await ads("POST", accountPath, { segments: [segment({ name: "B" }), segment({ name: "" })] });
    expect(json).toMatchObject({
      request_status: "ERROR",
      segments: [{ sub_request_status: "SUCCESS" }, { sub_request_status: "ERROR" }],
    });
    expect(simulator.inspect.segments()).toHaveLength(2);
    await simulator.close();
  });

  it("comes at most fifteen in a request and a thousand in an account", async () => {
    const { simulator, accountPath, ads, segment } = await withSegment({ knobs: { segmentsPerAdAccount: 3 } });
    const sixteen = Array.from({ length: 16 }, () => segment());
    expect((await ads("POST", accountPath, { segments: sixteen })).status).toBe(400);
    await ads("POST", accountPath, { segments: sixteen.slice(0, 5) });
    expect(simulator.inspect.segments()).toHaveLength(3);
    await simulator.close();
  });

  it("may share its name with another, unless the knob says not", async () => {
    const { simulator, accountPath, ads, segment } = await withSegment();
    expect((await ads("POST", accountPath, { segments: [segment()] })).json.request_status).toBe("SUCCESS");
    simulator.knobs.duplicateSegmentNames = "reject";
    expect((await ads("POST", accountPath, { segments: [segment()] })).json.request_status).toBe("ERROR");
    await simulator.close();
  });

  it("is changed by its id in the body; what is immutable stays", async () => {
    const { simulator, accountPath, ads, id, segment } = await withSegment();
    const change = (changes: Record<string, unknown>) =>
      ads("PUT", accountPath, { segments: [{ ...segment(), id, ...changes }] });
    expect(
      entities((await change({ name: "Gold", retention_in_days: 60 })).json, "segments", "segment")[0],
    ).toMatchObject({
      name: "Gold",
      retention_in_days: 60,
    });
    expect((await change({ source_type: "LOOKALIKE" })).text).toContain("E2023");
    expect((await change({ id: "5000000000009999" })).text).toContain("E3004");
    simulator.knobs.retentionMutable = false;
    expect((await change({ retention_in_days: 61 })).text).toContain("E2023");
    await simulator.close();
  });

  it("is deleted with an empty list, and then unknown: 404 to read, E3004 to delete", async () => {
    const { simulator, ads, path } = await withSegment();
    expect((await ads("DELETE", path)).json).toMatchObject({ request_status: "SUCCESS", segments: [] });
    expect((await ads("GET", path)).status).toBe(404);
    expect((await ads("POST", `${path}/users`, users([[DIGEST.em]]))).json.error_code).toBe("E3003");
    const again = await ads("DELETE", path);
    expect([again.status, again.json.request_status]).toEqual([200, "ERROR"]);
    expect(again.text).toContain("Error code: E3004, message: Entity does not exist");
    await simulator.close();
  });

  it("needs a role of the account that manages audiences", async () => {
    const { simulator, ads, path, accountPath, segment, tokenOf } = await withSegment();
    const ben = tokenOf("ben");
    expect((await ads("POST", accountPath, { segments: [segment({ name: "B" })] }, ben)).status).toBe(200);
    simulator.control.setRoles("ben", simulator.world.main.adAccount.id, ["reports"]);
    expect((await ads("GET", path, undefined, ben)).status).toBe(200);
    const refused = await ads("POST", `${path}/users`, users([[DIGEST.em]]), ben);
    expect([refused.status, refused.json.error_code]).toEqual([403, "E3002"]);
    await simulator.close();
  });

  it("needs the Customer List terms", async () => {
    const { simulator, ads, accountPath, segment, path } = await withSegment();
    simulator.control.acceptTerms(simulator.world.main.organization.id, false);
    expect((await ads("POST", accountPath, { segments: [segment()] })).status).toBe(403);
    expect((await ads("POST", `${path}/users`, users([[DIGEST.em]]))).status).toBe(403);
    await simulator.close();
  });

  it("can be a lookalike of another, and then takes no users", async () => {
    const { simulator, ads, id, accountPath, segment } = await withSegment();
    const creation_spec = { seed_segment_id: id, countries: ["GB"], type: "SIMILARITY" };
    const lookalike = segment({ source_type: "LOOKALIKE", retention_in_days: 180, creation_spec });
    const made = await ads("POST", accountPath, { segments: [lookalike] });
    const [entity] = entities(made.json, "segments", "segment");
    expect(entity).toMatchObject({ source_type: "LOOKALIKE", creation_spec });
    expect((await ads("POST", `/segments/${entity?.id}/users`, users([[DIGEST.em]]))).status).toBe(400);
    await simulator.close();
  });
});

describe("members", () => {
  it("are a set: adding twice and removing what is absent are no errors", async () => {
    const { simulator, ads, path, id } = await withSegment();
    const added = await ads("POST", `${path}/users`, users(rows(1, 3)));
    expect(added.json).toMatchObject({
      users: [{ sub_request_status: "SUCCESS", user: { number_uploaded_users: 3 } }],
    });
    await ads("POST", `${path}/users`, users(rows(3, 2)));
    await ads("POST", `${path}/users`, users([[hash(1)]], ["PHONE_SHA256"]));
    const removed = await ads("DELETE", `${path}/users`, users([[hash(1)], [hash(99)]]));
    expect(removed.json).toMatchObject({ users: [{ user: { number_uploaded_users: 2 } }] });
    expect(simulator.inspect.members(id)).toEqual({
      EMAIL_SHA256: new Set([hash(2), hash(3), hash(4)]),
      PHONE_SHA256: new Set([hash(1)]),
      MOBILE_AD_ID_SHA256: new Set(),
    });
    await simulator.close();
  });

  it.each<[string, unknown]>([
    ["no users", {}],
    ["an empty list", { users: [] }],
    ["no rows", users([])],
    ["an invented schema", users([[DIGEST.em]], ["HASHED_EMAIL"])],
    ["two columns", users([[DIGEST.em, DIGEST.ph]], ["EMAIL_SHA256", "PHONE_SHA256"])],
    ["flat rows", users([DIGEST.em])],
    ["rows of two", users([[DIGEST.em, DIGEST.ph]])],
    ["a raw mail address", users([["person@example.com"]])],
    ["an upper-case digest", users([[DIGEST.em.toUpperCase()]])],
    ["one bad row among good ones", users([[DIGEST.em], ["x"]])],
    ["two blocks", { users: [users([[DIGEST.em]]).users[0], users([[DIGEST.ph]]).users[0]] }],
    ["the id of another segment", { users: [{ ...users([[DIGEST.em]]).users[0], id: "1" }] }],
  ])("are refused with %s, and none is taken", async (_, body) => {
    const { simulator, ads, path, id } = await withSegment();
    const answer = await ads("POST", `${path}/users`, body);
    expect([answer.status, answer.json.request_status]).toEqual([400, "ERROR"]);
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(0);
    await simulator.close();
  });

  it("come at most a hundred thousand in a request", async () => {
    const { simulator, ads, path, id } = await withSegment({ knobs: { identifiersPerRequest: 100 } });
    expect((await ads("POST", `${path}/users`, users(rows(0, 101)))).status).toBe(400);
    expect((await ads("POST", `${path}/users`, users(rows(0, 100)))).status).toBe(200);
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(100);
    await simulator.close();
  });

  it("are processed in time, matched in part, and targetable from a thousand", async () => {
    const { simulator, ads, path, clock } = await withSegment({ knobs: { matchedShare: 0.5 } });
    const state = async () => {
      const [entity] = entities((await ads("GET", path)).json, "segments", "segment");
      return [entity?.upload_status, entity?.targetable_status, entity?.approximate_number_users];
    };
    await ads("POST", `${path}/users`, users(rows(0, 1_000)));
    expect(await state()).toEqual(["PROCESSING", "NOT_READY", 0]);
    clock.advance(2 * 3_600_000);
    expect(await state()).toEqual(["COMPLETE", "TOO_FEW_USERS", 500]);
    await ads("POST", `${path}/users`, users(rows(1_000, 1_000)));
    expect(await state()).toEqual(["PROCESSING", "TOO_FEW_USERS", 500]);
    clock.advance(2 * 3_600_000);
    expect(await state()).toEqual(["COMPLETE", "READY", 1_000]);
    await simulator.close();
  });

  it("expire one by one, and stay when they are added again", async () => {
    const { simulator, ads, path, id, clock } = await withSegment({}, { retention_in_days: 30 });
    await ads("POST", `${path}/users`, users(rows(1, 2)));
    clock.advance(20 * DAY_MS);
    await ads("POST", `${path}/users`, users([[hash(1)]]));
    clock.advance(10 * DAY_MS);
    expect(simulator.inspect.members(id).EMAIL_SHA256).toEqual(new Set([hash(1)]));
    clock.advance(20 * DAY_MS);
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(0);
    await simulator.close();
  });

  it("go all at once with all_users", async () => {
    const { simulator, ads, path, id } = await withSegment();
    await ads("POST", `${path}/users`, users(rows(0, 5)));
    const answer = await ads("DELETE", `${path}/all_users`);
    expect(entities(answer.json, "segments", "segment")[0]).toMatchObject({ id, approximate_number_users: 0 });
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(0);
    await simulator.close();
  });

  it("may change out of order where the knob says so, and are settled after a quiet moment", async () => {
    const { simulator, ads, path, id, clock } = await withSegment({ knobs: { membershipSpreadMs: 60_000 }, seed: 3 });
    let swapped = 0;
    for (let i = 0; i < 20; i++) {
      await ads("POST", `${path}/users`, users([[hash(i)]]));
      await ads("DELETE", `${path}/users`, users([[hash(i)]]));
      clock.advance(60_000);
      swapped += simulator.inspect.members(id).EMAIL_SHA256.has(hash(i)) ? 1 : 0;
    }
    expect(swapped).toBeGreaterThan(0);
    expect(swapped).toBeLessThan(20);
    await simulator.close();
  });
});

describe("pixel statistics", () => {
  it("count events by name and bucket, within bounds at the top of an hour", async () => {
    const { simulator, ads, send, event } = await start();
    const { pixel } = simulator.world.main;
    await send([event(), event({ event_id: "evt-2", event_name: "LOGIN" })]);
    const stats = (query: string) => ads("GET", `/pixels/${pixel.id}/stats?${query}`);
    const day = "start_time=2026-09-21T00:00:00.000Z&end_time=2026-09-22T00:00:00.000Z";
    const answer = await stats(`granularity=DAY&${day}`);
    expect(entities(answer.json, "timeseries_stats", "timeseries_stat")[0]).toMatchObject({
      type: "PIXEL",
      timeseries: [{ total_events: 2, event_type_breakdown: { PAGE_VIEW: 1, LOGIN: 1 } }],
    });
    const half = await stats("granularity=HOUR&start_time=2026-09-21T00:30:00.000Z&end_time=2026-09-22T00:00:00.000Z");
    expect(half.status).toBe(400);
    const turned = await stats("granularity=DAY&start_time=2026-09-22T00:00:00.000Z&end_time=2026-09-22T00:00:00.000Z");
    expect([turned.status, turned.json.error_code]).toEqual([400, "E1008"]);
    const domains = await ads("GET", `/pixels/${pixel.id}/domains/stats`);
    expect(entities(domains.json, "timeseries_stats", "timeseries_stat")[0]?.domains).toEqual([
      { domain_name: "shop.example", total_events: 2 },
    ]);
    await simulator.close();
  });
});
