/**
 * What would happen to an event, and why, before it happens. The text between the marks is that of docs/start.md, to the
 * letter; a test runs it.
 */
// #region imports
import { randomBytes } from "node:crypto";
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
// #endregion

export async function askWhy(print: (text: string) => void) {
  // #region ask
  const simulator = await createSimulator();
  const { main } = simulator.world;
  const snapchat = createSnapchat({
    app: { clientId: "none-yet", clientSecret: "none-yet", redirectUri: "http://127.0.0.1/callback" },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
  });
  const acme = snapchat.tenant("acme");
  const shop = await acme.destinations.create({ name: "Snapchat, Acme UK" });
  await acme.destinations.update(shop.id, {
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    workflow: setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true }),
  });
  await acme.destinations.enable(shop.id);

  const order = {
    type: "track",
    event: "Order Completed",
    messageId: "order-10442",
    timestamp: new Date().toISOString(),
    context: { traits: { email: "jane@example.com" }, page: { url: "https://shop.example/thanks" } },
    properties: { order_id: "10442", revenue: 64.5, currency: "GBP" },
  };
  const questions = {
    "as it is": order,
    "without a currency": { ...order, properties: { ...order.properties, currency: undefined } },
    "another event": { ...order, event: "Product Added" },
  };
  for (const [what, event] of Object.entries(questions)) {
    const { parts } = await acme.explain(shop.id, event);
    for (const { channel, status, words } of parts) {
      if (channel === "server") print(`${what}: ${status}. ${words ? `${words.message} ${words.fix}` : ""}`);
    }
  }

  await snapchat.close();
  await simulator.close();
  // #endregion
}
