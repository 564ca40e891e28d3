/** The other process of the conformance kit: `node job-process.ts '{"place":…,"job":…,"skewMs":…}'` prints the result. */
import { type Job, runJob } from "../../src/testing/storage-kit/job.ts";
import { openPlace } from "./open-place.ts";
import type { Place } from "./spawn-job.ts";

const { place, job, skewMs } = JSON.parse(process.argv[2] ?? "") as { place: Place; job: Job; skewMs: number };

const now = Date.now;
Date.now = () => now() + skewMs;

const { storage, end } = await openPlace(place);
console.log(JSON.stringify(await runJob(storage, job)));
await storage.close();
await end();
