import { DelayedError, type Job, Queue, UnrecoverableError, Worker } from "bullmq";
import type { SendOutcome, Snapchat } from "snapchat-destination";
import type { QueuedEvent } from "../queue-shop.ts";
import { createBatch } from "./batch.ts";
import { EVENTS, memberQueue, type Place } from "./queue.ts";

const EVENTS_AT_ONCE = 500;

/** Workers for every queue. Any number of processes may have them; `close` finishes what is in hand. */
export async function startWorkers(place: Place, snapchat: Pick<Snapchat, "sendNow">) {
  const { connection, prefix, lockMs, partitions } = place;
  const shared = {
    connection,
    prefix,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // A job that outlives a hundred workers is looked at by a person; the default gives it up after the second.
    maxStalledCount: 100,
  };

  const send = createBatch<QueuedEvent, SendOutcome>((events) => snapchat.sendNow(events, { maxWaitMs: 5_000 }), {
    max: EVENTS_AT_ONCE,
    lingerMs: 50,
  });
  const events = new Worker<QueuedEvent>(
    EVENTS,
    async (job, token) => {
      const outcome = await send(job.data).catch(() => undefined);
      if (outcome && !waits(outcome)) return settle(outcome);
      await job.moveToDelayed(Date.now() + waitOf(outcome), token);
      throw new DelayedError();
    },
    { ...shared, concurrency: EVENTS_AT_ONCE },
  );

  const members = await Promise.all(
    Array.from({ length: partitions }, async (_, index) => {
      const queue = new Queue(memberQueue(index), { connection, prefix });
      // One job among all processes. One whose worker was killed counts until it is found stalled, and is the next then.
      await queue.setGlobalConcurrency(1);
      const work = async ({ data }: Job<QueuedEvent>) => {
        const [outcome] = await snapchat.sendNow([data], { ordered: true }).catch(() => []);
        if (outcome && !waits(outcome)) return settle(outcome);
        // The queue waits and the job stays its first: delayed, it would be overtaken.
        await queue.rateLimit(waitOf(outcome));
        throw Worker.RateLimitError();
      };
      return { queue, worker: new Worker<QueuedEvent>(queue.name, work, shared) };
    }),
  );

  const workers = [events, ...members.map(({ worker }) => worker)];
  // A connection that broke is made again; without a listener BullMQ prints it.
  for (const worker of workers) worker.on("error", () => {});
  return {
    async close(): Promise<void> {
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all(members.map(({ queue }) => queue.close()));
    },
  };
}

const waits = ({ status }: SendOutcome): boolean => status === "retry" || status === "paused";

/** How long; without an outcome the storage did not answer, and nobody knows what would be sent. */
const waitOf = (outcome: SendOutcome | undefined): number => outcome?.retryAfterMs ?? 2_000;

/** Refused ones stay among the failed jobs, with the reason, where support looks. */
function settle({ status, parts }: SendOutcome): void {
  if (status !== "rejected") return;
  throw new UnrecoverableError(parts.map(({ reason }) => reason ?? "unknown").join(", "));
}
