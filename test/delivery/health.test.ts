import { describe, expect, it } from "vitest";
import { memory } from "../../src/storage/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { event, eventsOf, setup } from "./support.ts";

describe("health", () => {
  it("names what keeps work from being delivered, with what to do", async () => {
    const { clock, delivery, storage } = await setup();
    expect(await delivery.health()).toEqual({ ok: true, problems: [] });
    await delivery.append([event(1)]);
    await clock.advance(16 * 60_000);
    expect((await delivery.health()).problems).toMatchObject([{ code: "late", destinationId: "d1" }]);
    await storage.outbox.pause({ credentialId: "conversions/acme/d1/1" }, "reauth_required");
    await clock.advance(1_100);
    expect((await delivery.health()).problems).toMatchObject([{ code: "reauth_required", destinationId: "d1" }]);
    await delivery.pause();
    await clock.advance(2_100);
    const { ok, problems } = await delivery.health();
    expect(ok).toBe(false);
    expect(problems.map(({ code }) => code)).toEqual(["paused", "reauth_required"]);
    for (const { message, fix } of problems) expect(`${message} ${fix}`).not.toMatch(/undefined|\[object/);
  });

  it("says that the engine is away", async () => {
    const clock = createFakeClock();
    const inner = memory({ clock });
    const away = async () => {
      throw Object.assign(new Error("away"), { code: "unavailable", retryable: true });
    };
    const storage: Storage = { ...inner, outbox: { ...inner.outbox, depth: away } };
    const { delivery } = await setup({ clock, storage });
    expect(await delivery.health()).toMatchObject({ ok: false, problems: [{ code: "storage_unavailable" }] });
  });
});

describe("stats", () => {
  it("tell what waits, what died and what was done", async () => {
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0 },
      answer: ({ eventIds }) =>
        eventIds.includes("e-2")
          ? { status: "rejected", known: true, message: "no" }
          : { status: "delivered", known: true },
    });
    await delivery.append([event(1)]);
    await delivery.append([event(2, { assetId: "pixel-2" })]).catch(() => {});
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    await delivery.open([eventsOf({ name: "events/pixel-2" })]);
    await delivery.append([event(2, { assetId: "pixel-2" })]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    await delivery.append([event(3)]);
    await clock.advance(1_100);
    expect(await delivery.stats()).toMatchObject({
      waiting: 1,
      deadLetters: 1,
      destinations: [{ destinationId: "d1", entries: 1, dead: { rejected: 1 } }],
      counters: { delivered: 1, dead: { rejected: 1 } },
      paused: [],
    });
  });

  it("say how old the oldest payload is, dead letters included", async () => {
    const { clock, delivery } = await setup({
      settings: { lingerMs: 0 },
      answer: () => ({ status: "rejected", known: true, message: "no" }),
    });
    expect(await delivery.oldestPayloadMs()).toBeUndefined();
    await delivery.append([event(1)]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    const diedMs = clock.now();
    await clock.advance(3_600_000);
    await delivery.append([event(2)]);
    expect(Math.abs(((await delivery.oldestPayloadMs()) ?? 0) - diedMs)).toBeLessThan(2_000);
  });
});

describe("the soft bound", () => {
  it("refuses for a full destination before anything of it is stored, stores the rest, and takes the call again later", async () => {
    const { clock, delivery, storage } = await setup({ settings: { lingerMs: 0, maxQueuedItems: 3 } });
    await delivery.open([eventsOf({ tenantId: "b", destinationId: "d2" })]);
    const other = event("b", { tenantId: "b", destinationId: "d2" });
    const call = [event(4), event(5), other];
    await delivery.append([event(1), event(2)]);
    await clock.advance(1_100);
    await expect(delivery.append(call)).rejects.toMatchObject({
      code: "outbox_full",
      kind: "capacity",
      details: { destinationId: "d1", items: 2 },
    });
    await clock.advance(1_100);
    expect(await storage.outbox.depth()).toMatchObject([
      { destinationId: "d1", items: 2 },
      { destinationId: "d2", items: 1 },
    ]);
    await clock.run(delivery.drain({ maxMs: 1_000 }));
    await clock.advance(1_100);
    // The depth that is known is looked at anew in the background.
    await delivery.append([event(6)]).catch(() => {});
    expect(await delivery.append(call)).toEqual(["queued", "queued", "duplicate"]);
  });
});

describe("settings", () => {
  it.each([
    [{ lingerMs: Number.NaN }, "lingerMs"],
    [{ maxAttempts: 0 }, "maxAttempts"],
    [{ limitShare: 1.5 }, "limitShare"],
    [{ retryMinMs: -1 }, "retryMinMs"],
    [{ leaseMs: 20_000 }, "leaseMs"],
    [{ sweepEveryMs: "1h" as never }, "sweepEveryMs"],
  ])("%j that cannot work are refused when they are given", async (settings, setting) => {
    await expect(setup({ settings })).rejects.toMatchObject({
      code: "delivery_settings_invalid",
      details: { setting },
    });
  });
});
