/** The simulator in a process of its own: says where it listens and what a sender needs, then counts on demand. */
import { createSimulator } from "../src/testing/simulator/index.ts";

const simulator = await createSimulator({ keep: "counts" });
const { main } = simulator.world;
process.send?.({
  url: simulator.url,
  endpoints: simulator.endpoints,
  pixelId: main.pixel.id,
  token: main.conversionsToken,
});
process.on("message", (message) => {
  if (message === "count") process.send?.(simulator.inspect.events.counted);
  if (message === "end") void simulator.close().then(() => process.exit(0));
});
process.on("disconnect", () => process.exit(0));
