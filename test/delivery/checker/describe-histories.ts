import { describe, expect, it } from "vitest";
import { createDelivery } from "../../../src/delivery/index.ts";
import type { Engine } from "./engine.ts";
import { runHistory } from "./history.ts";

/**
 * Seeded histories on an engine. `CHECKER_SEED=42 npx vitest run <file>` replays one with every step;
 * `CHECKER_FROM` and `CHECKER_COUNT` choose a range, so that runs add up.
 */
export function describeHistories(name: string, { engine, histories }: { engine: Engine; histories: number }): void {
  const only = process.env.CHECKER_SEED;
  const from = Number(process.env.CHECKER_FROM ?? 1);
  const count = Number(process.env.CHECKER_COUNT ?? histories);

  describe(`seeded histories on ${name}`, () => {
    it.runIf(only !== undefined)(`replays seed ${only}`, async () => {
      const { violations } = await runHistory({ seed: Number(only), create: createDelivery, engine, trace: true });
      expect(violations).toEqual([]);
    });

    it.runIf(only === undefined)(
      `balance in ${count} histories of crashes, faults and jumps`,
      { timeout: 3_600_000 },
      async () => {
        const failed: Record<string, string[]> = {};
        const total: Record<string, number> = {};
        for (let seed = from; seed < from + count; seed++) {
          const { violations, counts } = await runHistory({ seed, create: createDelivery, engine });
          for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
          if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
        }
        console.log(name, { histories: count, ...total });
        expect(failed).toEqual({});
      },
    );
  });
}
