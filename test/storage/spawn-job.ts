import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, JobResult } from "../../src/testing/storage-kit/index.ts";

/** Where another process finds the data. */
export type Place =
  | { adapter: "sqlite" | "records"; path: string }
  | { adapter: "postgres"; url?: string; schema: string }
  | { adapter: "redis"; url?: string; prefix: string };

const script = fileURLToPath(new URL("job-process.ts", import.meta.url));

/** Runs a job of the conformance kit in a process of its own, its clock moved by `skewMs`. */
export function spawnJob(place: Place, job: Job, skewMs: number): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const input = JSON.stringify({ place, job, skewMs });
    execFile(process.execPath, [script, input], { timeout: 120_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`The process failed: ${stderr || error.message}`));
      else resolve(JSON.parse(stdout) as JobResult);
    });
  });
}
