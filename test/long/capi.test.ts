/**
 * A million spoilt events. `CAPI_FROM` and `CAPI_COUNT` choose a range of seeds, so that runs add up:
 * `CAPI_FROM=1000000 npm run test:long -- capi`.
 */
import { expect, it } from "vitest";
import { EVENTS } from "../capi/corpus.ts";
import { OPTIONS } from "../capi/events.ts";
import { check, createTally } from "../capi/judge.ts";
import { mutated, pick, seeded } from "../capi/mutations.ts";

const from = Number(process.env.CAPI_FROM ?? 100_000);
const count = Number(process.env.CAPI_COUNT ?? 1_000_000);

it(`seeds ${from} to ${from + count}: nothing throws, hangs or leaks, and memory stays flat`, () => {
  const tally = createTally();
  let settledMb = 0;
  for (let seed = from; seed < from + count && tally.faults.length === 0; seed++) {
    const random = seeded(seed);
    check(mutated(pick(EVENTS, random), random), OPTIONS, tally, seed);
    if (seed === from + Math.floor(count / 10)) settledMb = process.memoryUsage().heapUsed / 1_048_576;
  }
  const endMb = process.memoryUsage().heapUsed / 1_048_576;
  console.log({
    count,
    prepared: tally.prepared,
    slowestMs: tally.slowestMs,
    settledMb,
    endMb,
    refused: tally.refused,
  });
  expect(tally.faults).toEqual([]);
  expect(tally.slowestMs).toBeLessThan(2_000);
  expect(endMb).toBeLessThan(settledMb + 100);
}, 3_600_000);
