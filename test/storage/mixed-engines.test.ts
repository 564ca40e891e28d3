import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memory } from "../../src/memory/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { storageFromRecords } from "../../src/storage/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { entered, openShop, purchase } from "../snapchat/shop.ts";
import { describeKit } from "./describe-kit.ts";
import { mapRecords } from "./map-records.ts";

/** Records and outbox in a file, members and journal on five functions, slots in memory: an engine per port. */
function mixed(path: string, clock?: { now(): number }): Storage {
  const file = sqlite(path, clock ? { clock } : {});
  const onRecords = storageFromRecords(mapRecords(clock ? () => clock.now() : undefined), {
    name: "map",
    durability: "process",
    shared: "process",
    maxValueBytes: 400_000,
  });
  return {
    ...file,
    name: "mixed",
    capabilities: { ...file.capabilities, durability: "none", shared: "process" },
    members: onRecords.members!,
    journal: onRecords.journal!,
    slots: memory(clock ? { clock } : {}).slots!,
  };
}

const directories = new WeakMap<Storage, string>();

describeKit("an engine per port", {
  clocks: ["test"],
  create: async ({ clock }) => {
    const directory = mkdtempSync(join(tmpdir(), "snapchat-mixed-"));
    const storage = mixed(join(directory, "test.db"), clock);
    directories.set(storage, directory);
    return storage;
  },
  destroy: async (storage) => {
    await storage.close();
    rmSync(directories.get(storage) ?? "", { recursive: true, force: true, maxRetries: 10 });
  },
});

describe("a shop on an engine per port", () => {
  it("delivers events and members", async () => {
    const directory = mkdtempSync(join(tmpdir(), "snapchat-mixed-"));
    const shop = await openShop({ storage: mixed(join(directory, "test.db")) });
    await shop.acme.track([purchase("a"), purchase("b"), entered("vip")]);
    const report = await shop.snapchat.drain({ maxMs: 20_000 });
    expect(report).toBeDefined();
    expect(shop.simulator.inspect.events).toMatchObject({ received: 2, counted: 2 });
    const [segment] = shop.simulator.inspect.segments();
    expect(segment?.members).toMatchObject({ EMAIL_SHA256: 1 });
    await shop.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  });
});
