import { randomBytes } from "node:crypto";
import { memory } from "snapchat-destination/memory";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Storage } from "../../src/storage/ports.ts";
import { entered, openSnapchat, purchase, shopWorkflow, signIn } from "../snapchat/shop.ts";

const KEY = randomBytes(32).toString("base64");
const CALLBACK = "http://127.0.0.1:8080/snapchat/callback";

let close: () => Promise<unknown> = async () => {};
afterEach(() => close());

/** The storage as a worker's process reaches it: `before` runs ahead of every pause. */
function reached(storage: Storage, before: () => Promise<unknown>): Storage {
  const outbox: Storage["outbox"] = Object.assign(Object.create(storage.outbox), {
    async pause(...call: Parameters<Storage["outbox"]["pause"]>) {
      await before();
      return storage.outbox.pause(...call);
    },
  });
  return Object.create(storage, { outbox: { value: outbox } }) as Storage;
}

describe("a person who signs in again", () => {
  it("in the moment in which another process finds the login lost leaves nothing on hold", async () => {
    const storage = memory();
    const web = await openSnapchat({ storage, encryptionKeys: [KEY] });
    const { simulator, snapchat } = web;
    let pauses = 0;
    let id = "";
    const worker = await openSnapchat({
      storage: reached(storage, async () => {
        pauses += 1;
        // The pause is decided and not done yet: the person is faster.
        if (pauses === 1) await signIn({ simulator, snapchat }, "acme", id);
      }),
      encryptionKeys: [KEY],
      app: { clientId: simulator.world.clientId, clientSecret: simulator.world.clientSecret, redirectUri: CALLBACK },
      endpoints: simulator.endpoints,
      allowEndpoints: [simulator.url],
    });
    close = async () => {
      await worker.snapchat.close();
      await snapchat.close();
      await worker.simulator.close();
      await simulator.close();
    };
    const acme = snapchat.tenant("acme");
    ({ id } = await acme.destinations.create({ name: "Shop" }));
    await signIn({ simulator, snapchat }, "acme", id);
    const { adAccount, pixel } = simulator.world.main;
    await acme.destinations.update(id, { adAccountId: adAccount.id, pixelId: pixel.id, workflow: shopWorkflow() });
    await acme.destinations.enable(id);
    simulator.control.revokeAccessTokens();
    simulator.control.revokeRefreshTokens();
    await acme.track([purchase("p-1"), entered("vip")]);

    await vi.waitUntil(
      async () => {
        await worker.snapchat.drain({ maxMs: 500 });
        return pauses > 0 && simulator.inspect.events.counted === 1 && simulator.inspect.segments().length === 1;
      },
      { timeout: 60_000 },
    );
    expect((await acme.destinations.get(id)).connection?.status).toBe("connected");
    expect((await storage.outbox.depth([id]))[0]?.paused ?? []).toEqual([]);
  });
});
