import { describe, expect, it } from "vitest";
import { storageFromRecords } from "../../src/storage/from-records/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { mapRecords } from "./map-records.ts";

const place = { name: "a map", durability: "none", shared: "process", maxValueBytes: 100_000 } as const;
const bytes = new Uint8Array([1]);

describe.each([
  ["memory", () => memory()],
  ["storageFromRecords", () => storageFromRecords(mapRecords(), place)],
])("%s", (_, open) => {
  it("takes no id that UTF-8 could not tell from another", async () => {
    const { records, outbox } = open();
    const refused = { code: "invalid_id", kind: "fix_data" };
    await expect(records.put("key \ud800", bytes, { ifVersion: 0 })).rejects.toMatchObject(refused);
    const group = { tenantId: "t", destinationId: "d \udfff", name: "events/p", exclusive: false, credentialId: "c" };
    await expect(outbox.open([group])).rejects.toMatchObject(refused);
    expect(await records.list("", { limit: 10 })).toEqual([]);
  });
});

describe("storageFromRecords", () => {
  it("keeps its own keys to itself: nobody reads, writes or removes them through it", async () => {
    const inner = mapRecords();
    const { records, outbox } = storageFromRecords(inner, place);
    const group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: false, credentialId: "c" };
    await outbox.open([group]);
    const [own] = await inner.list("", { limit: 1 });
    const key = own?.key ?? "";
    const refused = { code: "reserved_key", kind: "bug" };
    await expect(records.get(key)).rejects.toMatchObject(refused);
    await expect(records.put(key, bytes, { ifVersion: 0 })).rejects.toMatchObject(refused);
    await expect(records.delete(key)).rejects.toMatchObject(refused);
    expect(await records.list(key.slice(0, 1), { limit: 10 })).toEqual([]);
    expect((await inner.get(key))?.version).toBe(own?.version);
  });

  it("says at once that values of this engine are too small", () => {
    expect(() => storageFromRecords(mapRecords(), { ...place, maxValueBytes: 1_000 })).toThrow(
      expect.objectContaining({ code: "storage_invalid", details: { maxValueBytes: 1_000, minValueBytes: 65_536 } }),
    );
  });
});
