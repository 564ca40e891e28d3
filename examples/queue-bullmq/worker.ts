import { type HostSettings, openSnapchat } from "../queue-shop.ts";
import { startWorkers } from "./consume.ts";
import type { Place } from "./queue.ts";

/** One of any number of processes that work the queues off. SIGTERM lets it finish what it has in hand. */
const { place, ...host }: HostSettings & { place: Place } = JSON.parse(process.argv[2] ?? "");
const snapchat = openSnapchat(host);
const workers = await startWorkers(place, snapchat);
process.once("SIGTERM", async () => {
  await workers.close();
  await snapchat.close();
});
