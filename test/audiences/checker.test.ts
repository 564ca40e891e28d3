import { describe, expect, it } from "vitest";
import { syncList } from "../../src/audiences/index.ts";
import { createDelivery } from "../../src/delivery/index.ts";
import { runHistory } from "./checker/history.ts";
import { simulatorSnapchat } from "./checker/simulator.ts";

/** `CHECKER_SEED=42 npx vitest run test/audiences/checker.test.ts` replays one history with every step. */
const only = process.env.CHECKER_SEED;
const from = Number(process.env.CHECKER_FROM ?? 1);
const count = Number(process.env.CHECKER_COUNT ?? 2_000);
const rooms = { createDelivery, syncList };

describe("seeded histories of segments", () => {
  it.runIf(only !== undefined)(`replays seed ${only}`, async () => {
    expect(await runHistory({ seed: Number(only), rooms, trace: true })).toEqual([]);
  });

  it.runIf(only === undefined)(
    `end with Snapchat's members as the model says, in ${count} histories`,
    { timeout: 3_600_000 },
    async () => {
      const failed: Record<string, string[]> = {};
      for (let seed = from; seed < from + count; seed++) {
        const violations = await runHistory({ seed, rooms });
        if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
      }
      expect(failed).toEqual({});
    },
  );

  it.runIf(only === undefined)(
    "hold on the simulator too, whose members are compared",
    { timeout: 120_000 },
    async () => {
      const failed: Record<string, string[]> = {};
      for (let seed = from; seed < from + count / 40; seed++) {
        const violations = await runHistory({ seed, rooms, snapchat: simulatorSnapchat });
        if (violations.length > 0) failed[`seed ${seed}`] = violations;
      }
      expect(failed).toEqual({});
    },
  );
});
