/**
 * An event of your own, counted by a Snapchat on this machine: no account, no service, no browser. The text between the
 * marks is that of docs/start.md, to the letter; a test runs it.
 */
// #region imports
import { randomBytes } from "node:crypto";
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator } from "snapchat-destination/testing";
// #endregion

export async function firstEvent(print: (text: string) => void) {
  // #region start
  // A Snapchat that judges, counts and forgets.
  const simulator = await createSimulator();
  const { main } = simulator.world;
  const snapchat = createSnapchat({
    app: { clientId: "none-yet", clientSecret: "none-yet", redirectUri: "http://127.0.0.1/callback" },
    // Give it a path to keep it, and leave acceptLoss out.
    storage: sqlite(":memory:"),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    // These two lines go when you are done playing.
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
  });

  const acme = snapchat.tenant("acme");
  const shop = await acme.destinations.create({ name: "Snapchat, Acme UK" });
  await acme.destinations.update(shop.id, {
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    serverSide: true,
    workflow: setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true }),
  });
  await acme.destinations.enable(shop.id);

  const [receipt] = await acme.track([
    {
      type: "track",
      event: "Order Completed",
      messageId: "order-10442",
      timestamp: new Date().toISOString(),
      context: { traits: { email: "jane@example.com" }, page: { url: "https://shop.example/thanks" } },
      properties: { order_id: "10442", revenue: 64.5, currency: "GBP" },
    },
  ]);
  print(`The receipt says: ${receipt?.status}`);
  // Why, where it is not queued.
  for (const { status, words } of receipt?.parts ?? []) {
    if (status === receipt?.status && words) print(`${words.message} ${words.fix}`);
  }
  // In a server: snapchat.startWorker().
  await snapchat.drain({ maxMs: 5_000 });
  for (const { event } of simulator.inspect.events.list()) print(`Snapchat received: ${JSON.stringify(event)}`);
  print(`Snapchat counted: ${simulator.inspect.events.counted}`);

  await snapchat.close();
  await simulator.close();
  // #endregion
}
