import { memory } from "snapchat-destination/memory";
import { expect, it } from "vitest";
import { createWorker } from "../../examples/cloudflare-worker/worker.ts";
import { openShop, purchase } from "../snapchat/shop.ts";

it("examples/cloudflare-worker takes events in and delivers them when its cron trigger fires", async () => {
  // One storage, one key: the shop is set up by the platform, the worker only tracks and delivers.
  const storage = memory();
  const key = btoa("0123456789abcdefghijklmnopqrstuv");
  const shop = await openShop({ storage, encryptionKeys: [key] });
  const { clientId, clientSecret } = shop.simulator.world;
  const env = {
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    REDIRECT_URI: "http://127.0.0.1:8080/snapchat/callback",
    ENCRYPTION_KEY: key,
    INGEST_KEY: "ingest",
  };
  const options = {
    acceptLoss: true,
    endpoints: shop.simulator.endpoints,
    allowEndpoints: [shop.simulator.url],
    delivery: { lingerMs: 0 },
  };
  const worker = createWorker({ storage: () => storage, options });
  const post = (authorization: string) =>
    worker.fetch(
      new Request("https://worker.example/events/acme", {
        method: "POST",
        headers: { authorization },
        body: JSON.stringify([purchase("edge-1")]),
      }),
      env,
    );

  expect((await post("Bearer wrong")).status).toBe(401);
  expect(await (await post("Bearer ingest")).json()).toEqual([{ eventId: "edge-1", status: "queued" }]);
  expect(shop.simulator.inspect.events.counted).toBe(0);
  await worker.scheduled({}, env);
  expect(shop.simulator.inspect.events.counted).toBe(1);
  await shop.close();
});
