/** The other process of the conformance kit: `node job-process.ts '{"place":…,"job":…,"skewMs":…}'` prints the result. */
import { Redis } from "ioredis";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { type Job, runJob } from "../../src/testing/storage-kit/job.ts";
import { serviceUrl } from "../services.ts";
import { connect } from "./postgres-schemas.ts";
import { recordsOverSqlite } from "./records-over-sqlite.ts";
import type { Place } from "./spawn-job.ts";

const { place, job, skewMs } = JSON.parse(process.argv[2] ?? "") as { place: Place; job: Job; skewMs: number };

const now = Date.now;
Date.now = () => now() + skewMs;

const { storage, end } = await open(place);
console.log(JSON.stringify(await runJob(storage, job)));
await storage.close();
await end();

async function open(place: Place): Promise<{ storage: Storage; end: () => Promise<void> }> {
  if (place.adapter === "sqlite") return { storage: sqlite(place.path), end: async () => {} };
  if (place.adapter === "records") return { storage: recordsOverSqlite(place.path), end: async () => {} };
  if (place.adapter === "redis") {
    const client = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379");
    return { storage: redis(client, { prefix: place.prefix }), end: async () => client.disconnect() };
  }
  if (place.adapter === "postgres") {
    const pool = connect((await serviceUrl("postgres")) ?? "", { max: 2 });
    return { storage: postgres(pool, { schema: place.schema }), end: () => pool.end() };
  }
  throw new Error(`unknown adapter ${place.adapter}`);
}
