import { describe, expect, it } from "vitest";
import { syncList } from "../../src/audiences/index.ts";
import { createDelivery } from "../../src/delivery/index.ts";
import { runHistory } from "../audiences/checker/history.ts";
import { simulatorSnapchat } from "../audiences/checker/simulator.ts";

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
