import { memory } from "snapchat-destination/memory";
import { presets, sources } from "snapchat-destination/workflow";
import { describe, expect, it } from "vitest";
import { createSeenEvents } from "../../src/snapchat/seen-events.ts";
import type { Records } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";

const { rules } = presets.segment();
const named = (event: string) => sources.segment.read({ type: "track", event });
const DAY_MS = 86_400_000;

describe("names of events that were seen", () => {
  it("add up over processes, and over writes that were lost", async () => {
    const clock = createFakeClock();
    const { records } = memory({ clock });
    let failing = 2;
    const shaky: Records = Object.assign(Object.create(records), {
      async put(...args: Parameters<Records["put"]>) {
        if (failing-- > 0) throw Object.assign(new Error("gone"), { code: "unavailable" });
        return records.put(...args);
      },
    });
    const processes = [records, shaky, records].map((own) => createSeenEvents({ records: own, clock }));
    for (let round = 0; round < 5; round++) {
      for (const one of processes)
        for (let n = 0; n < 3; n++) one.note("acme", named(n ? "Spun" : "Order Completed"), rules);
      await clock.run(Promise.all(processes.map((one) => one.flush())));
      await clock.advance(61_000);
    }
    for (const one of processes) await clock.run(one.flush());
    for (const one of processes) {
      const seen = await clock.run(one.list("acme"));
      expect(seen.map(({ name, count }) => [name, count])).toEqual([
        ["Spun", 30],
        ["Order Completed", 15],
      ]);
    }
    expect(await clock.run(processes[0]?.list("other") ?? Promise.resolve([]))).toEqual([]);
  });

  it("are written at most once a minute, and read with what is not written yet", async () => {
    const clock = createFakeClock();
    const { records } = memory({ clock });
    let writes = 0;
    const counting: Records = Object.assign(Object.create(records), {
      put(...args: Parameters<Records["put"]>) {
        writes++;
        return records.put(...args);
      },
    });
    const seen = createSeenEvents({ records: counting, clock });
    for (let second = 0; second < 180; second++) {
      for (let n = 0; n < 10; n++) seen.note("acme", named("Spun"), rules);
      await clock.advance(1_000);
    }
    expect(writes).toBeLessThanOrEqual(4);
    expect((await clock.run(seen.list("acme")))[0]).toMatchObject({ count: 1_800 });
  });

  it("are forgotten after 90 days, with the tenant, and where they would be too many the rare ones", async () => {
    const clock = createFakeClock();
    const { records } = memory({ clock });
    const seen = createSeenEvents({ records, clock });
    for (let n = 0; n < 900; n++) {
      seen.note("acme", named(`rare ${n.toString(36)}`), rules);
      if (n < 5) for (let k = 0; k < 9; k++) seen.note("acme", named(`often ${"abcde"[n]}`), rules);
    }
    await clock.run(seen.flush());
    const names = await clock.run(seen.list("acme"));
    expect(names).toHaveLength(500);
    expect(names.slice(0, 5).every(({ name }) => name.startsWith("often"))).toBe(true);
    await clock.advance(89 * DAY_MS);
    seen.note("acme", named("Spun"), rules);
    await clock.run(seen.flush());
    await clock.advance(2 * DAY_MS);
    expect((await clock.run(seen.list("acme"))).map(({ name }) => name)).toEqual(["Spun"]);
    await clock.run(seen.forget("acme"));
    expect(await clock.run(seen.list("acme"))).toEqual([]);
  });

  it("are of events: calls about a person have none, a membership counts for its row", async () => {
    const clock = createFakeClock();
    const seen = createSeenEvents({ records: memory({ clock }).records, clock });
    for (const call of [
      { type: "identify", traits: { email: "jane@example.com" } },
      { type: "group" },
      { type: "track" },
      { type: "track", event: "Audience Entered", properties: { audience_key: "vip", vip: true } },
      { type: "page", name: "Home" },
    ]) {
      seen.note("acme", sources.segment.read(call), rules);
    }
    const names = (await clock.run(seen.list("acme"))).map(({ name }) => name);
    expect(names.sort()).toEqual(["added_to_segment", "page"]);
  });
});
