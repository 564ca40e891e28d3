import { definePlugin } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { afterEach, describe, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

const open = async (options: Parameters<typeof openShop>[0] = {}) => {
  shop = await openShop({ delivery: { lingerMs: 0, memberLingerMs: 0, journalShare: 1 }, ...options });
};
const drain = () => shop.snapchat.drain({ maxMs: 20_000 });
const find = async (query: Parameters<Shop["acme"]["receipts"]["find"]>[1]) => {
  const { items } = await shop.acme.receipts.find(shop.id, query);
  return items;
};

describe("receipts.find", () => {
  it("answers every decision, the request and Snapchat's answer, by event id and by order id", async () => {
    await open();
    await shop.acme.track([purchase("a"), purchase("b")]);
    await drain();
    const [byEvent, ...others] = await find({ eventId: "a" });
    expect(others).toEqual([]);
    expect(byEvent).toMatchObject({
      eventId: "a",
      orderId: "SO-a",
      status: "delivered",
      entries: [
        { type: "decision", channel: "server", target: "PURCHASE", status: "queued" },
        { type: "decision", channel: "client", status: "skipped", reason: "sent_by_browser" },
        { type: "attempt", purpose: "events", answer: "delivered", httpStatus: 200, durationMs: expect.any(Number) },
      ],
    });
    expect(await find({ orderId: "SO-a" })).toEqual([byEvent]);
    expect(await find({ eventId: "nobody's" })).toEqual([]);
  });

  it("says of a rejected event in words which field it was, and what to do", async () => {
    await open();
    const event = purchase("a");
    Object.assign(event.customProperties as object, { currency: "pounds" });
    await shop.acme.track([event]);
    const [receipt] = await find({ eventId: "a" });
    expect(receipt?.entries).toMatchObject([
      {
        type: "decision",
        status: "rejected",
        reason: "currency_unreadable",
        path: "custom_data.currency",
        words: { fix: "Use ISO 4217." },
      },
      { channel: "client", reason: "sent_by_browser", words: { fix: "Nothing to do." } },
    ]);
  });

  it("holds the attempts that failed before the one that did not", async () => {
    await open();
    shop.simulator.faults.add({ area: "conversions", status: 503, count: 1 });
    shop.snapchat.startWorker();
    await shop.acme.track([purchase("a")]);
    await expect.poll(async () => (await find({ eventId: "a" }))[0]?.status, { timeout: 60_000 }).toBe("delivered");
    const [receipt] = await find({ eventId: "a" });
    const attempts = receipt?.entries.filter(({ type }) => type === "attempt");
    expect(attempts).toMatchObject([
      { answer: "retry", httpStatus: 503 },
      { answer: "delivered", httpStatus: 200 },
    ]);
  });

  it("says in Snapchat's words why an event became a dead letter", async () => {
    await open();
    shop.simulator.faults.add({
      area: "conversions",
      count: 1,
      status: 400,
      body: { status: "INVALID", reason: "The event was refused", error_records: [{ error_code: "E1" }] },
    });
    await shop.acme.track([purchase("a")]);
    await drain();
    const [receipt] = await find({ eventId: "a" });
    expect(receipt).toMatchObject({ status: "dead" });
    expect(receipt?.entries.at(-1)).toMatchObject({ type: "end", outcome: "dead", reason: "rejected" });
  });

  it("follows a membership to the request that changed it, and says when nothing had to change", async () => {
    await open();
    const joins = { ...entered("vip"), event_id: "m-1" };
    await shop.acme.track([joins], { receivedAt: Date.now() });
    await drain();
    const again = { ...entered("vip"), event_id: "m-2" };
    await shop.acme.track([again], { receivedAt: Date.now() });
    await drain();
    expect((await find({ eventId: "m-1" })).at(0)?.entries.at(-1)).toMatchObject({
      type: "attempt",
      purpose: "members/add",
      answer: "delivered",
      requestId: expect.any(String),
    });
    expect((await find({ eventId: "m-2" })).at(0)?.entries.at(-1)).toMatchObject({ type: "end", outcome: "unchanged" });
  });

  it("lists what happened since a time, newest lines first, page by page", async () => {
    await open();
    for (const id of ["a", "b", "c"]) await shop.acme.track([purchase(id)]);
    const since = Date.now() - 60_000;
    const first = await shop.acme.receipts.find(shop.id, { since, limit: 2 });
    expect(first.items.map(({ eventId }) => eventId)).toEqual(["c", "b"]);
    const second = await shop.acme.receipts.find(shop.id, { since, limit: 2, after: first.after ?? "" });
    expect(second.items.map(({ eventId }) => eventId)).toEqual(["a"]);
    expect(second.after).toBeUndefined();
  });

  it("keeps every line of a sampled event and none of another, but all that was rejected", async () => {
    await open({ delivery: { lingerMs: 0, journalShare: 0.3 } });
    const ids = Array.from({ length: 60 }, (_, i) => `order-${i}`);
    const rejected = { ...purchase("bad"), customProperties: { value: 1, user_traits: { email: "a@example.com" } } };
    await shop.acme.track([...ids.map((id) => purchase(id)), rejected]);
    await drain();
    const types = await Promise.all(ids.map(async (eventId) => (await find({ eventId }))[0]?.entries ?? []));
    const kept = types.filter((entries) => entries.length > 0);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.length).toBeLessThan(40);
    for (const entries of kept) expect(entries.map(({ type }) => type)).toEqual(["decision", "decision", "attempt"]);
    expect((await find({ eventId: "bad" }))[0]).toMatchObject({ status: "rejected" });
  });

  it("refuses another tenant's destination and a storage without a journal", async () => {
    const { journal: _, ...storage } = memory();
    await open({ storage });
    const other = shop.snapchat.tenant("other");
    await expect(other.receipts.find(shop.id, { eventId: "a" })).rejects.toMatchObject({ code: "not_found" });
    await expect(find({ eventId: "a" })).rejects.toMatchObject({ code: "capability_missing" });
  });

  it("finds an id that is longer than an engine's key", async () => {
    await open();
    const event = purchase("a");
    const orderId = "x".repeat(220);
    Object.assign(event.customProperties as object, { order_id: orderId });
    await shop.acme.track([event]);
    await drain();
    expect((await find({ orderId }))[0]).toMatchObject({ eventId: "a", status: "delivered" });
  });
});

