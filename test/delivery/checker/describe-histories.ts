import { describe, expect, it } from "vitest";
import { createDelivery } from "../../../src/delivery/index.ts";
import type { Engine } from "./engine.ts";
import { runHistory } from "./history.ts";

interface HistoriesOptions {
  engine: Engine;
  histories: number;
  /** Histories that run at the same time: on a server most of the time goes by between a call and its answer. */
  atOnce?: number;
}

/**
 * Seeded histories on an engine. `CHECKER_SEED=42 npx vitest run <file>` replays one with every step;
 * `CHECKER_FROM` and `CHECKER_COUNT` choose a range, so that runs add up.
 */
export function describeHistories(name: string, { engine, histories, atOnce = 1 }: HistoriesOptions): void {
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
        let next = from;
        const run = async () => {
          for (let seed = next++; seed < from + count; seed = next++) {
            const { violations, counts } = await runHistory({ seed, create: createDelivery, engine });
            for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
            if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
          }
        };
        await Promise.all(Array.from({ length: atOnce }, run));
        console.log(name, { histories: count, ...total });
        expect(failed).toEqual({});
      },
    );
  });
}
