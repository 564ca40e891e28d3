import { type Storage, storageFromRecords } from "snapchat-destination/storage";
import { fileRecords } from "./file-records.ts";

/** A storage in a directory, for the processes of one machine. */
export function fileStorage(directory: string, options: { clock?: { now(): number } } = {}): Storage {
  const records = fileRecords(directory, options.clock);
  return storageFromRecords(records, {
    name: "files",
    durability: "power-loss",
    shared: "machine",
    maxValueBytes: 1_000_000,
    close: () => records.close(),
  });
}
