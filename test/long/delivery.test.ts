/**
 * The long form of delivery. Each part alone: `npm run test:long -- delivery -t "on postgres"`. Ranges of seeds add up:
 * `CHECKER_FROM=100000 CHECKER_COUNT=20000` for histories in virtual time, `PROCESS_FROM` and `PROCESS_COUNT` for those of
 * real processes.
 */
import { expect, it } from "vitest";
import { liveThrough } from "../delivery/day/live.ts";
import { fairnessOf, simulateTurns } from "../delivery/turns/simulate.ts";

const HISTORIES = { memory: 100_000, sqlite: 100_000, records: 5_000, postgres: 5_000, redis: 5_000 };
const own = process.env.CHECKER_COUNT;
for (const [engine, count] of Object.entries(HISTORIES)) {
  process.env.CHECKER_COUNT = own ?? String(count);
  await import(`../delivery/checker-${engine}.test.ts`);
}
process.env.PROCESS_COUNT ??= "200";
for (const engine of ["sqlite", "postgres", "redis"]) await import(`../delivery/processes-${engine}.test.ts`);

it("a worker holds at hour 24 what it held at hour 2", async () => {
  const { samples } = await liveThrough(24);
  const [second, last] = [samples[1], samples[23]];
  console.log(samples);
  expect(last?.heap).toBeLessThan((second?.heap ?? 0) * 1.05);
  expect(last?.handles).toBeLessThanOrEqual(second?.handles ?? 0);
});

it("1,000 tenants share one app's limit turn by turn, although one of them has 100 times the work", async () => {
  const options = { tenants: 1_000, perSecond: 200, noisy: 100, seconds: 110, workers: 2 };
  const fairness = fairnessOf(await simulateTurns(options), options);
  console.log(fairness);
  expect(fairness.leastShare).toBeGreaterThanOrEqual(0.5);
  expect(fairness.longestWait).toBeLessThanOrEqual(2.1);
});
