import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AudiencesClient, type MemberKind, memberPages } from "../../src/audiences/index.ts";
import { digest, setup } from "./setup.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function withSegment(...options: Parameters<typeof setup>) {
  const all = await setup(...options);
  const { id } = await all.client.segments.create(all.account, { name: "VIP" }, all.call);
  return { ...all, id };
}

describe("adding and removing members", () => {
  it.each(["email", "phone", "mobile_ad_id"] as const)("sends digests of one kind: %s", async (kind) => {
    const { client, call, id, simulator } = await withSegment();
    const schema = { email: "EMAIL_SHA256", phone: "PHONE_SHA256", mobile_ad_id: "MOBILE_AD_ID_SHA256" }[
      kind
    ] as "EMAIL_SHA256";
    await expect(client.members.add(id, kind, [digest(1), digest(2)], call)).resolves.toMatchObject({
      asked: 2,
      sent: 2,
      accepted: 2,
      requestId: expect.any(String),
    });
    await client.members.remove(id, kind, [digest(2), digest(3)], call);
    expect([...simulator.inspect.members(id)[schema]]).toEqual([digest(1)]);
  });

  it("tells apart what was asked, sent and accepted; what was matched nobody says", async () => {
    const { client, call, id, simulator } = await withSegment();
    simulator.faults.add({
      area: "ads",
      method: "POST",
      path: `/v1/segments/${id}/users`,
      status: 200,
      body: {
        request_status: "SUCCESS",
        users: [{ sub_request_status: "SUCCESS", user: { number_uploaded_users: 1 } }],
      },
    });
    const hashes = [digest(1), digest(2), digest(1)];
    await expect(client.members.add(id, "email", hashes, call)).resolves.toMatchObject({
      asked: 3,
      sent: 2,
      accepted: 1,
      matched: undefined,
    });
  });

  it("lower-cases digests and never sends one twice in a request", async () => {
    const { client, call, id, simulator } = await withSegment();
    const hash = "ab".repeat(32);
    await client.members.add(id, "email", [hash, hash.toUpperCase()], call);
    expect([...simulator.inspect.members(id).EMAIL_SHA256]).toEqual([hash]);
    expect(simulator.inspect.requests.at(-1)?.items).toBe(1);
  });

  it("makes no request for nobody", async () => {
    const { client, call, id, requests } = await withSegment();
    await expect(client.members.add(id, "email", [], call)).resolves.toEqual({
      asked: 0,
      sent: 0,
      accepted: 0,
      matched: undefined,
    });
    expect(requests()).toHaveLength(1);
  });

  it.each([
    ["an address instead of a digest", "email", ["person@example.com"], "identifiers_not_hashed"],
    ["MD5", "email", ["d41d8cd98f00b204e9800998ecf8427e"], "identifiers_not_hashed"],
    ["something that is no text", "email", [undefined as never], "identifiers_not_hashed"],
    ["a kind that lists do not take", "name", [digest(1)], "member_kind_invalid"],
    ["a kind every object has", "constructor", [digest(1)], "member_kind_invalid"],
    [
      "more than a request takes",
      "email",
      Array.from({ length: 100_001 }, (_, n) => digest(n)),
      "too_many_identifiers",
    ],
  ])("refuses %s before anything is sent, without repeating it", async (_, kind, hashes, code) => {
    const { client, call, id, requests } = await withSegment();
    const failure = await client.members.add(id, kind as MemberKind, hashes, call).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, kind: "fix_data" });
    expect(JSON.stringify(failure)).not.toContain("person@example.com");
    expect(requests()).toHaveLength(1);
  });

  it("takes exactly a hundred thousand", async () => {
    const { client, call, id, simulator } = await withSegment();
    const hashes = Array.from({ length: 100_000 }, (_, n) => digest(n));
    await expect(client.members.add(id, "email", hashes, call)).resolves.toMatchObject({ accepted: 100_000 });
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(100_000);
  });

  it("repeats where nothing is known to be wrong: a list is a set", async () => {
    const { client, call, id, simulator, pauses } = await withSegment();
    simulator.faults.add({ area: "ads", method: "POST", timeoutAfterAcceptance: true, count: 1 });
    simulator.faults.add({ area: "ads", method: "POST", status: 500, count: 1 });
    await client.members.add(id, "email", [digest(1)], call);
    expect([...simulator.inspect.members(id).EMAIL_SHA256]).toEqual([digest(1)]);
    expect(pauses).toEqual([500, 1_000]);
  });

  it("waits as long as Snapchat's limit says", async () => {
    const { client, call, id, simulator, pauses } = await withSegment();
    const now = simulator.snapshot().now;
    simulator.faults.add({
      area: "ads",
      method: "POST",
      status: 429,
      body: "",
      headers: {
        date: new Date(now).toUTCString(),
        "x-rate-limit-reset": String(Math.floor(now / 1_000) * 1_000 + 4_000),
      },
      count: 1,
    });
    await client.members.add(id, "email", [digest(1)], call);
    expect(pauses).toEqual([4_000]);
  });

  it("repeats nothing that stays wrong, and nothing where retries are off", async () => {
    const { client, call, id, simulator, requests } = await withSegment();
    simulator.control.deleteSegment(id);
    await expect(client.members.add(id, "email", [digest(1)], call)).rejects.toMatchObject({
      code: "entity_not_found",
    });
    simulator.faults.add({ area: "ads", status: 503 });
    await expect(client.members.add(id, "email", [digest(1)], { ...call, maxRetries: 0 })).rejects.toMatchObject({
      kind: "retry",
    });
    expect(requests()).toHaveLength(3);
  });

  it("asks for a slot before every request, and makes none where there is no slot", async () => {
    const { client, call, id, simulator, requests } = await withSegment();
    let slots = 0;
    simulator.faults.add({ area: "ads", method: "POST", status: 503, count: 1 });
    const beforeRequest = async () => {
      slots++;
      if (slots > 2) throw new Error("no slot");
    };
    await client.members.add(id, "email", [digest(1)], { ...call, beforeRequest });
    expect([slots, requests().length]).toEqual([2, 3]);
    await expect(client.members.add(id, "email", [digest(1)], { ...call, beforeRequest })).rejects.toThrow("no slot");
    expect(requests()).toHaveLength(3);
  });

  it("ends with the caller's signal", async () => {
    const { client, call, id } = await withSegment();
    const abort = new AbortController();
    const beforeRequest = async () => abort.abort();
    await expect(
      client.members.add(id, "email", [digest(1)], { ...call, signal: abort.signal, beforeRequest }),
    ).rejects.toMatchObject({ code: "aborted" });
  });

  it("gives the answers beside the data, and sends the caller's headers", async () => {
    const seen: (string | null)[] = [];
    const { id, simulator, call } = await withSegment();
    const client = new AudiencesClient({
      endpoints: simulator.endpoints,
      fetch: (request) => {
        seen.push(request.headers.get("x-trace"));
        return simulator.fetch(request);
      },
    });
    const { data, response, responses } = await client.members
      .add(id, "email", [digest(1)], { ...call, headers: { "x-trace": "1" } })
      .withResponse();
    expect([data.accepted, response?.status, responses.length]).toEqual([1, 200, 1]);
    expect(response?.requestId).toBe(simulator.inspect.requests.at(-1)?.requestId);
    expect(seen).toEqual(["1"]);
  });
});

