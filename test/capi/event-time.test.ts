import { describe, expect, it } from "vitest";
import { findings, NOW_MS, NOW_S, purchase, refusal, sent } from "./events.ts";

const at = (event_time: unknown, more: Record<string, unknown> = {}) => purchase({ event_time, ...more } as never);
const DAY_MS = 86_400_000;

describe("event_time", () => {
  it.each([
    [NOW_S - 5],
    [NOW_S - 4.5],
    [(NOW_S - 5) * 1_000],
    [(NOW_S - 5) * 1_000 + 999],
    [String(NOW_S - 5)],
    [String((NOW_S - 5) * 1_000)],
    [` ${NOW_S - 5} `],
    [new Date(NOW_MS - 5_000)],
    ["2026-11-20T11:59:55Z"],
    ["2026-11-20t11:59:55.123456789z"],
    ["2026-11-20 11:59:55Z"],
    ["2026-11-20T13:59:55+02:00"],
    ["2026-11-20T06:29:55-0530"],
    ["2026-11-20T13:59:55,5+02"],
  ])("%s leaves in whole seconds", (time) => {
    expect(sent(at(time)).event_time).toBe(NOW_S - 5);
  });

  it.each(["2026-11-20T11:59:55", "2026-11-20", "20/11/2026", "11/20/2026 11:59", 1e11, "20261120115955".slice(0, 12)])(
    "%s can be read in more than one way",
    (time) => {
      expect(refusal(at(time))).toBe("event_time_ambiguous");
    },
  );

  it.each([
    "yesterday",
    "2026-02-31T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-11-20T25:00:00Z",
    0,
    -1,
    5,
    1e15,
    Number.NaN,
    {},
    true,
    new Date(Number.NaN),
    [NOW_S],
  ])("%s is no time", (time) => {
    expect(refusal(at(time), { receivedAtMs: NOW_MS })).toBe("event_time_invalid");
  });

  it("missing, is when the host received the event, else the event is refused", () => {
    for (const time of [undefined, null, "", "  "]) {
      expect(refusal(at(time))).toBe("event_time_missing");
      expect(sent(at(time), { receivedAtMs: NOW_MS - 1_500 }).event_time).toBe(NOW_S - 2);
    }
    expect(findings(at(undefined), { receivedAtMs: NOW_MS })).toEqual(["event_time event_time_received"]);
    expect(refusal(at(undefined), { receivedAtMs: NOW_MS + DAY_MS })).toBe("event_in_future");
    expect(refusal(at(undefined), { receivedAtMs: Number.NaN })).toBe("event_time_missing");
  });

  it("in the future, is a time the event itself carries, never the present", () => {
    const ahead = NOW_S + 3_600;
    expect(refusal(at(ahead))).toBe("event_in_future");
    expect(refusal(at(ahead), { receivedAtMs: NOW_MS - 1_000 })).toBe("event_in_future");
    expect(sent(at(ahead, { carried_time: NOW_MS - 9_000 })).event_time).toBe(NOW_S - 9);
    expect(findings(at(ahead, { carried_time: NOW_MS - 9_000 }))).toEqual(["event_time event_time_clamped"]);
    expect(refusal(at(ahead, { carried_time: ahead }))).toBe("event_in_future");
    expect(JSON.stringify(sent(at(NOW_S, { carried_time: NOW_MS })))).not.toContain("carried_time");
  });

  it("may lie five minutes ahead, or as far as is set", () => {
    expect(sent(at(NOW_S + 300)).event_time).toBe(NOW_S + 300);
    expect(refusal(at(NOW_S + 301))).toBe("event_in_future");
    expect(refusal(at(NOW_S + 301), { futureToleranceMs: 400_000 })).toBeUndefined();
    expect(refusal(at(NOW_S + 1), { futureToleranceMs: 0 })).toBe("event_in_future");
  });

  it("may be 7 days old, offline 37, or as old as is set", () => {
    const days = (n: number) => NOW_S - n * 86_400;
    expect(refusal(at(days(7)))).toBeUndefined();
    expect(refusal(at(days(7) - 1))).toBe("event_too_old");
    expect(refusal(at(days(37), { action_source: "OFFLINE" }))).toBeUndefined();
    expect(refusal(at(days(37) - 1, { action_source: "OFFLINE" }))).toBe("event_too_old");
    expect(refusal(at(days(20)), { ageLimitsMs: { WEB: 28 * DAY_MS } })).toBeUndefined();
    expect(refusal(at(days(2), { action_source: "OFFLINE" }), { ageLimitsMs: { OFFLINE: DAY_MS } })).toBe(
      "event_too_old",
    );
  });
});
