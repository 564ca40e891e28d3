/** The simulator in a process of its own: prints where it listens and what a sender needs, then counts on demand. */
import { createSimulator } from "../src/testing/index.ts";

const simulator = await createSimulator();
const { main } = simulator.world;
process.send?.({
  conversions: simulator.endpoints.conversions,
  pixelId: main.pixel.id,
  token: main.conversionsToken,
});
process.on("message", (message) => {
  if (message === "count") process.send?.({ counted: simulator.snapshot().events });
  if (message === "end") void simulator.close().then(() => process.exit(0));
});
process.on("disconnect", () => process.exit(0));
