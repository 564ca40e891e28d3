/**
 * An event of your own, counted by a Snapchat on this machine: no account, no service, no browser. The text between the
 * marks is that of docs/start.md, to the letter; a test runs it.
 */
export async function firstEvent(print: (text: string) => void) {
  // #region start
  const { randomBytes } = await import("node:crypto");
  const { createSnapchat, presets, setToggle } = await import("snapchat-destination");
  const { sqlite } = await import("snapchat-destination/sqlite");
  const { createSimulator } = await import("snapchat-destination/testing");

  const simulator = await createSimulator(); //            a Snapchat that judges, counts and forgets
  const { main } = simulator.world;
  const snapchat = createSnapchat({
    app: { clientId: "none-yet", clientSecret: "none-yet", redirectUri: "http://127.0.0.1/callback" },
    storage: sqlite(":memory:"), //                        a path, to keep it
    acceptLoss: true, //                                   leave this out with a path
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints, //                     these two lines go when you are done playing
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
  await snapchat.drain({ maxMs: 5_000 }); //               in a server: snapchat.startWorker()
  print(`Snapchat counted: ${simulator.inspect.events.counted}`);

  await snapchat.close();
  await simulator.close();
  // #endregion
}
