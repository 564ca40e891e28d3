import type { Group, Storage } from "../../storage/ports.ts";

/** Work for another process: plain JSON, so that it can travel on a command line. */
export type Job =
  | { type: "append"; group: Group; prefix: string; count: number }
  | { type: "claim"; leaseMs: number }
  | { type: "consume"; leaseMs: number; until: number }
  | { type: "reserve"; key: string; perWindow: number; windowMs: number; count: number }
  | { type: "put"; key: string; ifVersion: number; tries: number }
  | { type: "now" };

/** What a job in another process answers. */
export interface JobResult {
  /** append: ids stored. claim: ids of one claim, left open. consume: ids settled. */
  ids: string[];
  /** reserve: times of the slots, in the engine's milliseconds. now: the engine's time. put: versions it was given. */
  times: number[];
}

const CLAIM = { maxItems: 5, maxBytes: 1_000_000 };

/**
 * Does a job of the conformance kit. Call it in the process that `spawn` starts, and hand its answer back.
 *
 * @example
 * ```ts
 * import { memory } from "snapchat-destination/memory";
 * import { runJob } from "snapchat-destination/testing";
 *
 * const result = await runJob(memory(), { type: "now" });
 * console.log(JSON.stringify(result));
 * ```
 */
export async function runJob(storage: Storage, job: Job): Promise<JobResult> {
  const result: JobResult = { ids: [], times: [] };
  if (job.type === "now") {
    result.times.push(await storage.records.now());
  } else if (job.type === "put") {
    await put(storage, job, result);
  } else if (job.type === "append") {
    for (let index = 0; index < job.count; index++) {
      const id = `${job.prefix}${index}`;
      await storage.outbox.append([{ id, group: job.group, priority: 0, items: 1, payload: new Uint8Array([index]) }]);
      result.ids.push(id);
    }
  } else if (job.type === "claim") {
    const claim = await storage.outbox.claim({ ...CLAIM, owner: `process ${process.pid}`, leaseMs: job.leaseMs });
    result.ids.push(...(claim?.entries.map((entry) => entry.id) ?? []));
  } else if (job.type === "consume") {
    await consume(storage, job, result);
  } else {
    await reserve(storage, job, result);
  }
  return result;
}

/** Counts a record up by compare-and-set. */
async function put(storage: Storage, job: Extract<Job, { type: "put" }>, result: JobResult): Promise<void> {
  const { records } = storage;
  let { ifVersion } = job;
  let count = 0;
  for (let tries = 0; tries < job.tries; tries++) {
    try {
      ifVersion = await records.put(job.key, new Uint8Array([count + 1]), { ifVersion });
      count++;
      result.times.push(ifVersion);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "version_conflict") throw error;
      const found = await records.get(job.key);
      ifVersion = found?.version ?? 0;
      count = found?.value[0] ?? 0;
    }
  }
}

async function consume(storage: Storage, job: Extract<Job, { type: "consume" }>, result: JobResult): Promise<void> {
  const began = performance.now();
  const owner = `process ${process.pid}`;
  while (result.ids.length < job.until && performance.now() - began < 20_000) {
    const claim = await storage.outbox.claim({ ...CLAIM, owner, leaseMs: job.leaseMs });
    if (!claim) {
      const [depth] = await storage.outbox.depth();
      if (depth && depth.entries > 0) continue;
      return;
    }
    const ids = claim.entries.map((entry) => entry.id);
    const settled = await storage.outbox.settle(
      claim,
      ids.map((id) => ({ id })),
    );
    if (settled === "settled") result.ids.push(...ids);
  }
}

async function reserve(storage: Storage, job: Extract<Job, { type: "reserve" }>, result: JobResult): Promise<void> {
  const scope = { key: job.key, perWindow: job.perWindow, windowMs: job.windowMs };
  const began = performance.now();
  while (result.times.length < job.count && performance.now() - began < 20_000) {
    const before = await storage.records.now();
    const answer = await storage.slots?.reserve([scope], 2);
    if (answer && "inMs" in answer) result.times.push(...answer.inMs.map((inMs) => before + inMs));
    else await new Promise((resolve) => setTimeout(resolve, Math.min(answer?.retryInMs ?? 10, 50)));
  }
}
