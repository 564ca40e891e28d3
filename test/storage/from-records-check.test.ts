import { describe, expect, it } from "vitest";
import { storageError } from "../../src/storage/errors.ts";
import { type FromRecordsOptions, storageFromRecords } from "../../src/storage/index.ts";
import type { Records } from "../../src/storage/ports.ts";
import { mapRecords } from "./map-records.ts";

const ENGINE: FromRecordsOptions = { name: "map", durability: "power-loss", shared: "process", maxValueBytes: 400_000 };

/** What check() says of five functions, some of them broken. */
async function codes(broken: Partial<Records>, options: Partial<FromRecordsOptions> = {}): Promise<string[]> {
  const storage = storageFromRecords({ ...mapRecords(), ...broken }, { ...ENGINE, ...options });
  return (await storage.check()).map(({ code }) => code);
}

describe("check() of an engine in five functions", () => {
  it("finds nothing wrong with one that keeps its word", async () => {
    expect(await codes({})).toEqual([]);
  });

  it("names a put that compares and writes in two steps", async () => {
    const good = mapRecords();
    const put: Records["put"] = async (key, value, { ifVersion, ...o } = {}) => {
      const known = await good.get(key);
      if (ifVersion !== undefined && ifVersion !== (known?.version ?? 0))
        throw storageError("version_conflict", "Changed.", "Read again.");
      return good.put(key, value, o);
    };
    expect(await codes({ ...good, put })).toContain("no_compare_and_set");
  });

  it("names versions that begin again after a delete", async () => {
    const good = mapRecords();
    const versions = new Map<string, number>();
    const put: Records["put"] = async (key, value, o = {}) => {
      const { ifVersion, ...rest } = o;
      if (ifVersion === 0 && versions.has(key)) throw storageError("version_conflict", "Changed.", "Read again.");
      const version = (versions.get(key) ?? 0) + 1;
      versions.set(key, version);
      await good.put(key, value, rest);
      return version;
    };
    const get: Records["get"] = async (key) => {
      const found = await good.get(key);
      return found && { ...found, version: versions.get(key) ?? 0 };
    };
    const remove: Records["delete"] = async (key) => {
      versions.delete(key);
      return good.delete(key);
    };
    expect(await codes({ ...good, put, get, delete: remove })).toEqual(["versions_reused"]);
  });

  it("names an engine that takes no writes", async () => {
    const put = async () => {
      throw storageError("unavailable", "Read-only.", "Grant the right.");
    };
    expect(await codes({ put })).toEqual(["not_writable"]);
  });

  it("names a clock that is apart, where another machine's counts", async () => {
    const now = async () => Date.now() + 5_000;
    expect(await codes({ now }, { shared: "network" })).toEqual(["clock_skew"]);
    expect(await codes({ now })).toEqual([]);
  });

  it("warns of what an engine was said to lose", async () => {
    expect(await codes({}, { durability: "process" })).toEqual(["durability_process"]);
    expect(await codes({}, { durability: "none" })).toEqual(["durability_none"]);
  });
});
