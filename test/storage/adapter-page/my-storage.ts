import { type Storage, storageFromRecords } from "../../../src/storage/index.ts";
import { myRecords } from "./my-records.ts";

export function myStorage(path: string, options: { clock?: { now(): number } } = {}): Storage {
  const records = myRecords(path, options.clock);
  return storageFromRecords(records, {
    name: "my-engine",
    durability: "power-loss",
    shared: "machine",
    maxValueBytes: 1_000_000,
    close: async () => records.close(),
  });
}
