import { createHash } from "node:crypto";
import type { Records } from "../../storage/ports.ts";
import type { SegmentPlace } from "./interfaces.ts";
import type { SyncMode, SyncProgress } from "./progress.ts";

/** What is kept of a run, so that the same id goes on where it was. */
export interface RunRecord {
  mode: SyncMode | "hold";
  /** Where in the segment's order of changes it stands: what events say after it has begun goes before it. */
  position: number;
  startedAtMs: number;
  /** `removing`: the list has been read to its end and is not read again. */
  phase: SyncProgress["phase"];
  progress: SyncProgress;
}

const FORMAT = 1;
/** After that the same id is a new run. Milliseconds. */
const KEEP_MS = 40 * 86_400_000;

/** One name for everything a run stores, whatever the host calls it. */
export function runKeyOf(runId: string): string {
  return createHash("sha256").update(runId).digest("base64url").slice(0, 32);
}

function recordKey({ tenantId, destinationId, link }: SegmentPlace, runId: string): string {
  return `~run/${[tenantId, destinationId, link].map(encodeURIComponent).join("/")}/${runKeyOf(runId)}`;
}

export async function readRun(records: Records, segment: SegmentPlace, runId: string): Promise<RunRecord | undefined> {
  const record = await records.get(recordKey(segment, runId));
  if (!record || record.value[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(record.value.subarray(1)).toString("utf8")) as RunRecord;
}

export async function writeRun(records: Records, segment: SegmentPlace, runId: string, run: RunRecord): Promise<void> {
  const value = Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(run), "utf8")]);
  await records.put(recordKey(segment, runId), value, { ttlMs: KEEP_MS });
}
