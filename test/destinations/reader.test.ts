import { describe, expect, it } from "vitest";
import { createWorld, PIXEL } from "./fakes/world.ts";

describe("the destinations of the hot path", () => {
  it("answers without a promise and without the storage while it is young, and refreshes itself behind the scenes", async () => {
    const { destinations, enabledShop, clock, records } = createWorld();
    await enabledShop();
    const calls = () => records.calls.get + records.calls.list;
    const before = calls();
    for (let i = 0; i < 1_000; i++) expect(destinations.enabledDestinations("acme")).toHaveLength(1);
    expect(calls()).toBe(before);
    clock.advance(1_000);
    const first = destinations.enabledDestinations("acme");
    expect(first).not.toBeInstanceOf(Promise);
    await new Promise(setImmediate);
    expect(calls()).toBe(before + 1);
    for (let i = 0; i < 100; i++) {
      clock.advance(1_000);
      expect(destinations.enabledDestinations("acme")).toBe(first);
      await new Promise(setImmediate);
    }
    // One look at the stamp a second, and a full load every minute: the tenant and its list.
    expect(calls() - before).toBeLessThanOrEqual(101 + 2 * 2);
  });

  it("shows a change of another process within 2 seconds, however long it was not asked", async () => {
    const here = createWorld();
    const there = createWorld(here);
    const { id } = await here.enabledShop();
    expect(await there.destinations.enabledDestinations("acme")).toMatchObject([{ serverSide: true }]);
    await here.destinations.update("acme", id, { serverSide: false });
    here.clock.advance(2_000);
    expect(await there.destinations.enabledDestinations("acme")).toMatchObject([{ serverSide: false }]);
    await here.destinations.disable("acme", id);
    here.clock.advance(60_000);
    expect(await there.destinations.enabledDestinations("acme")).toEqual([]);
  });

  it("shows its own changes at once, and does not keep a load that had read before them", async () => {
    const { destinations, enabledShop, clock, records } = createWorld();
    const { id } = await enabledShop();
    clock.advance(61_000);
    let goOn = () => {};
    const list = records.list.bind(records);
    records.list = async (prefix, o) => {
      const page = await list(prefix, o);
      if (prefix.startsWith("destination/")) await new Promise<void>((resolve) => (goOn = resolve));
      return page;
    };
    const running = destinations.enabledDestinations("acme");
    await new Promise(setImmediate);
    records.list = list;
    await destinations.update("acme", id, { name: "New" });
    goOn();
    expect(await running).toMatchObject([{ name: "New" }]);
    expect(destinations.enabledDestinations("acme")).toMatchObject([{ name: "New" }]);
  });

  it("keeps the object of a destination that did not change, so that its compiled workflow is kept too", async () => {
    const { destinations, enabledShop } = createWorld();
    await enabledShop();
    const second = await enabledShopNamed(destinations);
    const [first] = await destinations.enabledDestinations("acme");
    await destinations.update("acme", second, { name: "Changed" });
    expect((await destinations.enabledDestinations("acme"))[0]).toBe(first);
  });

  it("rejects once what it knows is too old and the storage does not answer, and recovers", async () => {
    const { destinations, enabledShop, clock, records } = createWorld();
    await enabledShop();
    const get = records.get.bind(records);
    records.get = async () => {
      throw new Error("gone");
    };
    clock.advance(1_500);
    expect(destinations.enabledDestinations("acme")).toHaveLength(1);
    await new Promise(setImmediate);
    clock.advance(600);
    await expect(destinations.enabledDestinations("acme")).rejects.toThrow("gone");
    records.get = get;
    expect(await destinations.enabledDestinations("acme")).toHaveLength(1);
  });

  it("hears of changes at once where the engine can watch", async () => {
    const here = createWorld();
    const heard: ((key: string) => void)[] = [];
    here.records.watch = async function* (prefix: string, signal: AbortSignal) {
      while (!signal.aborted) {
        const key = await new Promise<string>((resolve) => heard.push(resolve));
        if (key.startsWith(prefix)) yield key;
      }
    };
    const there = createWorld(here);
    const stop = new AbortController();
    void there.context.reader.watch(stop.signal);
    const { id } = await here.enabledShop();
    await there.destinations.enabledDestinations("acme");
    await here.destinations.update("acme", id, { name: "New" });
    for (const tell of heard) tell("stamp/acme");
    await new Promise(setImmediate);
    expect(await there.destinations.enabledDestinations("acme")).toMatchObject([{ name: "New" }]);
    stop.abort();
  });
});

async function enabledShopNamed(destinations: ReturnType<typeof createWorld>["destinations"]): Promise<string> {
  const { id } = await destinations.create("acme", { name: "Second" });
  await destinations.update("acme", id, { pixelId: PIXEL, conversionsToken: "second-token-canary" });
  await destinations.enable("acme", id);
  return id;
}
