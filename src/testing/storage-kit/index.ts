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
import type { PortName, StorageCase, StorageKitOptions } from "./options.ts";

export { type Job, type JobResult, runJob } from "./job.ts";
export type { KitClock, PortName, StorageCase, StorageKitOptions } from "./options.ts";

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
      clock,
      run: () => run(one, options, clock),
    })),
  );
}

/**
 * With the engine's clock time is real, and a busy machine may stretch it. A case that fails is tried again with longer
 * times: a broken storage fails at any length.
 */
const UNITS = { test: [1_000], engine: [150, 600, 2_400] } as const;

async function run(one: Case, options: StorageKitOptions, clock: "engine" | "test"): Promise<void> {
  let failure: unknown;
  for (const unit of UNITS[clock]) {
    failure = await attempt(one, options, clock, unit);
    if (failure === undefined) return;
  }
  throw failure;
}

async function attempt(
  one: Case,
  options: StorageKitOptions,
  clock: "engine" | "test",
  unit: number,
): Promise<unknown> {
  const context = await createContext(options, clock, unit);
  try {
    await one.prove(context);
    return undefined;
  } catch (error) {
    return error instanceof Skip ? undefined : (error ?? new Error("the case threw nothing"));
  } finally {
    await options.destroy(context.storage);
  }
}

/** What {@link runStorageKit} found, to be printed, stored or compared. */
export interface StorageKitResult {
  storage: string;
  passed: number;
  failed: { name: string; port: PortName; message: string }[];
  /** Ports without a failed case. */
  ports: PortName[];
  seconds: number;
}

/** Runs the whole kit without a test runner, some cases at a time. */
export async function runStorageKit(
  options: StorageKitOptions,
  o: { atOnce?: number } = {},
): Promise<StorageKitResult> {
  const began = performance.now();
  const probe = await options.create({});
  const storage = probe.name;
  await options.destroy(probe);
  const cases = testStorage(options);
  const waiting = [...cases];
  const failed: StorageKitResult["failed"] = [];
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const { name, port } = one;
      await one.run().catch((error: unknown) => failed.push({ name, port, message: String(error) }));
    }
  };
  await Promise.all(Array.from({ length: o.atOnce ?? 8 }, work));
  const broken = new Set(failed.map(({ port }) => port));
  return {
    storage,
    passed: cases.length - failed.length,
    failed,
    ports: [...new Set(cases.map(({ port }) => port))].filter((port) => !broken.has(port)),
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
}
