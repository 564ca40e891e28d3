import { describe, expect, it } from "vitest";
import { DELIVERED, event, setup } from "./support.ts";

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
