import * as fs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { sqlite } from "../../src/sqlite/index.ts";

vi.mock("node:fs", { spy: true });

const directory = mkdtempSync(join(tmpdir(), "sqlite-place-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What `stat -f -c %t` prints, as Linux's magic.h has it. No such disk is to be had in a test: statfs says there is one. */
const DISKS = [
  { disk: "NFS", type: 0x6969 },
  { disk: "SMB", type: 0x517b },
  { disk: "CIFS", type: 0xff534d42 },
  { disk: "SMB", type: 0xfe534d42 },
  { disk: "9P", type: 0x01021997 },
];

async function findingsOn(disk: { type: number; bavail?: number; bsize?: number }) {
  const real = fs.statfsSync(directory);
  vi.mocked(fs.statfsSync).mockReturnValueOnce({ ...real, bavail: 1e9, bsize: 4_096, ...disk });
  const storage = sqlite(join(directory, "test.db"));
  await storage.migrate();
  const found = await storage.check();
  await storage.close();
  return found;
}

describe("where a SQLite file lies", () => {
  for (const { disk, type } of DISKS) {
    it(`is a problem on ${disk} (0x${type.toString(16)})`, async () => {
      const found = await findingsOn({ type });
      expect(found).toContainEqual(
        expect.objectContaining({
          code: "network_file_system",
          severity: "problem",
          message: expect.stringContaining(disk),
        }),
      );
    });
  }

  it("is no matter on a local disk with room", async () => {
    expect(await findingsOn({ type: 0xef53 })).toEqual([]);
  });
});
