import type { Storage } from "../../storage/ports.ts";
import type { Job, JobResult } from "./job.ts";

/** Time of the test. Given to `create`, the storage has to use it instead of its engine's. */
export interface KitClock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** How the kit gets the storage it judges. */
export interface StorageKitOptions {
  /** An empty, migrated storage that shares nothing with any other one created here. */
  create(o: { clock?: KitClock }): Promise<Storage>;
  /**
   * The same data as after a restart of the process: `storage` is closed by it and another one is opened on its data.
   * Absent: cases about restarts are left out, which only durability `none` may do.
   */
  reopen?(storage: Storage, o: { clock?: KitClock }): Promise<Storage>;
  /** Closes the storage and removes its data. */
  destroy(storage: Storage): Promise<void>;
  /**
   * Runs `runJob(storage, job)` in another process, on the data of `storage`, with that process's `Date.now()` moved by
   * `skewMs`. Absent: cases about several processes are left out, which only a storage shared by no other process may do.
   */
  spawn?(storage: Storage, job: Job, o: { skewMs: number }): Promise<JobResult>;
  /** A transaction of the host's; has to be there with `capabilities.transactions`. */
  transaction?(storage: Storage): Promise<{
    tx: unknown;
    /** Ends it; what was appended is there. */
    commit(): Promise<void>;
    /** Ends it; nothing was appended. */
    rollback(): Promise<void>;
  }>;
  /** Which clocks to run with. Default both. */
  clocks?: readonly ("engine" | "test")[];
}

/**
 * What a storage can be used for:
 * - `core`: records and outbox. Without it nothing works.
 * - `members`: segments that mirror, renew and are re-made.
 * - `journal`: `receipts.find()`.
 * - `slots`: limits by the engine itself. Without it they are kept on records.
 * - `processes`: several processes on one storage.
 * - `transactions`: `track(events, { tx })`.
 */
export type Level = "core" | "members" | "journal" | "slots" | "processes" | "transactions";

/** What a case is about. */
export type PortName = "rules" | "records" | "outbox" | "members" | "journal" | "slots";

/** One promise of the contract, as a test for any test runner. */
export interface StorageCase {
  /** The sentence, with the port in front and the clock behind: `"records: expired is absent [test clock]"`. */
  name: string;
  port: PortName;
  sentence: string;
  level: Level;
  clock: "engine" | "test";
  /** Rejects when the promise is broken. */
  run(): Promise<void>;
  /** The same; answers whether it was left out, because the storage does not claim what it is about. */
  judge(): Promise<CaseOutcome>;
}

/** How a case ended that did not fail. */
export type CaseOutcome = { status: "passed" } | { status: "skipped"; reason: string };
