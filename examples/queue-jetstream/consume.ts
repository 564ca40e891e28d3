import { setTimeout as delay } from "node:timers/promises";
import type { Consumer, JetStreamClient, JsMsg } from "@nats-io/jetstream";
import type { SendOutcome, Snapchat, TenantEvent } from "snapchat-destination";
import type { QueuedEvent } from "../queue-shop.ts";
import { consumerOf, MAX_BATCH, type Partition, type Queue, refusedSubject } from "./queue.ts";

export interface ConsumeOptions {
  jetstream: JetStreamClient;
  queue: Queue;
  snapchat: Pick<Snapchat, "sendNow">;
  signal: AbortSignal;
}

type Job = { message: JsMsg; event: TenantEvent };

/** Works one partition off until the signal. Any number of processes may do so at once. */
export async function consume(partition: Partition, options: ConsumeOptions): Promise<void> {
  const { jetstream, queue, snapchat, signal } = options;
  const consumer = await jetstream.consumers.get(queue.name, consumerOf(partition));
  const ordered = partition.kind === "members";
  while (!signal.aborted) {
    const messages = ordered ? await allThatIsOut(consumer, options) : await fetch(consumer);
    if (messages.length === 0) continue;
    const jobs = messages.flatMap(read);
    const stopWorking = keepAlive(messages, queue.ackWaitMs);
    try {
      if (ordered) await inOrder(jobs, options);
      else {
        const outcomes = await snapchat.sendNow(
          jobs.map(({ event }) => event),
          { maxWaitMs: 5_000, signal },
        );
        await settle(jobs, outcomes, options);
        await pauseIfAll(outcomes, signal);
      }
    } catch {
      // The storage does not answer: nobody knows what would be sent. What is not acknowledged comes again.
      for (const { message } of jobs) message.nak(1_000 + Math.random() * 2_000);
    } finally {
      stopWorking();
    }
  }
}

async function fetch(consumer: Consumer, max = MAX_BATCH): Promise<JsMsg[]> {
  const messages: JsMsg[] = [];
  for await (const message of await consumer.fetch({ max_messages: max, expires: 1_000 })) messages.push(message);
  return messages;
}

/**
 * The next messages of a partition whose order counts. They may be sent only while nobody else holds any of the
 * partition: a process that was killed a moment ago holds older ones, which come again after `ackWaitMs`. Until then what
 * is in hand is kept; if two hold and wait for each other, one of them lets go.
 */
async function allThatIsOut(consumer: Consumer, { queue, signal }: ConsumeOptions): Promise<JsMsg[]> {
  const held = await fetch(consumer);
  if (held.length === 0) return held;
  const patienceEnds = performance.now() + queue.ackWaitMs * (1.5 + Math.random());
  while (!signal.aborted && performance.now() < patienceEnds) {
    const { num_ack_pending } = await consumer.info();
    if (num_ack_pending === held.length) return held.sort((a, b) => a.seq - b.seq);
    for (const message of held) message.working();
    const more = await fetch(consumer, Math.max(1, MAX_BATCH - held.length));
    const known = new Set(held.map(({ seq }) => seq));
    held.push(...more.filter(({ seq }) => !known.has(seq)));
  }
  for (const message of held) message.nak(Math.random() * queue.ackWaitMs);
  return [];
}

/** The partition waits for its first message: a later one may not overtake it, whatever it takes. */
async function inOrder(jobs: Job[], options: ConsumeOptions): Promise<void> {
  const { snapchat, signal } = options;
  let waiting = jobs;
  while (waiting.length > 0 && !signal.aborted) {
    const outcomes = await snapchat.sendNow(
      waiting.map(({ event }) => event),
      { ordered: true, signal },
    );
    const first = outcomes.findIndex(({ status }) => status === "retry" || status === "paused");
    const end = first < 0 ? waiting.length : first;
    await settle(waiting.slice(0, end), outcomes.slice(0, end), options);
    waiting = waiting.slice(end);
    await delay(Math.max(0, ...outcomes.map((one) => one.retryAfterMs ?? 0)), undefined, { signal }).catch(() => {});
  }
}

async function settle(jobs: readonly Job[], outcomes: readonly SendOutcome[], o: ConsumeOptions): Promise<void> {
  for (const [i, { message, event }] of jobs.entries()) {
    const { status, eventId, parts, retryAfterMs } = outcomes[i] as SendOutcome;
    if (status === "retry" || status === "paused") {
      message.nak(retryAfterMs ?? 5_000);
      continue;
    }
    if (status === "rejected") {
      // Kept where support looks, without what the event says about a person.
      await o.jetstream.publish(refusedSubject(o.queue), JSON.stringify({ tenantId: event.tenantId, eventId, parts }));
    }
    // With an answer: an acknowledgement that is lost lets the message come again.
    await message.ackAck();
  }
}

/** Where a person has to act first, for everything in the batch, asking for more would only turn messages in circles. */
async function pauseIfAll(outcomes: readonly SendOutcome[], signal: AbortSignal): Promise<void> {
  if (outcomes.length === 0 || outcomes.some(({ status }) => status !== "paused")) return;
  const waits = outcomes.map(({ retryAfterMs }) => retryAfterMs ?? 5_000);
  await delay(Math.min(...waits), undefined, { signal }).catch(() => {});
}

function read(message: JsMsg): Job[] {
  try {
    const { tenantId, event, receivedAt } = message.json<QueuedEvent>();
    return [{ message, event: { tenantId, event, receivedAt } }];
  } catch {
    // It will never be readable; the server tells of it on $JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.
    message.term();
    return [];
  }
}

/** Says that the work goes on, until it is done. */
function keepAlive(messages: readonly JsMsg[], ackWaitMs: number): () => void {
  const timer = setInterval(() => {
    for (const message of messages) message.working();
  }, ackWaitMs / 3);
  return () => clearInterval(timer);
}
