import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordsOverSqlite } from "./records-over-sqlite.ts";
import { startJob } from "./sqlite-jobs.ts";

const module = new URL("records-over-sqlite.ts", import.meta.url).href;
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "records-processes-"));
  path = join(directory, "test.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));

describe("storageFromRecords under processes that are killed", () => {
  it("loses nothing that was acknowledged, and settles nothing twice", async () => {
    const stored: string[] = [];
    const claimed: string[] = [];
    const consumed: string[] = [];
    for (let round = 0; round < 4; round++) {
      const writers = [0, 1].map((n) => startJob({ module, path, task: "append", prefix: `${round}-${n}-` }));
      const consumer = startJob({ module, path, task: "consume" });
      await Promise.all(writers.map(({ said }) => said(5 + 3 * round)));
      const killed = [...writers, consumer];
      for (const { process: child } of killed) child.kill("SIGKILL");
      const lines = (await Promise.all(killed.map(({ ended }) => ended))).flat();
      expect(lines.flatMap(({ error }) => error ?? [])).toEqual([]);
      stored.push(...lines.flatMap((line) => line.stored ?? []));
      claimed.push(...lines.flatMap((line) => line.claimed ?? []));
      consumed.push(...lines.flatMap((line) => line.consumed ?? []));
    }
    // What the killed ones held comes again when their leases are over: another clock says that they are.
    const storage = recordsOverSqlite(path, { now: () => Date.now() + 60_000 });
    const rest: string[] = [];
    const o = { owner: "test", leaseMs: 60_000, maxItems: 100, maxBytes: 10_000_000 };
    for (let claim = await storage.outbox.claim(o); claim; claim = await storage.outbox.claim(o)) {
      const ids = claim.entries.map(({ id }) => id);
      const outcomes = ids.map((id) => ({ id }));
      expect(await storage.outbox.settle(claim, outcomes)).toBe("settled");
      rest.push(...ids);
    }
    expect(await storage.outbox.depth(["d"])).toMatchObject([{ entries: 0, items: 0, bytes: 0 }]);
    await storage.close();

    const all = [...consumed, ...rest];
    expect(new Set(all).size).toBe(all.length);
    // A settle may be done though its process was killed before it could say so.
    const settledUnsaid = new Set(claimed.filter((id) => !consumed.includes(id)));
    expect(stored.filter((id) => !all.includes(id) && !settledUnsaid.has(id))).toEqual([]);
    expect(stored.length).toBeGreaterThan(60);
  });
});
