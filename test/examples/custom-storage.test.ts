import { testStorage } from "snapchat-destination/testing";
import { describe, test } from "vitest";
import { fileStorageKit } from "./file-storage-kit.ts";

// The five functions by every sentence about them, also between processes. What storageFromRecords builds on them takes
// minutes on files: test/long/custom-storage.test.ts.
const cases = testStorage(fileStorageKit).filter(
  ({ port, level, clock }) => ["records", "rules"].includes(port) && (clock === "test" || level === "processes"),
);

describe.concurrent("examples/custom-storage keeps the promises of five functions", () => {
  for (const { name, run } of cases) test(name, run);
});
