import { expect, it } from "vitest";
import { fairnessOf, simulateTurns } from "./turns/simulate.ts";

it("300 tenants that wait share one app's limit turn by turn, although one of them has 100 times the work", async () => {
  const options = { tenants: 300, perSecond: 200, noisy: 100, seconds: 33, workers: 2 };
  const fairness = fairnessOf(await simulateTurns(options), options);
  expect(fairness.leastShare).toBeGreaterThanOrEqual(0.5);
  expect(fairness.longestWait).toBeLessThanOrEqual(2.1);
  expect(fairness.perSecond).toBeGreaterThanOrEqual(0.9 * options.perSecond);
}, 60_000);

it("the turns of more tenants than a limit has slots are as fair where workers wait for each other", async () => {
  const options = { tenants: 40, perSecond: 20, noisy: 100, seconds: 45, workers: 6 };
  const fairness = fairnessOf(await simulateTurns(options), options);
  expect(fairness.leastShare).toBeGreaterThanOrEqual(0.5);
  expect(fairness.longestWait).toBeLessThanOrEqual(2.1);
  expect(fairness.perSecond).toBeGreaterThanOrEqual(0.9 * options.perSecond);
}, 60_000);
