import { expect, it } from "vitest";
import { newProgress, readProgress, unknownSince, writeProgress } from "../../../src/delivery/progress.ts";

it("an item is in doubt since the first of several notes, whatever their order", () => {
  const items = Uint8Array.of(1);
  for (const ages of [
    [50, 10, 70],
    [10, 50],
    [70, 10],
  ]) {
    const progress = { ...newProgress(1), unknown: ages.map((ageMs) => ({ ageMs, items })) };
    expect(unknownSince(progress, 0)).toBe(10);
  }
});

it("what an entry remembers is stored as earlier versions read it", () => {
  const progress = { ...newProgress(3), attempts: 2, delayMs: 700, writtenAgeMs: 9 };
  const stored = (more: string) =>
    Buffer.concat([Buffer.of(1), Buffer.from(`{"a":2,"d":700,"i":"AA=="${more},"w":9}`)]);
  expect(Buffer.from(writeProgress(progress))).toEqual(stored(""));
  const doubted = { ...progress, unknown: [{ ageMs: 5, items: Uint8Array.of(2) }] };
  expect(Buffer.from(writeProgress(doubted))).toEqual(stored(',"u":[[5,"Ag=="]]'));
  expect(readProgress(stored(',"u":[[5,"Ag=="]]'), 3)).toEqual(doubted);
});
