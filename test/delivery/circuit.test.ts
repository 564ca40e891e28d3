import { describe, expect, it } from "vitest";
import { nextDelay } from "../../src/delivery/backoff.ts";
import { createCircuits } from "../../src/delivery/circuit.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { DELIVERED, event, eventsOf, seeded, setup } from "./support.ts";

const FAILED = { status: "retry", known: true, code: "http_503" } as const;

function opened() {
  const clock = createFakeClock();
  const circuits = createCircuits({ clock, random: seeded(2), retry: { minMs: 5_000, maxMs: 900_000 } });
  for (let n = 0; n < 5; n++) circuits.report("a", false);
  const waitMs = circuits.open()[0]?.retryInMs ?? 0;
  return { clock, circuits, waitMs };
}

describe("a circuit", () => {
  it("lets everything pass until the fifth failure in a row", () => {
    const circuits = createCircuits({ clock: createFakeClock(), random: seeded(2), retry: { minMs: 1, maxMs: 1 } });
    for (const ok of [false, false, false, false, true, false, false, false, false]) circuits.report("a", ok);
    expect(circuits.enter("a").pass).toBe(true);
    expect(circuits.report("a", false)).toBe("opened");
    expect(circuits.enter("b").pass).toBe(true);
  });

  it("is tried with one request at a time, which may come back without an answer", async () => {
    const { clock, circuits, waitMs } = opened();
    expect(circuits.enter("a")).toEqual({ pass: false, retryInMs: waitMs });
    await clock.advance(waitMs);
    const probe = circuits.enter("a");
    expect(probe.pass).toBe(true);
    expect(circuits.enter("a").pass).toBe(false);
    if (probe.pass) probe.leave();
    expect(circuits.enter("a").pass).toBe(true);
  });

  it("comes back step by step: two, four, eight at a time", async () => {
    const { clock, circuits, waitMs } = opened();
    await clock.advance(waitMs);
    const room: number[] = [];
    for (let step = 0; step < 4; step++) {
      const inside = [];
      for (let passage = circuits.enter("a"); passage.pass; passage = circuits.enter("a")) inside.push(passage);
      room.push(inside.length);
      for (const passage of inside) passage.leave();
      circuits.report("a", true);
    }
    expect(room).toEqual([1, 2, 4, 8]);
    circuits.report("a", true);
    for (let n = 0; n < 100; n++) expect(circuits.enter("a").pass).toBe(true);
  });

  it("opens again at the first failure while it comes back", async () => {
    const { clock, circuits, waitMs } = opened();
    await clock.advance(waitMs);
    expect(circuits.report("a", true)).toBe("closed");
    expect(circuits.report("a", false)).toBe("opened");
    expect(circuits.enter("a").pass).toBe(false);
  });

  it("counts a request that leaves twice once", async () => {
    const { clock, circuits, waitMs } = opened();
    await clock.advance(waitMs);
    const probe = circuits.enter("a");
    if (probe.pass) for (let n = 0; n < 2; n++) probe.leave();
    expect([circuits.enter("a").pass, circuits.enter("a").pass]).toEqual([true, false]);
  });

  it("tells of a change once, and of none where there was none", async () => {
    const { clock, circuits, waitMs } = opened();
    expect(circuits.report("a", false)).toBeUndefined();
    expect([circuits.report("b", true), circuits.report("b", false), circuits.report("b", true)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await clock.advance(waitMs);
    expect([circuits.report("a", true), circuits.report("a", true)]).toEqual(["closed", undefined]);
  });

  it("says how long it is still open", async () => {
    const { clock, circuits, waitMs } = opened();
    await clock.advance(1_000);
    expect(circuits.open()).toEqual([{ asset: "a", retryInMs: waitMs - 1_000 }]);
    await clock.advance(waitMs);
    expect(circuits.open()).toEqual([{ asset: "a", retryInMs: 0 }]);
  });
});

it("a wait lies between the smallest and three times the last, and never above the largest", () => {
  const bounds = { minMs: 1_000, maxMs: 10_000 };
  const waits = [0, 0.5, 1].map((random) => nextDelay(2_000, () => random, bounds));
  expect(waits).toEqual([1_000, 3_500, 6_000]);
  expect(nextDelay(undefined, () => 1, bounds)).toBe(3_000);
  expect(nextDelay(9_000, () => 1, bounds)).toBe(10_000);
});

it("an asset that fails is left alone, and no other asset, credential or tenant notices", async () => {
  const { clock, delivery, events, seen } = await setup({
    lookMs: 1_000,
    settings: { lingerMs: 0 },
    answer: ({ assetId, atMs }) => (assetId === "pixel-1" && atMs < 600_000 ? FAILED : DELIVERED),
  });
  await delivery.open([eventsOf({ name: "events/pixel-2" })]);
  const worker = delivery.startWorker();
  for (let n = 0; n < 60; n++) {
    await delivery.append([event(n), event(`other-${n}`, { assetId: "pixel-2" })]);
    await clock.advance(10_000);
  }
  const sent = (assetId: string) => events.sent.filter((request) => request.assetId === assetId);
  expect(sent("pixel-2")).toHaveLength(60);
  expect(sent("pixel-1").length).toBeLessThan(20);
  expect(seen.map(({ type }) => type)).toContain("circuit_opened");
  expect((await delivery.health()).problems.map(({ code }) => code)).toContain("circuit_open");
  await clock.advance(60 * 60_000);
  expect(delivery.counters.delivered).toBe(120);
  expect(seen.map(({ type }) => type)).toContain("circuit_closed");
  expect((await delivery.health()).ok).toBe(true);
  await clock.run(worker.stop());
});
