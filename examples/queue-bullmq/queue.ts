import { createHash } from "node:crypto";
import { type ConnectionOptions, Queue } from "bullmq";
import type { Snapchat } from "snapchat-destination";
import type { QueuedEvent } from "../queue-shop.ts";

/** Where the queue lies. */
export interface Place {
  connection: ConnectionOptions;
  /** Of every key in Redis. */
  prefix: string;
  partitions: number;
  /** How long a worker may be silent until its jobs go to another. Milliseconds. */
  lockMs: number;
}

export const EVENTS = "events";
export const memberQueue = (index: number): string => `members-${index}`;

/**
 * Events have no order and share one queue. Memberships have one, and BullMQ keeps it only for a queue whose jobs are
 * worked on one at a time: each partition is a queue of its own.
 */
export function openQueues({ connection, prefix, partitions }: Place, snapchat: Pick<Snapchat, "groupKey">) {
  const names = [EVENTS, ...Array.from({ length: partitions }, (_, index) => memberQueue(index))];
  const queues = new Map(names.map((name) => [name, new Queue(name, { connection, prefix })]));
  return {
    all: [...queues.values()],
    async publish(queued: QueuedEvent): Promise<void> {
      const key = await snapchat.groupKey(queued.tenantId, queued.event);
      const index = createHash("sha256").update(key).digest().readUInt32BE() % partitions;
      const queue = queues.get(key.endsWith("/members") ? memberQueue(index) : EVENTS);
      // Refused ones stay for support; what went well is gone at once.
      await queue?.add("event", queued, { removeOnComplete: true });
    },
  };
}