describe("every shape of failure", () => {
  const users = (reason: string) => ({
    request_status: "ERROR",
    request_id: "r-1",
    users: [{ sub_request_status: "ERROR", sub_request_error_reason: reason }],
  });
  it.each([
    [
      "inside a 200: missing",
      {
        status: 200,
        body: users("Error code: E3004, message: Entity does not exist or you do not have permission to access it"),
      },
      "entity_not_found",
      "E3004",
    ],
    [
      "inside a 200: forbidden",
      { status: 200, body: users("Error code: E3002, message: Caller does not have permission") },
      "access_forbidden",
      "E3002",
    ],
    [
      "inside a 200: refused",
      { status: 200, body: users("Error code: E2002, message: Property value is not allowed : [x]") },
      "request_refused",
      "E2002",
    ],
    ["inside a 200: unknown", { status: 200, body: users("Something else") }, "answer_incomplete", undefined],
    [
      "inside a 400",
      { status: 400, body: users("Error code: E2002, message: Property value is not allowed") },
      "request_refused",
      "E2002",
    ],
    [
      "in an envelope",
      {
        status: 404,
        body: { request_status: "ERROR", debug_message: "Resource can not be found", error_code: "E3003" },
      },
      "entity_not_found",
      "E3003",
    ],
    ["a 200 that says ERROR", { status: 200, body: { request_status: "ERROR" } }, "answer_incomplete", undefined],
    ["a 200 without JSON", { status: 200, body: "<html>ok</html>" }, "answer_incomplete", undefined],
    [
      "a 200 of another shape",
      { status: 200, body: { users: "none", request_status: 7 } },
      "answer_incomplete",
      undefined,
    ],
    ["the bare word", { status: 401, body: "unauthorized" }, "access_token_refused", undefined],
    ["a gateway's page", { status: 502, body: "<html>Bad gateway</html>" }, "snapchat_unavailable", undefined],
  ])("%s", async (_, fault, code, errorCode) => {
    const { client, call, id, simulator } = await withSegment({}, { maxRetries: 0 });
    simulator.faults.add({ area: "ads", method: "POST", ...fault });
    const failure = await client.members.add(id, "email", [digest(1)], call).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "SnapchatError", code });
    expect((failure as { details: { errorCode?: string } }).details.errorCode).toBe(errorCode);
  });

  it("a lower-case success is one", async () => {
    const { client, call, id } = await withSegment({ knobs: { rateLimits: false, statusCase: "lower" } });
    await expect(client.members.add(id, "email", [digest(1)], call)).resolves.toMatchObject({ accepted: 1 });
  });
});

