import { createSnapchat } from "snapchat-destination";
import { describe, expect, it } from "vitest";
import { sqlite } from "../../../src/sqlite/index.ts";
import { inTurn } from "../../delivery/checker/engine.ts";
import { type HistoryOptions, runHistory } from "./history.ts";

const WAYS = {
  memory: {},
  sockets: { sockets: true },
  sqlite: {
    async engine(clock) {
      const storage = sqlite(":memory:", { clock });
      await storage.migrate();
      return inTurn(storage);
    },
  },
} satisfies Record<string, Pick<HistoryOptions, "sockets" | "engine">>;

/**
 * Seeded lives of a destination in the composed package: on memory; the same with its requests over sockets; on SQLite.
 * `CHECKER_SEED=42 npx vitest run test/connecting/life.test.ts` replays one with every step (over sockets answers may
 * come in another order); `CHECKER_FROM` and `CHECKER_COUNT` choose a range, so that runs add up.
 */
export function describeLives(lives: Readonly<Record<keyof typeof WAYS, number>>): void {
  const only = process.env.CHECKER_SEED;
  const from = Number(process.env.CHECKER_FROM ?? 1);

  describe.each(Object.entries(WAYS))("a destination's life in the composed package: %s", (name, way) => {
    const count = Number(process.env.CHECKER_COUNT ?? lives[name as keyof typeof WAYS]);

    it.runIf(only !== undefined)(`replays seed ${only}`, { timeout: 300_000 }, async () => {
      const { violations } = await runHistory({ ...way, seed: Number(only), create: createSnapchat, trace: true });
      expect(violations).toEqual([]);
    });

    it.runIf(only === undefined)(`follows its model through ${count} lives`, { timeout: 3_600_000 }, async () => {
      const failed: Record<string, string[]> = {};
      const total: Record<string, number> = {};
      for (let seed = from; seed < from + count; seed += 1) {
        const { violations, counts } = await runHistory({ ...way, seed, create: createSnapchat });
        for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
        if (violations.length > 0) failed[`CHECKER_SEED=${seed}`] = violations;
      }
      console.log(name, { lives: count, ...total });
      expect(failed).toEqual({});
    });
  });
}
