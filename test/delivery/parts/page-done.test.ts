import { describe, expect, it } from "vitest";
import { pageDoneKey, readPageDone, sum, writePageDone } from "../../../src/delivery/page-done.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const DAY = 86_400_000;
const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const done = (n: number) => ({ added: n, removed: 2 * n, accepted: 3 * n, requests: 4 * n });

function records() {
  const clock = createFakeClock();
  return { clock, records: memory({ clock }).records };
}

describe("what became of a page", () => {
  it("is read back, of this page of this segment alone", async () => {
    const { records: of } = records();
    await writePageDone(of, VIP, "page-1", done(1));
    expect(await readPageDone(of, VIP, "page-1")).toEqual(done(1));
    expect(await readPageDone(of, VIP, "page-2")).toBeUndefined();
    for (const other of [{ tenantId: "other" }, { destinationId: "d2" }, { link: "other" }]) {
      expect(await readPageDone(of, { ...VIP, ...other }, "page-1")).toBeUndefined();
    }
    expect(await of.list("", { limit: 10 })).toEqual([]);
  });

  it("counts what the first try did where the page is told again", async () => {
    const { records: of } = records();
    await writePageDone(of, VIP, "page-1", done(1));
    await writePageDone(of, VIP, "page-1", done(10));
    expect(await readPageDone(of, VIP, "page-1")).toEqual(done(11));
    expect(sum(done(5), done(-5))).toEqual(done(0));
  });

  it("is kept for 40 days", async () => {
    const { clock, records: of } = records();
    await writePageDone(of, VIP, "page-1", done(1));
    await clock.advance(40 * DAY - 1);
    expect(await readPageDone(of, VIP, "page-1")).toEqual(done(1));
    await clock.advance(1);
    expect(await readPageDone(of, VIP, "page-1")).toBeUndefined();
  });

  it("that a newer version wrote is not known", async () => {
    const { records: of } = records();
    await of.put(pageDoneKey(VIP, "page-1"), Buffer.from('\u0002{"added":1}'));
    expect(await readPageDone(of, VIP, "page-1")).toBeUndefined();
  });
});
