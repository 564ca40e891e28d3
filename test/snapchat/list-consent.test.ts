import { sha256Hex } from "snapchat-destination/identity";
import { afterEach, expect, it } from "vitest";
import { definePlugin } from "../../src/plugins/index.ts";
import { openShop, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

const held = () => {
  const segment = shop.simulator.inspect.segments().find(({ name }) => name === "vip");
  return segment ? shop.simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
};

it("a person who is forgotten while a list with them is on its way does not enter", async () => {
  shop = await openShop();
  const { acme, id, snapchat } = shop;
  const worker = snapchat.startWorker();
  async function* list() {
    yield { email: "stays@example.com" };
    // The run has begun; its page is queued after this.
    await acme.people.forget({ email: "goes@example.com" });
    yield { email: "goes@example.com" };
  }
  await acme.segments.sync(id, "vip", list(), { runId: "a" });
  expect(held()).toEqual(new Set([sha256Hex("stays@example.com")]));
  await worker.stop();
});

it("who does not agree to be in lists is left out of a mirror, and leaves if they were in", async () => {
  const refused = new Set<string>();
  const plugin = definePlugin({
    name: "consents",
    consent: ({ personKey }, purpose) => (purpose === "audiences" ? !refused.has(personKey ?? "") : undefined),
  });
  shop = await openShop({ plugins: [plugin] });
  const { acme, id, snapchat } = shop;
  const worker = snapchat.startWorker();
  const list = ["a", "b", "c"].map((name) => ({ email: `${name}@example.com`, personKey: name }));
  await acme.segments.sync(id, "vip", list, { runId: "a" });
  refused.add("b");
  const done = await acme.segments.sync(id, "vip", list, { runId: "b" });
  expect(done).toMatchObject({ removed: 1, unusable: { consent_denied: 1 } });
  expect(held()).toEqual(new Set(["a@example.com", "c@example.com"].map(sha256Hex)));
  await worker.stop();
});
