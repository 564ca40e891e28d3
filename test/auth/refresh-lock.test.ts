import { expect, it } from "vitest";
import { acquireLock } from "../../src/auth/refresh-lock.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";

it("a lock whose holder stood still longer than its lease is another's, and the first can neither hold nor free it", async () => {
  const clock = createFakeClock();
  const { records } = memory({ clock });
  let n = 0;
  const context = { records, clock, randomId: () => `holder-${n++}` };
  const first = await acquireLock(context, "lock", 1_000);
  expect(await acquireLock(context, "lock", 1_000)).toBeUndefined();
  await clock.advance(900);
  await first?.renew();
  await clock.advance(900);
  expect(await acquireLock(context, "lock", 1_000)).toBeUndefined();
  await clock.advance(1_001);
  const second = await acquireLock(context, "lock", 1_000);
  await expect(first?.renew()).rejects.toMatchObject({ code: "refresh_lock_lost", kind: "retry", retryAfterMs: 500 });
  await first?.release();
  await second?.renew();
  await second?.release();
  expect(await acquireLock(context, "lock", 1_000)).toBeDefined();
});
