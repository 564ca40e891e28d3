import { presets, type Snapchat, setToggle } from "snapchat-destination";
import type { Simulator } from "snapchat-destination/testing";

/** Gives the tenant `acme` a destination that sends purchases to the simulated Snapchat; answers its id. */
export async function enableAcme(snapchat: Snapchat, simulator: Simulator): Promise<string> {
  const { main } = simulator.world;
  const { destinations } = snapchat.tenant("acme");
  const { id } = await destinations.create({ name: "Snapchat, Acme UK" });
  await destinations.update(id, {
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    serverSide: true,
    workflow: setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true }),
  });
  await destinations.enable(id);
  return id;
}

export const purchase = (messageId: string) => ({
  type: "track",
  event: "Order Completed",
  messageId,
  timestamp: new Date().toISOString(),
  context: { traits: { email: "jane@example.com" }, page: { url: "https://shop.example/thanks" } },
  properties: { order_id: messageId, revenue: 64.5, currency: "GBP" },
});
