/** The two ways an event gets its id, drawn in `docs/ids.md`, run over both of Snapchat's possible keys. */
import { randomUUID } from "node:crypto";
import { setToggle } from "snapchat-destination";
import type { Workflow } from "snapchat-destination/workflow";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createRouter } from "../../src/pixel/router.ts";
import { openPage } from "../simulator/page.ts";
import { openShop, purchase, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** A page of the shop with Snapchat's pixel on it. */
async function openShopPage() {
  const page = openPage("https://shop.example/thanks");
  page.snaptr("init", shop.simulator.world.main.pixel.id, {});
  await page.loadScript(shop.simulator.endpoints.pixelScript);
  return page;
}

/** Purchased makes two Snap events: the first keeps the id, the second has one of its own. */
function twoRules(): Workflow {
  let workflow = setToggle(shopWorkflow(), "Purchased", { server: true, client: true });
  const second = { id: "big", on: "Purchased", to: "CUSTOM_EVENT_4", server: true, client: true };
  workflow = { ...workflow, rules: [...workflow.rules, second] };
  return workflow;
}

describe.each([
  ["the id alone", false],
  ["the id and the event's name", true],
])("where Snapchat tells events apart by %s", (_, dedupeByName) => {
  beforeAll(async () => {
    shop.simulator.knobs.dedupeByName = dedupeByName;
    await shop.acme.destinations.update(shop.id, { workflow: twoRules() });
  });

  const counted = () => shop.simulator.inspect.events.counted;
  const hits = () => shop.simulator.inspect.pixelHits.length;
  /** The script sends when it likes. */
  const arrive = (before: number, count: number) => vi.waitUntil(() => hits() === before + count, { interval: 1 });
  const drain = () => shop.snapchat.drain({ maxMs: 10_000 });

  it("an event born in the browser keeps the id that was minted there, on both sides", async () => {
    const [before, hitsBefore] = [counted(), hits()];
    const page = await openShopPage();
    const { config } = await shop.acme.pixel.config(shop.id);
    const toServer: { id: string; event: object }[] = [];
    const pixel = {
      newId: randomUUID,
      track: (name: string, parameters: unknown) => page.snaptr("track", name, parameters),
    };
    const route = createRouter(pixel as never, config, (id, event) => toServer.push({ id, event }));
    const { eventId } = route({
      name: "Purchased",
      properties: { value: 20, currency: "GBP", order_id: `SO-${dedupeByName}` },
    });
    await arrive(hitsBefore, 2);
    expect(counted() - before).toBe(2);

    // The host's own SDK carries the id along, whatever id its event has besides.
    const [{ id } = { id: "" }] = toServer;
    expect(id).toBe(eventId);
    const own = purchase(`sdk-${dedupeByName}`);
    const properties = own.customProperties as Record<string, unknown>;
    Object.assign(properties, { snap_event_id: id, order_id: `SO-${dedupeByName}` });
    const [receipt] = await shop.acme.track([own]);
    expect(receipt?.eventId).toBe(id);
    await drain();
    const ids = shop.simulator.inspect.events
      .list()
      .slice(-2)
      .map((event) => event.eventId);
    expect(ids).toEqual([id, `${id}.CUSTOM_EVENT_4`]);
    expect(counted() - before).toBe(2);
    page.close();
  });

  it("an event born on the server has its source's id, and the page that answers it calls with that one", async () => {
    const [before, hitsBefore] = [counted(), hits()];
    const event = purchase(`born-${dedupeByName}`);
    await shop.acme.track([event]);
    const calls = await shop.acme.pixel.calls(shop.id, event);
    expect(
      calls.map(([, , name, parameters]) => [name, (parameters as { client_dedup_id: string }).client_dedup_id]),
    ).toEqual([
      ["PURCHASE", `born-${dedupeByName}`],
      ["CUSTOM_EVENT_4", `born-${dedupeByName}.CUSTOM_EVENT_4`],
    ]);
    const page = await openShopPage();
    for (const [, , name, parameters] of calls) page.snaptr("track", name, parameters);
    await arrive(hitsBefore, 2);
    await drain();
    expect(counted() - before).toBe(2);
    page.close();
  });

  it("an event without any id gets the same one in every process, whatever is switched on", async () => {
    const { event_id: _, ...nameless } = purchase(`nameless-${dedupeByName}`);
    const before = counted();
    const [first] = await shop.acme.track([nameless]);
    const off = setToggle(twoRules(), "purchased", { server: false, client: false });
    await shop.acme.destinations.update(shop.id, { workflow: off });
    const [again] = await shop.acme.track([nameless]);
    await shop.acme.destinations.update(shop.id, { workflow: twoRules() });
    expect(again?.eventId).toBe(first?.eventId);
    expect(first?.eventId).toMatch(/^[0-9a-f]{32}$/);
    await drain();
    expect(counted() - before).toBe(2);
    const { route } = await shop.acme.explain(shop.id, nameless);
    expect(route?.eventId).toMatchObject({ from: "digest", note: expect.stringContaining("computed") });
  });

  it("a checkout and the purchase of one order are two events, and an order id taken for an id is explained", async () => {
    const before = counted();
    let workflow = setToggle(twoRules(), "Checkout made", { server: true });
    const order = `SO-2-${dedupeByName}`;
    const both = (suffix: string) =>
      ["Checkout made", "Purchased"].map((event) => {
        const one = purchase(`${event}${suffix}${dedupeByName}`);
        Object.assign(one.customProperties as object, { order_id: order });
        return { ...one, event };
      });
    await shop.acme.destinations.update(shop.id, { workflow });
    await shop.acme.track(both("a"));
    await drain();
    expect(counted() - before).toBe(3);
    workflow = { ...workflow, dedupe: ["properties.order_id"] };
    await shop.acme.destinations.update(shop.id, { workflow });
    const { route } = await shop.acme.explain(shop.id, both("b")[0]);
    expect(route?.eventId).toMatchObject({ id: order, note: expect.stringContaining("same id") });
  });
});