describe("receipts.export", () => {
  it("writes every line as JSON: one per request, one per call, no identifier of a person", async () => {
    await open();
    await shop.acme.track([purchase("a"), purchase("b")]);
    await drain();
    const lines: string[] = [];
    for await (const line of shop.acme.receipts.export(shop.id)) lines.push(line);
    expect(lines.map((line) => JSON.parse(line).type).sort()).toEqual(["ingest", "request"]);
    const posted = shop.simulator.inspect.requests.filter(({ path }) => path.endsWith("/events"));
    expect(posted).toHaveLength(1);
    expect(lines.join("")).not.toMatch(/jane|[0-9a-f]{64}/);
  });
});

describe("the receipts hook", () => {
  it("hears every decision and every outcome, whatever the journal keeps", async () => {
    const heard: Record<string, unknown>[] = [];
    const plugin = definePlugin({ name: "warehouse", receipts: (lines) => void heard.push(...lines) });
    await open({ plugins: [plugin], delivery: { lingerMs: 0, journalShare: 0 } });
    await shop.acme.track([purchase("a")]);
    await drain();
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toMatchObject([
      { type: "ingest", destinationId: shop.id, events: [{ eventId: "a", orderId: "SO-a" }] },
      { type: "settled", destinationId: shop.id, items: [{ eventId: "a", status: "delivered" }] },
    ]);
  });
});
