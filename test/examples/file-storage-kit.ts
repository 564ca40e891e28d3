import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Storage } from "snapchat-destination/storage";
import type { StorageKitOptions } from "snapchat-destination/testing";
import { fileStorage } from "../../examples/custom-storage/file-storage.ts";

const run = promisify(execFile);
const paths = new WeakMap<Storage, string>();
const script = fileURLToPath(new URL("../../examples/custom-storage/kit-process.ts", import.meta.url));
const tsx = fileURLToPath(import.meta.resolve("tsx"));

function open(path: string, options: { clock?: { now(): number } }): Storage {
  const storage = fileStorage(path, options);
  paths.set(storage, path);
  return storage;
}
const pathOf = (storage: Storage): string => paths.get(storage) ?? "";

/** How the conformance kit makes, reopens and shares the storage of `examples/custom-storage`. */
export const fileStorageKit: StorageKitOptions = {
  create: async (options) => open(mkdtempSync(join(tmpdir(), "custom-storage-")), options),
  async reopen(storage, options) {
    await storage.close();
    return open(pathOf(storage), options);
  },
  async destroy(storage) {
    await storage.close();
    // Another process of the case may be writing its last file.
    await rm(pathOf(storage), { recursive: true, maxRetries: 10 });
  },
  async spawn(storage, job, { skewMs }) {
    const argument = JSON.stringify({ path: pathOf(storage), job, skewMs });
    const { stdout } = await run(process.execPath, ["--import", tsx, script, argument]);
    return JSON.parse(stdout);
  },
};
