import { describe, expect, it } from "vitest";
import { createDelivery } from "../../src/delivery/index.ts";
import { runHistory } from "./checker/history.ts";

/** `CHECKER_SEED=42 npx vitest run test/delivery/checker.test.ts` replays one history with every step. */
const only = process.env.CHECKER_SEED;
const from = Number(process.env.CHECKER_FROM ?? 1);
const count = Number(process.env.CHECKER_COUNT ?? 300);

describe("seeded histories", () => {
  it.runIf(only !== undefined)(`replays seed ${only}`, async () => {
    const { violations } = await runHistory({ seed: Number(only), create: createDelivery, trace: true });
    expect(violations).toEqual([]);
  });

  it.runIf(only === undefined)(
    `balance in ${count} histories of crashes, faults and jumps`,
    { timeout: 600_000 },
    async () => {
      const failed: Record<string, string[]> = {};
      const total = { offered: 0, delivered: 0, dead: 0, withdrawn: 0, members: 0 } as Record<string, number>;
      for (let seed = from; seed < from + count; seed++) {
        const { violations, counts } = await runHistory({ seed, create: createDelivery });
        for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
        if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
      }
      console.log(total);
      expect(failed).toEqual({});
    },
  );
});
