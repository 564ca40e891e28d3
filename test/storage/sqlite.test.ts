import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "../../src/sqlite/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { describeKit } from "./describe-kit.ts";
import { spawnJob } from "./spawn-job.ts";

const paths = new WeakMap<Storage, string>();

function open(path: string, clock: { now(): number } | undefined): Storage {
  const storage = sqlite(path, clock ? { clock } : {});
  paths.set(storage, path);
  return storage;
}

describeKit("sqlite", {
  create: async ({ clock }) => open(join(mkdtempSync(join(tmpdir(), "snapchat-sqlite-")), "test.db"), clock),
  reopen: async (storage, { clock }) => {
    await storage.close();
    return open(paths.get(storage) ?? "", clock);
  },
  destroy: async (storage) => {
    await storage.close();
    rmSync(join(paths.get(storage) ?? "", ".."), { recursive: true, force: true, maxRetries: 10 });
  },
  spawn: (storage, job, { skewMs }) => spawnJob({ adapter: "sqlite", path: paths.get(storage) ?? "" }, job, skewMs),
});