describe("members from raw identifiers", () => {
  it("come in pages of digests, with what was left out by reason", () => {
    const values = ["A@example.com", " a@EXAMPLE.com", "b@example.com", "nobody", "", "c@example.com"];
    expect([...memberPages("email", values, { pageSize: 3 })]).toEqual([
      { hashes: [sha256("a@example.com"), sha256("a@example.com"), sha256("b@example.com")], read: 3, omitted: {} },
      { hashes: [sha256("c@example.com")], read: 3, omitted: { not_an_email: 1, empty: 1 } },
    ]);
  });

  it("are sent once each, in whatever spelling they come", async () => {
    const { client, call, id, simulator } = await withSegment();
    const summary = await client.members.addAll(id, "email", ["A@example.com", " a@EXAMPLE.com"], call);
    expect(summary).toMatchObject({ read: 2, sent: 1, accepted: 1 });
    expect(simulator.inspect.requests.at(-1)?.items).toBe(1);
  });

  it("report a last page that held nothing of use", () => {
    expect([...memberPages("phone", ["07911 123456"])]).toEqual([
      { hashes: [], read: 1, omitted: { phone_without_country: 1 } },
    ]);
    expect([...memberPages("email", [])]).toEqual([]);
  });

  it("are never more than a request takes", () => {
    const values = Array.from({ length: 100_001 }, (_, n) => digest(n));
    const sizes = [...memberPages("email", values, { pageSize: 1_000_000 })].map(({ hashes }) => hashes.length);
    expect(sizes).toEqual([100_000, 1]);
  });

  it("are added page by page, one after the other, and summed up", async () => {
    const { client, call, id, simulator, requests } = await withSegment();
    async function* people() {
      for (let n = 0; n < 2_500; n++) yield n % 5 === 0 ? "not an address" : `person${n}@example.com`;
    }
    const progress: number[] = [];
    const summary = await client.members.addAll(id, "email", people(), {
      ...call,
      pageSize: 500,
      onPage: ({ read }) => progress.push(read),
    });
    expect(summary).toEqual({ read: 2_500, sent: 2_000, accepted: 2_000, omitted: { not_an_email: 500 }, requests: 4 });
    expect(simulator.inspect.members(id).EMAIL_SHA256.size).toBe(2_000);
    expect(requests()).toHaveLength(5);
    expect(progress.at(-1)).toBe(2_500);
    await client.members.removeAll(id, "phone", ["07911 123456"], { ...call, defaultCountry: "GB" });
    expect(simulator.inspect.requests.at(-1)).toMatchObject({ method: "DELETE", items: 1 });
  });
});
