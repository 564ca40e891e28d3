import { createHash } from "node:crypto";
import { AckPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Snapchat } from "snapchat-destination";
import type { QueuedEvent } from "../queue-shop.ts";

export interface Queue {
  /** The stream, and the first part of its subjects. */
  name: string;
  partitions: number;
  /** How long a worker may be silent until its messages go to another. Milliseconds. */
  ackWaitMs: number;
}

/** Memberships have an order, events have none, so they lie in partitions of their own. */
export type Partition = { kind: "events" | "members"; index: number };

export const MAX_BATCH = 500;
export const partitionsOf = ({ partitions }: Queue): Partition[] =>
  Array.from({ length: partitions }, (_, index) => index).flatMap((index) => [
    { kind: "events" as const, index },
    { kind: "members" as const, index },
  ]);
export const consumerOf = ({ kind, index }: Partition): string => `${kind}-${index}`;
const subjectOf = ({ name }: Queue, { kind, index }: Partition): string => `${name}.${kind}.${index}`;
export const refusedSubject = ({ name }: Queue): string => `${name}.refused`;

/** The stream, and one durable consumer for each partition. Safe to repeat. */
export async function ensureQueue(manager: JetStreamManager, queue: Queue): Promise<void> {
  await manager.streams.add({ name: queue.name, subjects: [`${queue.name}.>`] });
  for (const partition of partitionsOf(queue)) {
    await manager.consumers.add(queue.name, {
      durable_name: consumerOf(partition),
      filter_subject: subjectOf(queue, partition),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(queue.ackWaitMs),
      max_ack_pending: 4 * MAX_BATCH,
    });
  }
}

export function createProducer(jetstream: JetStreamClient, queue: Queue, snapchat: Pick<Snapchat, "groupKey">) {
  return async function publish(queued: QueuedEvent): Promise<void> {
    const key = await snapchat.groupKey(queued.tenantId, queued.event);
    const index = createHash("sha256").update(key).digest().readUInt32BE() % queue.partitions;
    const kind = key.endsWith("/members") ? "members" : "events";
    await jetstream.publish(subjectOf(queue, { kind, index }), JSON.stringify(queued));
  };
}
