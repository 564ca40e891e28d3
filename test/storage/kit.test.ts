import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { memory } from "../../src/memory/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { benchStorage, runStorageKit, type StorageKitOptions, testStorage } from "../../src/testing/index.ts";

const onMemory: StorageKitOptions = {
  create: async ({ clock }) => memory(clock ? { clock } : {}),
  destroy: (storage) => storage.close(),
  clocks: ["test"],
};

const changed = (change: (storage: Storage) => Storage): StorageKitOptions => ({
  ...onMemory,
  create: async (o) => change(await onMemory.create(o)),
});

describe("the conformance kit", () => {
  it("gives every case a name of its own", () => {
    const names = testStorage({ ...onMemory, clocks: ["engine", "test"] }).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("runs under Node's own test runner", async () => {
    const file = fileURLToPath(new URL("kit-under-node-test.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", file]);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(new RegExp(`^# pass ${testStorage(onMemory).length}$`, "m"));
  });

  it("runs without a test runner and answers plain JSON", async () => {
    const result = await runStorageKit(onMemory);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(result).toMatchObject({ storage: "memory", portVersion: 1, failed: [] });
    expect(result.levels).toEqual({
      core: "passed",
      members: "passed",
      journal: "passed",
      slots: "passed",
      processes: "absent",
      transactions: "absent",
    });
    expect(result.passed + result.skipped.length).toBe(testStorage(onMemory).length);
    expect(result.skipped.map(({ reason }) => reason)).toContain("no transactions");
  });

  it("says which case failed and what the storage cannot be used for", async () => {
    const result = await runStorageKit(
      changed((storage) => ({ ...storage, journal: { ...storage.journal!, find: async () => ({ items: [] }) } })),
    );
    expect(result.levels).toMatchObject({ core: "passed", journal: "failed", slots: "passed" });
    expect(result.failed.map(({ port, level }) => `${port} ${level}`)).toContain("journal journal");
    expect(result.failed[0]?.message).toMatch(/Expected/);
  });

  it("leaves out the ports a storage does not have", async () => {
    const result = await runStorageKit(changed(({ members: _m, journal: _j, slots: _s, ...storage }) => storage));
    expect(result.failed).toEqual([]);
    expect(result.levels).toMatchObject({ core: "passed", members: "absent", journal: "absent", slots: "absent" });
  });

  it("does not believe what it is not shown: processes, transactions, restarts", async () => {
    const claimed = changed((storage) => ({
      ...storage,
      capabilities: { ...storage.capabilities, durability: "power-loss", shared: "network", transactions: true },
    }));
    const { failed } = await runStorageKit({ ...claimed, clocks: ["engine", "test"] });
    const messages = failed.map(({ message }) => message).join("\n");
    expect(messages).toContain("a storage that is shared needs `spawn`");
    expect(messages).toContain("a storage with transactions needs `transaction`");
    expect(messages).toContain("a storage whose durability is not none needs `reopen`");
  });

  it("measures what delivery lives on", async () => {
    const bench = await benchStorage(onMemory, { rowMs: 5, callers: 2 });
    expect(bench.storage).toBe("memory");
    expect(bench.rows.map(({ unit }) => unit)).toEqual(
      expect.arrayContaining(["entries", "records", "slots", "operations"]),
    );
    for (const row of bench.rows) {
      expect(row.perSecond, row.name).toBeGreaterThan(0);
      expect(row.p99Ms).toBeGreaterThanOrEqual(row.p50Ms);
    }
  });
});
