import { randomBytes } from "node:crypto";
import { createSnapchat } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
import { enableAcme, purchase } from "../acme.ts";
import { createWorker } from "./worker.ts";

/** Calls the Worker's handlers as Cloudflare does, on Node, against a simulated Snapchat. */
export async function walk(print: (line: string) => void): Promise<void> {
  const simulator = await createSimulator();
  const { clientId, clientSecret } = simulator.world;
  const env = {
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    REDIRECT_URI: "https://cdp.example/snapchat/callback",
    ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    INGEST_KEY: "ingest",
  };
  const storage = memory();
  const options = { acceptLoss: true, endpoints: simulator.endpoints, allowEndpoints: [simulator.url] };
  // The platform sets the destination up: the worker only takes in and delivers.
  const app = { clientId, clientSecret, redirectUri: env.REDIRECT_URI };
  const platform = createSnapchat({ app, storage, encryptionKeys: [env.ENCRYPTION_KEY], ...options });
  await enableAcme(platform, simulator);

  const worker = createWorker({ storage: () => storage, options: { ...options, delivery: { lingerMs: 0 } } });
  const post = (key: string) =>
    worker.fetch(
      new Request("https://worker.example/events/acme", {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify([purchase("order-1")]),
      }),
      env,
    );
  print(`POST /events/acme with a wrong key: ${(await post("wrong")).status}`);
  const taken = await post(env.INGEST_KEY);
  print(`POST /events/acme: ${taken.status} ${await taken.text()}`);
  print(`Snapchat counted: ${simulator.inspect.events.counted}`);
  await worker.scheduled({}, env);
  print(`The cron trigger fired. Snapchat counted: ${simulator.inspect.events.counted}`);

  await platform.close();
  await simulator.close();
}
