import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { difference, openMirrors } from "./processes/run-mirror.ts";

const COUNT = 20_000;
const PAGE = 2_000;

describe("a list mirrored by a process that is killed", { timeout: 120_000 }, () => {
  let mirrors: Awaited<ReturnType<typeof openMirrors>>;
  beforeAll(async () => {
    // What a dead process held is free again after its lease, which may not be shorter than a request and its margin.
    const lease = { leaseMs: 12_000, renewEveryMs: 500, requestTimeoutMs: 1_000 };
    mirrors = await openMirrors({ identifiersPerRequest: PAGE, ...lease });
  });
  afterAll(() => mirrors.close());

  it("ends with the list's members, and sends no page twice but those that were on their way", async () => {
    const first = { segment: "vip", runId: "first", count: COUNT, changeEvery: 0 };
    const report = await mirrors.mirror(first, [COUNT * 0.5]);
    expect(report.kills).toBe(1);
    expect(difference(mirrors.held("vip"), first)).toEqual({ missing: 0, surplus: 0 });
    const requests = mirrors.requests("vip").length;
    // A death leaves at most two pages in doubt: the one being sent and the one whose answer was not written down.
    expect(requests).toBeGreaterThanOrEqual(COUNT / PAGE);
    expect(requests).toBeLessThanOrEqual(COUNT / PAGE + 2);

    const second = { segment: "vip", runId: "second", count: COUNT, changeEvery: 100 };
    await mirrors.mirror(second);
    expect(difference(mirrors.held("vip"), second)).toEqual({ missing: 0, surplus: 0 });
    // One request of those that are new, one of those that left.
    expect(mirrors.requests("vip").length - requests).toBe(2);

    const again = mirrors.requests("vip").length;
    expect(await mirrors.mirror(second)).toMatchObject({ done: { phase: "done", read: COUNT } });
    expect(mirrors.requests("vip").length).toBe(again);
  });
});
