import { expect, it } from "vitest";
import { createInteractive } from "../../src/snapchat/interactive.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { densest } from "../connecting/densest.ts";

/** Time passes at once for all who sleep, as for a process that stands still. */
function standingClock() {
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms: number) => new Promise<void>((wake) => sleepers.push({ at: now + ms, wake })),
    async advance(ms: number) {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it.each([300, 1_500, 4_000])("a process that stands still for %i ms lets no window's worth leave twice", async (ms) => {
  const clock = standingClock();
  const slots = memory({ clock }).slots;
  if (!slots) throw new Error("The memory storage has slots.");
  const pass = createInteractive({ slots, clock });
  const left: number[] = [];
  const all = Promise.all(
    Array.from({ length: 40 }, async () => {
      await pass([{ key: "oauth-token/a", perWindow: 10, windowMs: 1_000 }]);
      left.push(clock.monotonic());
    }),
  );
  for (let step = 0; left.length < 40 && step < 1_000; step++) await clock.advance(step === 30 ? ms : 20);
  await all;
  expect(densest(left, 1_000)).toBeLessThanOrEqual(10);
});
