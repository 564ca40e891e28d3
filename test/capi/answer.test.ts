import { describe, expect, it } from "vitest";
import { positionsOf, readAnswer } from "../../src/capi/answer.ts";
import { safeWords } from "../../src/capi/words.ts";
import type { HttpResponse } from "../../src/http/index.ts";

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {}
  const response: HttpResponse = {
    status,
    text,
    json,
    headers: new Headers(headers),
    requestId: "r1",
    durationMs: 1,
    withoutSent: (words) => words,
  };
  return readAnswer(response, "pixel-1", 0);
}

describe("what an answer means", () => {
  it.each([
    [200, { status: "VALID" }, "valid"],
    [200, { status: "valid", extra: { deep: [1] } }, "valid"],
    [202, { status: "SUCCESS" }, "valid"],
    [200, { status: "INVALID" }, "invalid"],
    [200, { status: "FAILURE", reason: "x" }, "invalid"],
    [200, {}, "retry"],
    [200, "OK", "retry"],
    [200, "", "retry"],
    [200, [], "retry"],
    [200, null, "retry"],
    [204, "", "retry"],
    [400, { status: "INVALID" }, "invalid"],
    [400, "Bad Request", "invalid"],
    [422, {}, "invalid"],
    [400, { status: "INVALID", reason: "Invalid access token" }, "unauthorized"],
    [400, { status: "INVALID", error_msgs: ["The access token is expired"] }, "unauthorized"],
    [400, { error: "invalid_token" }, "unauthorized"],
    [401, "unauthorized", "unauthorized"],
    [401, "", "unauthorized"],
    [400, { status: "INVALID", reason: "Unauthorized resources" }, "forbidden"],
    [401, { status: "INVALID", reason: "Unauthorized resources" }, "forbidden"],
    [200, { status: "INVALID", reason: "unauthorised resource" }, "forbidden"],
    [403, "", "forbidden"],
    [404, "<html>Not Found</html>", "forbidden"],
    [413, "", "too_large"],
    [429, "", "retry"],
    [500, { status: "VALID" }, "retry"],
    [503, "<html>", "retry"],
    [301, "", "retry"],
    [418, "", "retry"],
  ])("%i %j is %s", (status, body, kind) => {
    expect(answer(status, body).kind).toBe(kind);
  });

  it("knows which failures took nothing", () => {
    expect(answer(429, "")).toMatchObject({ known: true, code: "rate_limited" });
    expect(answer(500, "")).toMatchObject({ known: false });
    expect(answer(503, "")).toMatchObject({ known: false });
    expect(answer(200, "<html>")).toMatchObject({ known: false, code: "unreadable_answer" });
    expect(answer(405, "")).toMatchObject({ known: true });
    expect(answer(408, "")).toMatchObject({ kind: "retry", known: false });
    expect(answer(425, "")).toMatchObject({ kind: "retry", known: true });
    expect(answer(599, "")).toMatchObject({ kind: "retry", known: false });
  });

  it.each([
    [{ status: "INVALID", errors: { codes: ["517"], error_msgs: ["a"] } }, "a", "517"],
    [{ status: "INVALID", errors: { codes: [517], error_msgs: "a" } }, "a", "517"],
    [{ status: "INVALID", error_msgs: ["a", "b", "a"] }, "a; b", "http_400"],
    [{ status: "INVALID", reason: "a", errors: { error_msgs: ["b"] } }, "b; a", "http_400"],
    [{ status: "INVALID", errors: ["a", { message: "b" }], codes: 9 }, "a; b", "9"],
    [{ request_status: "ERROR", debug_message: "a", error_code: "E3003" }, "a", "E3003"],
    [{ error: { message: "a" } }, "a", "http_400"],
    [{ status: "INVALID", errors: { codes: [{}], error_msgs: [null, 7] } }, "Snapchat answered 400.", "http_400"],
    ["Bad Request", "Bad Request", "http_400"],
    ["<html><body>Bad</body></html>", "Snapchat answered 400.", "http_400"],
  ])("reads the words of %j", (body, message, code) => {
    expect(answer(400, body)).toMatchObject({ kind: "invalid", message, code });
  });

  it("reads which events are named, in every form met", () => {
    const places = (body: unknown, count: number) => {
      const verdict = answer(400, body);
      return verdict.kind === "invalid" ? [...positionsOf(verdict, count).keys()] : undefined;
    };
    expect(places({ event: 3 }, 5)).toEqual([2]);
    expect(places({ event: "3" }, 5)).toEqual([2]);
    expect(places({ event: 0 }, 5)).toEqual([0]);
    expect(places({ event: 5 }, 5)).toEqual([4]);
    expect(places({ event: 99 }, 5)).toEqual([]);
    expect(places({ event: -1 }, 5)).toEqual([]);
    expect(places({ event: 1.5 }, 5)).toEqual([]);
    expect(places({}, 5)).toEqual([]);
    expect(places({ error_records: [{ reason: "a", record_indexes: [0, 2] }] }, 5)).toEqual([0, 2]);
    const logs = (base: number) => ({
      event_logs: [0, 1, 2].map((n) => ({ event: n + base, status: n === 1 ? "INVALID" : "VALID" })),
    });
    expect(places(logs(0), 3)).toEqual([1]);
    expect(places(logs(1), 3)).toEqual([1]);
    expect(places({ event_logs: [null, { event: {} }, { event: 2, errors: { error_msgs: ["x"] } }] }, 3)).toEqual([1]);
  });

  it("hears how long to wait", () => {
    expect(answer(503, "", { "retry-after": "7" })).toMatchObject({ retryAfterMs: 7_000 });
    expect(answer(429, "", { "retry-after": "Thu, 01 Jan 1970 00:00:09 GMT" })).toMatchObject({ retryAfterMs: 9_000 });
    expect(answer(429, "", { "retry-after": "soon" })).not.toHaveProperty("retryAfterMs");
    expect(answer(429, "", { "x-rate-limit-reset": "99999999999999" })).toMatchObject({ retryAfterMs: 3_600_000 });
  });
});

