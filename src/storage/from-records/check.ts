import type { Finding, Records, Storage } from "../ports.ts";
import { newToken } from "./keys.ts";
import { isConflict } from "./retry.ts";

const SKEW_MS = 1_000;

/** What a probe of the five functions says about the engine. */
export async function checkRecords(
  records: Records,
  { durability, shared }: Pick<Storage["capabilities"], "durability" | "shared">,
): Promise<Finding[]> {
  const found: Finding[] = [];
  if (durability === "none") {
    found.push({
      code: "durability_none",
      severity: "problem",
      message: "What is stored is lost when the process ends.",
      fix: "Use an engine that keeps it, in production.",
    });
  }
  if (durability === "process") {
    found.push({
      code: "durability_process",
      severity: "warning",
      message: "The engine was said to lose the last moments when the machine stops, also of what was acknowledged.",
      fix: "Let it wait for the disk, unless losing them is fine.",
    });
  }
  const key = `~outbox/check/${newToken()}`;
  const value = new Uint8Array([1]);
  const o = { ifVersion: 0, ttlMs: 60_000 };
  const puts = await Promise.allSettled([1, 2, 3, 4].map(() => records.put(key, value, o)));
  const won = puts.filter(({ status }) => status === "fulfilled").length;
  const other = puts.find((put) => put.status === "rejected" && !isConflict(put.reason)) as
    | PromiseRejectedResult
    | undefined;
  if (other) {
    found.push({
      code: "not_writable",
      severity: "problem",
      message: `A record could not be written (${(other.reason as { code?: string }).code ?? "unknown"}).`,
      fix: "Look at the engine and at this program's rights on it.",
    });
  } else if (won !== 1) {
    found.push({
      code: "no_compare_and_set",
      severity: "problem",
      message: `Of four puts at once that want the record not to exist ${won} succeeded.`,
      fix: "Let put() compare and write in one step of the engine; run the conformance kit.",
    });
  }
  if (!other && (await reusesVersions(records, key, value))) {
    found.push({
      code: "versions_reused",
      severity: "problem",
      message: "A record that was deleted and written again has a version it had before.",
      fix: "Take versions from a counter that outlives the record; run the conformance kit.",
    });
  }
  const skewMs = Math.abs((await records.now()) - Date.now());
  if (shared !== "process" && skewMs > SKEW_MS) {
    found.push({
      code: "clock_skew",
      severity: "warning",
      message: `The engine's clock and this process's are ${Math.round(skewMs)} ms apart.`,
      fix: "Synchronise the clocks of both machines.",
    });
  }
  return found;
}

async function reusesVersions(records: Records, key: string, value: Uint8Array): Promise<boolean> {
  const before = (await records.get(key))?.version ?? 0;
  await records.delete(key);
  const after = await records.put(key, value, { ttlMs: 60_000 });
  await records.delete(key);
  return after <= before;
}
