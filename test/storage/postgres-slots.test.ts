import { afterAll, describe, expect, it } from "vitest";
import { blockSlots, emptySlotLog, reserveSlots, type SlotLog } from "../../src/storage/slot-log.ts";
import { seeded } from "../delivery/support.ts";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";

const url = await serviceUrl("postgres");

describe.skipIf(!url)("slots inside Postgres", () => {
  const pool = connect(url ?? "", { max: 4 });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  it("answers what the slot log answers, whatever is asked", async () => {
    const random = seeded(11);
    const pick = (below: number) => Math.floor(random() * below);
    let now = Date.UTC(2026, 0, 1);
    const storage = await schemas.open({ clock: { now: () => now } });
    const logs = new Map<string, SlotLog>();
    const logOf = (key: string) => {
      const log = logs.get(key) ?? emptySlotLog();
      logs.set(key, log);
      return log;
    };
    for (let step = 0; step < 600; step++) {
      now += pick(6) === 0 ? pick(5_000) : pick(120);
      if (pick(15) === 0) {
        const key = `k${pick(4)}`;
        const forMs = pick(3_000);
        await storage.slots?.block(key, forMs);
        blockSlots(logOf(key), now + forMs);
        continue;
      }
      const scopes = Array.from({ length: 1 + pick(3) }, (_, n) => ({
        key: `k${(n + pick(2)) % 4}`,
        perWindow: pick(30) === 0 ? 0 : 1 + pick(6),
        windowMs: 100 + pick(1_500),
      }));
      const want = 1 + pick(4);
      const expected = reserveSlots(
        scopes.map(({ key }) => logOf(key)),
        scopes,
        want,
        now,
      );
      expect(await storage.slots?.reserve(scopes, want), `step ${step}: ${JSON.stringify({ scopes, want })}`).toEqual(
        expected,
      );
    }
    await schemas.giveBack(storage);
  });
});
