import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "../../../src/sqlite/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import type { Place } from "../../storage/spawn-job.ts";

/** An engine that processes share, and what may happen to it while they do. */
export interface RunningEngine {
  /** Where the processes find it: through a proxy, where it is on the network. */
  place: Place;
  /** The test's own way to it. */
  storage: Storage;
  /** By name: a restart of the server, a cut, silence on the wire. Resolves when it is over. */
  breaks?: Readonly<Record<string, () => Promise<void> | void>>;
  stop(): Promise<void>;
}

/** Starts an engine with empty, migrated tables. */
export type ProcessEngine = () => Promise<RunningEngine>;

export const sqliteProcesses: ProcessEngine = async () => {
  const directory = mkdtempSync(join(tmpdir(), "processes-"));
  const path = join(directory, "outbox.db");
  const storage = sqlite(path);
  await storage.migrate();
  return {
    place: { adapter: "sqlite", path },
    storage,
    async stop() {
      await storage.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
};