describe("Snapchat's words", () => {
  it.each([
    ["em jane@example.com is not hashed", "em [redacted] is not hashed"],
    ["bad ph +44 7700 900123.", "bad ph [redacted]."],
    ["token eyJhbGciOi.eyJpc3MiOiJ4.c2lnbmF0dXJl no", "token [redacted] no"],
    ["digest 542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345", "digest [redacted]"],
    ["ip 203.0.113.24 and 2001:db8:0:1::1", "ip [redacted] and [redacted]"],
    ["see https://x.example/v3?access_token=abc for", "see https://x.example/v3?[redacted] for"],
    ["click 0a1b2c3d-1111-4222-8333-444455556666", "click [redacted]"],
    [
      "Param data['event_time'] is an invalid Unix timestamp.",
      "Param data['event_time'] is an invalid Unix timestamp.",
    ],
    ["event 12 of 2000, code 517", "event 12 of 2000, code 517"],
  ])("%s", (words, safe) => {
    expect(safeWords(words)).toBe(safe);
  });

  it("may name the asset, and are never long", () => {
    const asset = "11111111-2222-4333-8444-555555555555";
    expect(safeWords(`pixel ${asset}`, asset)).toBe(`pixel ${asset}`);
    expect(safeWords("x".repeat(10_000)).length).toBeLessThan(310);
  });

  it("are redacted in time, whatever they are", () => {
    for (const text of [
      "1".repeat(100_000),
      "a:".repeat(50_000),
      "@".repeat(100_000),
      "a.".repeat(50_000),
      "((((".repeat(20_000),
    ]) {
      const started = performance.now();
      safeWords(text);
      expect(performance.now() - started).toBeLessThan(200);
    }
  });
});
