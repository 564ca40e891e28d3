import { describe, expect, it } from "vitest";
import {
  DEFAULT_SETTINGS,
  type DeliverySettings,
  probeBounds,
  retryBounds,
  settingsOf,
  settleMarginMs,
} from "../../../src/delivery/settings.ts";

const refusal = (setting: string, why: string) => ({
  code: "delivery_settings_invalid",
  kind: "fix_configuration",
  message: `The delivery setting ${setting} ${why}.`,
  fix: "Leave it out for the default; docs/delivery.md says what each number does.",
  details: { setting },
});

function refused(own: object): unknown {
  try {
    settingsOf(own);
  } catch (error) {
    return error;
  }
  return "taken";
}

const NAMES = Object.keys(DEFAULT_SETTINGS) as (keyof DeliverySettings)[];

describe("settings", () => {
  it("are the defaults with the host's own numbers", () => {
    expect(settingsOf()).toEqual(DEFAULT_SETTINGS);
    expect(settingsOf({ lingerMs: 5, purchaseUnknownMs: 7, renewMembersAfterMs: 9 })).toEqual({
      ...DEFAULT_SETTINGS,
      ...{ lingerMs: 5, purchaseUnknownMs: 7, renewMembersAfterMs: 9 },
    });
  });

  it.each(["lingerMs", "memberLingerMs", "journalShare", "settleDownMs", "dedupeMs"])("%s may be 0", (name) => {
    expect(settingsOf({ [name]: 0 })).toEqual({ ...DEFAULT_SETTINGS, [name]: 0 });
  });

  it("are refused where one is 0 that may not be", () => {
    const may = new Set<string>(["lingerMs", "memberLingerMs", "journalShare", "settleDownMs", "dedupeMs"]);
    for (const name of NAMES.filter((one) => !may.has(one))) {
      expect(refused({ [name]: 0 })).toMatchObject(refusal(name, "is 0"));
    }
  });

  it.each(NAMES)("are refused where %s is no number from 0 up", (name) => {
    for (const value of [-1, Number.NaN, "10", null]) {
      expect(refused({ [name]: value })).toMatchObject(refusal(name, "is not a number from 0 up"));
    }
  });

  it("may be left out by name where there is no default, and only there", () => {
    expect(refused({ purchaseUnknownMs: undefined, renewMembersAfterMs: undefined })).toBe("taken");
    expect(refused({ leaseMs: undefined })).toMatchObject(refusal("leaseMs", "is not a number from 0 up"));
  });

  it.each(["limitShare", "journalShare"])("take a part of 1 at most as %s", (name) => {
    expect(refused({ [name]: 1 })).toBe("taken");
    expect(refused({ [name]: 1.01 })).toMatchObject(refusal(name, "is a part: from 0 to 1"));
  });

  it("hold a request, its settle and the time between two renewals in a lease", () => {
    const why = "does not hold a request, its settle and the time between two renewals";
    expect(refused({ leaseMs: 42_000 })).toBe("taken");
    expect(refused({ leaseMs: 41_999 })).toMatchObject(refusal("leaseMs", why));
    expect(refused({ requestTimeoutMs: 30_000 })).toBe("taken");
    expect(refused({ requestTimeoutMs: 30_001 })).toMatchObject(refusal("leaseMs", why));
    expect(refused({ renewEveryMs: 35_001 })).toMatchObject(refusal("leaseMs", why));
  });
});

describe("what is derived from settings", () => {
  it("waits between two tries from the shortest to the longest, and five times as long between two probes", () => {
    const own = settingsOf({ retryMinMs: 100, retryMaxMs: 2_000 });
    expect(retryBounds(own)).toEqual({ minMs: 100, maxMs: 2_000 });
    expect(probeBounds(own)).toEqual({ minMs: 500, maxMs: 2_000 });
    expect(probeBounds(settingsOf({ retryMinMs: 1_000, retryMaxMs: 2_000 }))).toEqual({ minMs: 2_000, maxMs: 2_000 });
  });

  it("keeps a twelfth of the lease for the settle of events, a sixth for that of members, within bounds", () => {
    expect(settleMarginMs({ leaseMs: 12_000 })).toEqual({ events: 1_000, members: 2_000 });
    expect(settleMarginMs({ leaseMs: 600_000 })).toEqual({ events: 5_000, members: 10_000 });
  });
});
