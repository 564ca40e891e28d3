import { describe, expect, it } from "vitest";
import type { ProcessEngine } from "./engine.ts";
import { runProcessHistory } from "./history.ts";

/**
 * Histories of real processes on an engine. `PROCESS_SEED=42 npx vitest run <file>` runs one;
 * `PROCESS_FROM` and `PROCESS_COUNT` choose a range, so that runs add up. Time is real: a seed repeats what is done,
 * not what comes of it.
 */
export function describeProcesses(
  name: string,
  { engine, histories, atOnce = 3 }: { engine: ProcessEngine; histories: number; atOnce?: number },
): void {
  const only = process.env.PROCESS_SEED;
  const from = Number(only ?? process.env.PROCESS_FROM ?? 1);
  const count = only === undefined ? Number(process.env.PROCESS_COUNT ?? histories) : 1;

  describe(`real processes on ${name}`, () => {
    it(`balance in ${count} histories of kill -9, SIGSTOP, cuts and silence`, { timeout: 3_600_000 }, async () => {
      const failed: Record<string, unknown> = {};
      const total: Record<string, number> = {};
      let next = from;
      const lane = async () => {
        while (next < from + count) {
          const seed = next++;
          const { violations, counts, moves } = await runProcessHistory({ seed, engine });
          for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
          for (const move of moves) total[move] = (total[move] ?? 0) + 1;
          if (violations.length > 0) failed[`PROCESS_SEED=${seed}`] = { violations, moves };
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      console.log(name, { histories: count, ...total });
      expect(failed).toEqual({});
    });
  });
}
