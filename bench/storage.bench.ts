import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { memory } from "../src/memory/index.ts";
import { sqlite } from "../src/sqlite/index.ts";
import { storageFromRecords } from "../src/storage/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { benchStorage } from "../src/testing/index.ts";
import type { Bench } from "./row.ts";

const paths = new WeakMap<Storage, string>();

/** A storage in a file of its own. */
function onDisk(open: (path: string) => Storage) {
  return {
    create: async () => {
      const path = join(mkdtempSync(join(tmpdir(), "storage-bench-")), "bench.db");
      const storage = open(path);
      paths.set(storage, path);
      await storage.migrate();
      return storage;
    },
    destroy: async (storage: Storage) => {
      await storage.close();
      rmSync(dirname(paths.get(storage) ?? ""), { recursive: true });
    },
  };
}

function fromRecords(path: string): Storage {
  const base = sqlite(path);
  return storageFromRecords(base.records, {
    name: "storageFromRecords on SQLite",
    durability: "power-loss",
    shared: "machine",
    maxValueBytes: 400_000,
    migrate: () => base.migrate(),
    close: () => base.close(),
  });
}

/** What the calls of the ports cost on each engine. Reported: engines are compared with themselves of yesterday. */
export const rows: Bench = async ({ smoke }) => {
  const o = { rowMs: smoke ? 20 : 1_500 };
  const engines = [
    { create: async () => memory(), destroy: (storage: Storage) => storage.close() },
    onDisk((path) => sqlite(path)),
    onDisk(fromRecords),
  ];
  const all = [];
  for (const engine of engines) {
    const { storage, rows: found } = await benchStorage(engine, o);
    for (const { name, unit, perSecond, p99Ms } of found) {
      all.push({
        name: `${storage}: ${name} (p99 ${p99Ms} ms)`,
        value: perSecond,
        unit: `${unit}/s`,
        goals: [],
      });
    }
  }
  return all;
};
