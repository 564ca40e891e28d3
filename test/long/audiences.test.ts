import pg from "pg";
import { describe, expect, it } from "vitest";
import { syncList } from "../../src/audiences/index.ts";
import { createDelivery } from "../../src/delivery/index.ts";
import { runHistory } from "../audiences/checker/history.ts";
import { simulatorSnapchat } from "../audiences/checker/simulator.ts";
import { difference, openMirrors } from "../audiences/processes/run-mirror.ts";
import { serviceUrl } from "../services.ts";

/** `CHECKER_FROM=1 CHECKER_COUNT=50000 npm run test:long -- audiences`: ranges of seeds add up. */
const from = Number(process.env.CHECKER_FROM ?? 1);
const count = Number(process.env.CHECKER_COUNT ?? 50_000);
const rooms = { createDelivery, syncList };

describe("seeded histories of segments, the long form", () => {
  for (const [on, snapchat, share] of [
    ["the model of Snapchat", undefined, 1],
    ["the simulator", simulatorSnapchat, 0.02],
  ] as const) {
    it(`end with the members of the model on ${on}`, { timeout: 3_600_000 }, async () => {
      const failed: Record<string, string[]> = {};
      for (let seed = from; seed < from + count * share; seed++) {
        const violations = await runHistory({ seed, rooms, ...(snapchat ? { snapchat } : {}) });
        if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
      }
      expect(failed).toEqual({});
    });
  }
});

/** `MIRROR_COUNT=1000000`: people of the list. */
const people = Number(process.env.MIRROR_COUNT ?? 1_000_000);
const postgresUrl = await serviceUrl("postgres");

describe.skipIf(!postgresUrl)(`a list of ${people} people on Postgres`, () => {
  it("is mirrored and killed once", { timeout: 3_600_000 }, async () => {
    const place = { database: postgresUrl ?? "", schema: `snapchat_mirror_${process.pid}` };
    const mirrors = await openMirrors({}, place);
    try {
      const order = { segment: "vip", runId: "first", count: people, changeEvery: 0 };
      const report = await mirrors.mirror(order, [people * 0.5]);
      console.log({ report, requests: mirrors.requests("vip").length });
      expect(difference(mirrors.held("vip"), order)).toEqual({ missing: 0, surplus: 0 });
      expect(report.aboveIdleMb).toBeLessThanOrEqual(150);
    } finally {
      await mirrors.close();
      const pool = new pg.Pool({ connectionString: postgresUrl });
      await pool.query(`DROP SCHEMA IF EXISTS ${place.schema} CASCADE`);
      await pool.end();
    }
  });
});

describe(`a list of ${people} people`, () => {
  it("is mirrored, mirrored again with one in a hundred changed, and killed twice each time", async () => {
    const mirrors = await openMirrors();
    try {
      const pages = Math.ceil(people / 100_000);
      const first = { segment: "vip", runId: "first", count: people, changeEvery: 0 };
      const one = await mirrors.mirror(first, [people * 0.3, people * 0.6]);
      expect(difference(mirrors.held("vip"), first)).toEqual({ missing: 0, surplus: 0 });
      const requests = mirrors.requests("vip").length;
      const second = { segment: "vip", runId: "second", count: people, changeEvery: 100 };
      const two = await mirrors.mirror(second, [people * 0.3, people * 0.6]);
      expect(difference(mirrors.held("vip"), second)).toEqual({ missing: 0, surplus: 0 });
      const more = mirrors.requests("vip").length - requests;
      const three = await mirrors.mirror({ ...second, runId: "third" });
      console.log({ one, two, three, requests, more, rowsPerSecond: Math.round((people / three.ms) * 1_000) });
      expect(requests).toBeLessThanOrEqual(pages + 2 * one.kills);
      expect(more).toBeLessThanOrEqual(2 + 2 * two.kills);
      for (const { aboveIdleMb } of [one, two, three]) expect(aboveIdleMb).toBeLessThanOrEqual(150);
    } finally {
      await mirrors.close();
    }
  });
});
