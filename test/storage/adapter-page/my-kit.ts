import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Storage } from "../../../src/storage/index.ts";
import { testStorage } from "../../../src/testing/index.ts";
import { myStorage } from "./my-storage.ts";

const run = promisify(execFile);
const paths = new WeakMap<Storage, string>();

function open(path: string, options: { clock?: { now(): number } }): Storage {
  const storage = myStorage(path, options);
  paths.set(storage, path);
  return storage;
}
const pathOf = (storage: Storage): string => paths.get(storage) ?? "";

const cases = testStorage({
  // Empty, migrated, sharing nothing. With a clock every call uses its time: the kit jumps 48 hours.
  create: async (options) => open(join(mkdtempSync(join(tmpdir(), "my-storage-")), "data.db"), options),
  // As after a restart.
  async reopen(storage, options) {
    await storage.close();
    return open(pathOf(storage), options);
  },
  async destroy(storage) {
    await storage.close();
    rmSync(dirname(pathOf(storage)), { recursive: true });
  },
  // A job in another process, whose own clock is off by `skewMs`.
  async spawn(storage, job, { skewMs }) {
    const script = fileURLToPath(new URL("my-process.ts", import.meta.url));
    const { stdout } = await run(process.execPath, [script, JSON.stringify({ path: pathOf(storage), job, skewMs })]);
    return JSON.parse(stdout);
  },
});

describe("my storage", { concurrency: 8 }, () => {
  for (const { name, run } of cases) test(name, run);
});
