import type { Storage } from "../../storage/ports.ts";
import { append } from "./cases/append.ts";
import type { Case } from "./cases/case.ts";
import { claim } from "./cases/claim.ts";
import { journal } from "./cases/journal.ts";
import { keeping } from "./cases/keeping.ts";
import { members } from "./cases/members.ts";
import { records } from "./cases/records.ts";
import { rules } from "./cases/rules.ts";
import { settle } from "./cases/settle.ts";
import { slots } from "./cases/slots.ts";
import { createContext, Skip } from "./context.ts";
import type { CaseOutcome, Level, PortName, StorageCase, StorageKitOptions } from "./options.ts";

export { type BenchRow, type BenchStorageOptions, benchStorage, type StorageBench } from "./bench.ts";
export { type Job, type JobResult, runJob } from "./job.ts";
export type { CaseOutcome, KitClock, Level, PortName, StorageCase, StorageKitOptions } from "./options.ts";

const ALL: readonly Case[] = [
  ...rules,
  ...records,
  ...append,
  ...claim,
  ...settle,
  ...keeping,
  ...members,
  ...journal,
  ...slots,
];

/**
 * The conformance kit: one case for every sentence of the storage contract, for any test runner. Every case works on a
 * storage of its own, so they may run at the same time.
 *
 * @example
 * ```ts
 * import { test } from "node:test";
 * import { memory } from "snapchat-destination/memory";
 * import { testStorage } from "snapchat-destination/testing";
 *
 * const cases = testStorage({
 *   create: async ({ clock }) => memory(clock ? { clock } : {}),
 *   destroy: (storage) => storage.close(),
 * });
 * for (const { name, run } of cases) test(name, run);
 * ```
 */
export function testStorage(options: StorageKitOptions): StorageCase[] {
  return (options.clocks ?? ["test", "engine"]).flatMap((clock) =>
    ALL.filter((one) => one.clock === undefined || one.clock === clock).map((one) => ({
      name: `${one.port}: ${one.sentence} [${clock === "test" ? "the test's clock" : "the engine's clock"}]`,
      port: one.port,
      sentence: one.sentence,
      level: one.level,
      clock,
      run: async () => void (await judge(one, options, clock)),
      judge: () => judge(one, options, clock),
    })),
  );
}

/**
 * With the engine's clock time is real, and a busy machine may stretch it. A case that fails is tried again with longer
 * times: a broken storage fails at any length.
 */
const UNITS = { test: [1_000], engine: [150, 600, 2_400] } as const;

async function judge(one: Case, options: StorageKitOptions, clock: "engine" | "test"): Promise<CaseOutcome> {
  let failure: unknown;
  for (const unit of UNITS[clock]) {
    const result = await attempt(one, options, clock, unit);
    if ("status" in result) return result;
    failure = result.failure;
  }
  throw failure;
}

async function attempt(
  one: Case,
  options: StorageKitOptions,
  clock: "engine" | "test",
  unit: number,
): Promise<CaseOutcome | { failure: unknown }> {
  const context = await createContext(options, clock, unit);
  try {
    await one.prove(context);
    return { status: "passed" };
  } catch (error) {
    if (error instanceof Skip) return { status: "skipped", reason: error.message };
    return { failure: error ?? new Error("the case threw nothing") };
  } finally {
    await options.destroy(context.storage);
  }
}

/** What {@link runStorageKit} found, to be printed, stored or compared. Plain JSON. */
export interface StorageKitResult {
  storage: string;
  portVersion: number;
  capabilities: Storage["capabilities"];
  /** `absent`: the storage does not claim it. A storage is usable when `core` passed. */
  levels: Record<Level, "passed" | "failed" | "absent">;
  passed: number;
  failed: { name: string; port: PortName; level: Level; message: string }[];
  skipped: { name: string; reason: string }[];
  seconds: number;
}

/**
 * Runs the whole kit without a test runner, some cases at a time.
 *
 * @example
 * ```ts
 * import { memory } from "snapchat-destination/memory";
 * import { runStorageKit } from "snapchat-destination/testing";
 *
 * const result = await runStorageKit({
 *   create: async ({ clock }) => memory(clock ? { clock } : {}),
 *   destroy: (storage) => storage.close(),
 * });
 * console.log(JSON.stringify(result, null, 2));
 * process.exitCode = result.failed.length > 0 ? 1 : 0;
 * ```
 */
export async function runStorageKit(
  options: StorageKitOptions,
  o: { atOnce?: number } = {},
): Promise<StorageKitResult> {
  const began = performance.now();
  const probe = await options.create({});
  const { name: storage, portVersion, capabilities } = probe;
  await options.destroy(probe);
  const result: StorageKitResult = {
    storage,
    portVersion,
    capabilities,
    levels: { ...ABSENT },
    passed: 0,
    failed: [],
    skipped: [],
    seconds: 0,
  };
  const waiting = testStorage(options);
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const { name, port, level } = one;
      try {
        const outcome = await one.judge();
        if (outcome.status === "skipped") {
          result.skipped.push({ name, reason: outcome.reason });
          continue;
        }
        result.passed++;
        if (result.levels[level] === "absent") result.levels[level] = "passed";
      } catch (error) {
        result.failed.push({ name, port, level, message: String(error) });
        result.levels[level] = "failed";
      }
    }
  };
  await Promise.all(Array.from({ length: o.atOnce ?? 8 }, work));
  result.seconds = Math.round((performance.now() - began) / 100) / 10;
  return result;
}

const ABSENT = {
  core: "absent",
  members: "absent",
  journal: "absent",
  slots: "absent",
  processes: "absent",
  transactions: "absent",
} as const satisfies StorageKitResult["levels"];
