import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { end, membership, openQueueShop, purchase, report, startProcess, until } from "../queue-shop.ts";
import { openQueues, type Place } from "./queue.ts";

export interface DemoOptions {
  redis: string;
  say(line: string): void;
  /** How the worker's process runs TypeScript. Node does by itself from 22.18. */
  execArgv?: readonly string[];
}

const EVENTS = 300;

/**
 * Two workers are killed in the middle of a request, before and after Snapchat has taken it; a third works the queue off.
 * Answers what Snapchat has in the end.
 */
export async function demo({ redis, say, execArgv = [] }: DemoOptions) {
  const shop = await openQueueShop();
  const { simulator } = shop;
  const place: Place = { connection: { url: redis }, prefix: `shop-${randomUUID()}`, partitions: 2, lockMs: 2_000 };
  const queues = openQueues(place, shop.snapchat);
  const script = fileURLToPath(new URL("worker.ts", import.meta.url));
  const start = () => startProcess(script, { ...shop.settings, place }, execArgv);
  let worker: ReturnType<typeof start> | undefined;
  try {
    for (let n = 0; n < EVENTS; n++) await queues.publish(purchase(n));
    for (const email of ["ann@example.com", "bob@example.com"]) {
      await queues.publish(membership("added_to_segment", email));
    }
    await queues.publish(membership("removed_from_segment", "bob@example.com"));
    say(`${EVENTS} purchases and three memberships wait in Redis under ${place.prefix}.`);

    // Once before Snapchat has taken the request, once after: nothing may be lost, nothing counted twice.
    for (const fault of [{ halfOpen: true }, { timeoutAfterAcceptance: "hang" }] as const) {
      const struck = simulator.faults.add({ path: /\/v3\/[^/]+\/events$/, count: 1, ...fault });
      worker = start();
      await until(() => struck.hits > 0, "a request is on its way");
      await end(worker, "SIGKILL");
      say("The worker was killed before it heard Snapchat's answer. Another one starts.");
    }

    worker = start();
    await until(async () => {
      const counts = await Promise.all(queues.all.map((queue) => queue.getJobCounts("wait", "active", "delayed")));
      return counts.every((count) => Object.values(count).every((n) => n === 0));
    }, "the queues are worked off");
    await end(worker, "SIGTERM");
    return report(simulator, EVENTS, say);
  } finally {
    if (worker) await end(worker, "SIGKILL");
    for (const queue of queues.all) {
      await queue.obliterate({ force: true });
      await queue.close();
    }
    await shop.close();
  }
}
