/**
 * A host's process that mirrors a list of many people, to be killed at any moment: its worker, its storage and its run are
 * all in it. Reports lines of JSON: memory at rest, progress with the largest memory so far, the end.
 */
import { createSnapchat } from "../../../src/index.ts";
import { openDatabase } from "./mirror-database.ts";
import { addressOf, type MemoryHeld, type MirrorOrder } from "./mirror-order.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as MirrorOrder;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const megabytes = () => Math.round(process.memoryUsage().rss / 1e6);

/** What the process holds, by where it lies. Megabytes. */
function held(): MemoryHeld {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  return {
    rssMb: mb(rss),
    heapUsedMb: mb(heapUsed),
    heapMb: mb(heapTotal),
    externalMb: mb(external),
    buffersMb: mb(arrayBuffers),
  };
}

const database = await openDatabase(order);
const snapchat = createSnapchat({
  app: order.app,
  storage: database.storage,
  encryptionKeys: [order.key],
  endpoints: order.endpoints,
  allowEndpoints: [order.url],
  delivery: { memberLingerMs: 0, ...order.delivery },
});
const acme = snapchat.tenant("acme");
await acme.segments.list(order.destinationId);
const worker = snapchat.startWorker();
// Whatever the first use of anything loads is no part of a list's memory.
await acme.segments.sync(order.destinationId, "warm", members(1_000), { runId: "warm" });
globalThis.gc?.();
const idleMb = megabytes();
say({ idleMb });

let peak = held();
const sampling = setInterval(() => {
  if (process.memoryUsage.rss() / 1e6 > peak.rssMb + 0.5) peak = held();
}, 20);

function* members(count: number) {
  for (let n = 0; n < count; n++) yield { email: addressOf(n, order), personKey: `p${n}` };
}

const startedAt = performance.now();
const done = await acme.segments.sync(order.destinationId, order.segment, members(order.count), {
  runId: order.runId,
  onProgress: ({ phase, read, requests }) => say({ phase, read, requests, idleMb, peak, rssMb: megabytes() }),
});
say({ done, peak, idleMb, ms: Math.round(performance.now() - startedAt) });
clearInterval(sampling);
await worker.stop();
await snapchat.close();
await database.close();
