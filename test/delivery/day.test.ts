import { expect, it } from "vitest";
import { liveThrough } from "./day/live.ts";

it("a worker holds at hour six what it held at hour two", { timeout: 120_000 }, async () => {
  const { samples, delivered, failed } = await liveThrough(6);
  const [second, sixth] = [samples[1], samples[5]];
  expect(sixth?.heap).toBeLessThan((second?.heap ?? 0) * 1.05);
  expect(sixth?.handles).toBeLessThanOrEqual(second?.handles ?? 0);
  expect(delivered).toBeGreaterThan(6 * 60 * 19);
  expect(failed).toBeGreaterThan(0);
});
