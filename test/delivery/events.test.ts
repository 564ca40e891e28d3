import { describe, expect, it } from "vitest";
import { DELIVERED, event, eventsOf, setup } from "./support.ts";

describe("events", () => {
  it("are stored, joined to one request and gone once Snapchat took them", async () => {
    const { clock, delivery, events, storage } = await setup();
    expect(await delivery.append([event(1), event(2)])).toEqual(["queued", "queued"]);
    expect(await delivery.append([event(3)])).toEqual(["queued"]);
    const worker = delivery.startWorker();
    await clock.advance(1_000);
    await clock.run(worker.stop());
    expect(events.sent.map((request) => request.eventIds)).toEqual([["e-1", "e-2", "e-3"]]);
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0, items: 0 }]);
    expect(delivery.counters).toMatchObject({ delivered: 3, requests: 1 });
  });

  it("answer duplicate when the same call comes again", async () => {
    const { delivery } = await setup();
    await delivery.append([event(1), event(2)]);
    expect(await delivery.append([event(1), event(2)])).toEqual(["duplicate", "duplicate"]);
    expect(await delivery.append([event(2), event(1)])).toEqual(["queued", "queued"]);
  });

  it("are asked about once more, and what may not be sent any more is withdrawn, whenever the answer comes", async () => {
    for (const answer of [(allowed: boolean) => allowed, async (allowed: boolean) => allowed]) {
      const consent = {
        allowed: (...[, , subjects]: [string, string, readonly string[]]) => answer(subjects[0] !== "subject-2"),
      };
      const { clock, delivery, events, storage } = await setup({ settings: { lingerMs: 0 }, consent });
      await delivery.append([event(1), event(2)]);
      await clock.run(delivery.drain({ maxMs: 1_000 }));
      expect(events.sent.map(({ eventIds }) => eventIds)).toEqual([["e-1"]]);
      expect(delivery.counters).toMatchObject({ delivered: 1, withdrawn: 1 });
      expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0, dead: {} }]);
    }
  });

  it("open the group that the outbox does not know yet, where there is to be one", async () => {
    const asked: string[] = [];
    const { clock, delivery, events } = await setup({
      settings: { lingerMs: 0 },
      openGroup: async (ref) => {
        asked.push(ref.name);
        return eventsOf(ref);
      },
    });
    const elsewhere = () => event(asked.length, { assetId: "pixel-9" });
    expect(await delivery.append([elsewhere()])).toEqual(["queued"]);
    expect(await delivery.append([elsewhere()])).toEqual(["queued"]);
    expect(asked).toEqual(["events/pixel-9"]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    expect(events.sent.flatMap(({ assetId, eventIds }) => eventIds.map((id) => [assetId, id]))).toEqual([
      ["pixel-9", "e-0"],
      ["pixel-9", "e-1"],
    ]);

    const closed = await setup({ openGroup: async () => undefined });
    await expect(closed.delivery.append([event(1, { assetId: "pixel-9" })])).rejects.toThrow();
  });

  it("keeps a rejected event as a dead letter and sends what may be sent again alone", async () => {
    let calls = 0;
    const { clock, delivery, events, storage } = await setup({
      answer: () =>
        calls++ === 0
          ? [
              DELIVERED,
              { status: "rejected", known: true, message: "value is missing", code: "E1" },
              { status: "retry", known: false, code: "http_503" },
            ]
          : DELIVERED,
    });
    await delivery.append([event(1), event(2), event(3)]);
    const worker = delivery.startWorker();
    await clock.advance(20_000);
    await clock.run(worker.stop());
    expect(events.sent.map((request) => request.eventIds)).toEqual([["e-1", "e-2", "e-3"], ["e-3"]]);
    const { items } = await storage.outbox.dead.list({ destinationId: "d1", limit: 10 });
    expect(items).toMatchObject([{ reason: "rejected", itemIndex: 1 }]);
    expect(delivery.counters).toMatchObject({ delivered: 2, dead: { rejected: 1 } });
  });
});
