import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FromRecordsOptions, storageFromRecords } from "../../src/storage/index.ts";
import type { Records, Storage } from "../../src/storage/ports.ts";
import type { KitClock } from "../../src/testing/storage-kit/index.ts";
import { describeKit } from "./describe-kit.ts";
import { mapRecords } from "./map-records.ts";
import { recordsOverSqlite } from "./records-over-sqlite.ts";
import { spawnJob } from "./spawn-job.ts";

const onMap: FromRecordsOptions = { name: "map", durability: "process", shared: "process", maxValueBytes: 400_000 };
const recordsOf = new WeakMap<Storage, Records>();

function overMap(records: Records): Storage {
  const storage = storageFromRecords(records, onMap);
  recordsOf.set(storage, records);
  return storage;
}

describeKit("storageFromRecords, on a Map", {
  create: async ({ clock }) => overMap(mapRecords(clock ? () => clock.now() : undefined)),
  reopen: async (storage) => {
    await storage.close();
    return overMap(recordsOf.get(storage) ?? mapRecords());
  },
  destroy: (storage) => storage.close(),
});

const paths = new WeakMap<Storage, string>();

function overSqlite(path: string, clock?: KitClock): Storage {
  const storage = recordsOverSqlite(path, clock);
  paths.set(storage, path);
  return storage;
}

describeKit("storageFromRecords, on the records of SQLite", {
  create: async ({ clock }) => overSqlite(join(mkdtempSync(join(tmpdir(), "snapchat-records-")), "test.db"), clock),
  reopen: async (storage, { clock }) => {
    await storage.close();
    return overSqlite(paths.get(storage) ?? "", clock);
  },
  destroy: async (storage) => {
    await storage.close();
    rmSync(join(paths.get(storage) ?? "", ".."), { recursive: true, force: true, maxRetries: 10 });
  },
  spawn: (storage, job, { skewMs }) => spawnJob({ adapter: "records", path: paths.get(storage) ?? "" }, job, skewMs),
});
