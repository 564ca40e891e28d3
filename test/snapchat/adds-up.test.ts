import { afterEach, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

/** What the journal says of a destination's requests. */
async function journalOf({ acme, id }: Shop) {
  const lines: { type: string; purpose?: string; answers?: { status: string; items: number }[] }[] = [];
  for await (const line of acme.receipts.export(id)) lines.push(JSON.parse(line));
  const requests = lines.filter(({ type }) => type === "request");
  const of = (kind: "events" | "members") => requests.filter(({ purpose = "" }) => purpose.startsWith(kind));
  const delivered = (kind: "events" | "members") =>
    of(kind)
      .flatMap(({ answers = [] }) => answers)
      .filter(({ status }) => status === "delivered")
      .reduce((sum, { items }) => sum + items, 0);
  return { events: of("events").length, members: of("members").length, delivered };
}

it("journal, counters and events of a run with faults add up to Snapchat's own counts, in all three units", async () => {
  shop = await openShop({ delivery: { lingerMs: 0, memberLingerMs: 0, journalShare: 1 } });
  const { acme, snapchat, simulator } = shop;
  const told = { delivered: 0, dead: 0 };
  snapchat.on("settled", ({ group, delivered, dead }) => {
    if (!group.startsWith("events/")) return;
    told.delivered += delivered;
    told.dead += Object.values(dead).reduce((sum, count) => sum + count, 0);
  });
  simulator.faults.add({ area: "conversions", method: "POST", count: 1, status: 503 });
  simulator.faults.add({ area: "conversions", method: "POST", count: 1, reset: true });
  simulator.faults.add({ area: "conversions", method: "POST", count: 1, timeoutAfterAcceptance: "destroy" });

  const sales = Array.from({ length: 120 }, (_, i) => purchase(`sale-${i}`, `p${i}@example.com`));
  const joins = Array.from({ length: 30 }, (_, i) => ({
    ...entered("vip", `p${i}@example.com`),
    event_id: `join-${i}`,
  }));
  const others = Array.from({ length: 10 }, (_, i) => ({ event: "wheel_spun", event_id: `other-${i}` }));
  const worker = snapchat.startWorker();
  const receipts = await acme.track([...sales, ...joins, ...others], { receivedAt: Date.now() });
  const waiting = async () => (await snapchat.stats()).waiting;
  await expect.poll(waiting, { timeout: 60_000, interval: 100 }).toBe(0);
  await worker.stop();

  // Host events: one receipt each.
  expect(receipts.map(({ status }) => status).sort()).toEqual([
    ...Array.from({ length: 150 }, () => "queued"),
    ...Array.from({ length: 10 }, () => "skipped"),
  ]);
  // Snap events: what was told, counted and kept is what Snapchat counts.
  const { counted } = simulator.inspect.events;
  const { counters } = await snapchat.stats();
  const journal = await journalOf(shop);
  expect({ counted, told, journal: journal.delivered("events") }).toEqual({
    counted: 120,
    told: { delivered: 120, dead: 0 },
    journal: 120,
  });
  const posts = simulator.inspect.requests.filter(({ method }) => method === "POST");
  expect(journal.events).toBe(posts.filter(({ path }) => path.endsWith("/events")).length);
  // Memberships.
  const [segment] = simulator.inspect.segments();
  expect(simulator.inspect.members(segment?.id ?? "").EMAIL_SHA256.size).toBe(30);
  expect(counters.membersAdded).toBe(30);
  expect(journal.delivered("members")).toBe(30);
  expect(journal.members).toBe(posts.filter(({ path }) => path.endsWith("/users")).length);
});
