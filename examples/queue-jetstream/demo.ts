import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { end, membership, openQueueShop, purchase, report, startProcess, until } from "../queue-shop.ts";
import { consumerOf, createProducer, ensureQueue, partitionsOf, type Queue } from "./queue.ts";

export interface DemoOptions {
  nats: string;
  say(line: string): void;
  /** How the worker's process runs TypeScript. Node does by itself from 22.18. */
  execArgv?: readonly string[];
}

const EVENTS = 300;

/**
 * Two workers are killed in the middle of a request, before and after Snapchat has taken it; a third works the queue off.
 * Answers what Snapchat has in the end.
 */
export async function demo({ nats, say, execArgv = [] }: DemoOptions) {
  const shop = await openQueueShop();
  const connection = await connect({ servers: nats });
  const manager = await jetstreamManager(connection);
  const queue: Queue = { name: `shop-${randomUUID()}`, partitions: 2, ackWaitMs: 2_000 };
  const { simulator } = shop;
  const start = () =>
    startProcess(fileURLToPath(new URL("worker.ts", import.meta.url)), { ...shop.settings, nats, queue }, execArgv);
  let worker: ReturnType<typeof start> | undefined;
  try {
    await ensureQueue(manager, queue);
    const publish = createProducer(jetstream(connection), queue, shop.snapchat);
    for (let n = 0; n < EVENTS; n++) await publish(purchase(n));
    for (const email of ["ann@example.com", "bob@example.com"]) await publish(membership("added_to_segment", email));
    await publish(membership("removed_from_segment", "bob@example.com"));
    say(`${EVENTS} purchases and three memberships wait in the stream ${queue.name}.`);

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
      const infos = await Promise.all(
        partitionsOf(queue).map((p) => manager.consumers.info(queue.name, consumerOf(p))),
      );
      return infos.every((info) => info.num_pending + info.num_ack_pending === 0);
    }, "the stream is worked off");
    await end(worker, "SIGTERM");
    return report(simulator, EVENTS, say);
  } finally {
    if (worker) await end(worker, "SIGKILL");
    await manager.streams.delete(queue.name).catch(() => {});
    await connection.close();
    await shop.close();
  }
}
