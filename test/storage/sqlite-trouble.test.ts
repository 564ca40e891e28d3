import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqlite } from "../../src/sqlite/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { findings } from "../../src/storage/sqlite/check.ts";
import { Connection } from "../../src/storage/sqlite/connection.ts";
import { engine } from "../../src/storage/sqlite/engine.ts";
import { startJob } from "./sqlite-jobs.ts";

const group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: false, credentialId: "c" };
const entry = (id: string, bytes = 10) => ({
  id,
  group,
  priority: 0 as const,
  items: 1,
  payload: new Uint8Array(bytes).fill(7),
});

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sqlite-trouble-"));
  path = join(directory, "test.db");
});
afterEach(() => {
  chmodSync(directory, 0o777);
  rmSync(directory, { recursive: true, force: true });
});

async function stored(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  const o = { owner: "test", leaseMs: 60_000, maxItems: 1_000, maxBytes: 50_000_000 };
  for (let claim = await storage.outbox.claim(o); claim; claim = await storage.outbox.claim(o)) {
    found.push(...claim.entries.map(({ id }) => id));
  }
  return found;
}

async function filled(): Promise<void> {
  const storage = sqlite(path);
  await storage.outbox.open([group]);
  await storage.outbox.append([entry("a")]);
  await storage.close();
}

async function refusal(task: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await task.then(
    () => undefined,
    (error: unknown) => error as Record<string, unknown>,
  );
  return error ?? expect.fail("it was not refused");
}

describe("a file that is not ours", () => {
  it("another program's database is refused before anything is written to it", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE invoices (id INTEGER PRIMARY KEY); INSERT INTO invoices VALUES (1)");
    other.close();
    const before = readFileSync(path);
    const storage = sqlite(path);
    expect(await refusal(storage.migrate())).toMatchObject({ code: "not_our_database", kind: "fix_configuration" });
    expect(await refusal(storage.records.get("k"))).toMatchObject({ code: "not_our_database" });
    expect(await refusal(storage.outbox.append([entry("a")]))).toMatchObject({ code: "not_our_database" });
    await storage.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("a file that is no database at all is refused and left as it is", async () => {
    writeFileSync(path, "Dear diary, today I was mistaken for a database.\n".repeat(100));
    const before = readFileSync(path);
    const storage = sqlite(path);
    expect(await refusal(storage.migrate())).toMatchObject({ code: "not_our_database" });
    await storage.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("an empty file becomes ours", async () => {
    writeFileSync(path, "");
    const storage = sqlite(path);
    await storage.records.put("k", new Uint8Array([1]));
    expect((await storage.records.get("k"))?.value).toEqual(new Uint8Array([1]));
    await storage.close();
  });

  it("a schema of a newer major version is refused, and what is in it stays", async () => {
    await filled();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 2");
    const storage = sqlite(path);
    expect(await refusal(storage.outbox.append([entry("b")]))).toMatchObject({
      code: "schema_too_new",
      kind: "fix_configuration",
      details: { found: 2, known: 1 },
    });
    await storage.close();
    newer.exec("PRAGMA user_version = 1");
    newer.close();
    const again = sqlite(path);
    expect(await stored(again)).toEqual(["a"]);
    await again.close();
  });

  it("a damaged file is said to be damaged", async () => {
    await filled();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 4_096));
    const storage = sqlite(path);
    expect(await refusal(stored(storage))).toMatchObject({ code: "corrupt", retryable: false });
    await storage.close();
  });
});

describe("a place that cannot be written", () => {
  const nobody = async () => {
    const lines = await startJob({ path, task: "append", count: 1, asNobody: true }).ended;
    return lines.at(-1)?.error;
  };
  const permanent = { code: "unavailable", retryable: false, kind: "fix_configuration" };

  it("no such directory", async () => {
    const storage = sqlite(join(directory, "missing", "test.db"));
    expect(await refusal(storage.migrate())).toMatchObject({
      ...permanent,
      message: "The SQLite file cannot be opened.",
    });
    await storage.close();
  });

  it("a directory in the file's place", async () => {
    mkdirSync(path);
    const storage = sqlite(path);
    expect(await refusal(storage.migrate())).toMatchObject(permanent);
    await storage.close();
  });

  it("no right to create the file", async () => {
    chmodSync(directory, 0o555);
    expect(await nobody()).toMatchObject(permanent);
  });

  it("no right to read the file", async () => {
    await filled();
    chmodSync(directory, 0o777);
    chmodSync(path, 0o000);
    expect(await nobody()).toMatchObject(permanent);
  });

  it("a read-only file", async () => {
    await filled();
    chmodSync(directory, 0o777);
    chmodSync(path, 0o444);
    if (process.getuid?.() === 0) chownSync(path, 0, 0);
    expect(await nobody()).toMatchObject({ ...permanent, message: "The SQLite file cannot be written." });
  });

  it("a file in a directory that is read-only", async () => {
    await filled();
    chmodSync(path, 0o666);
    chmodSync(directory, 0o555);
    expect(await nobody()).toMatchObject(permanent);
  });
});

describe("a new file", () => {
  it("is its owner's alone, with the files beside it, whatever the process's mask says", async () => {
    const mask = process.umask(0);
    try {
      const storage = sqlite(path);
      await storage.records.put("k", new Uint8Array([1]));
      const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
      expect(modes).toEqual([0o600, 0o600, 0o600]);
      await storage.close();
    } finally {
      process.umask(mask);
    }
  });

  it("keeps the rights that somebody has given it", async () => {
    writeFileSync(path, "", { mode: 0o640 });
    chmodSync(path, 0o640);
    await filled();
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});

it("a runtime without node:sqlite is told which has it", () => {
  expect(engine()).toHaveProperty("DatabaseSync");
  // Node before 20.16 has no look-up either.
  for (const load of [null, () => undefined]) {
    expect(() => engine(load)).toThrow(
      expect.objectContaining({
        code: "sqlite_missing",
        kind: "fix_configuration",
        fix: expect.stringContaining("22.18"),
      }),
    );
  }
});

describe("check()", () => {
  const codes = async (storage: Storage) => (await storage.check()).map(({ code }) => code);

  it("finds nothing wrong with a file that it made itself, on a disk", async () => {
    const storage = sqlite(path);
    await storage.migrate();
    expect((await codes(storage)).filter((code) => code !== "disk_nearly_full")).toEqual([]);
    await storage.close();
  });

  it("names a file that every user may read, and commits that do not wait for the disk", async () => {
    await filled();
    chmodSync(path, 0o644);
    const storage = sqlite(path, { durability: "process" });
    expect(await codes(storage)).toEqual(expect.arrayContaining(["file_readable_by_all", "durability_process"]));
    await storage.close();
  });

  it("names a file that is not in WAL mode, wherever that came from", async () => {
    await filled();
    const database = new DatabaseSync(path);
    const found = () => findings({ database } as Connection, path, "power-loss").map(({ code }) => code);
    expect(found()).not.toContain("no_wal");
    database.exec("PRAGMA journal_mode = DELETE");
    expect(found()).toContain("no_wal");
    database.close();
  });

  it("need not look at `synchronous`: what is acknowledged is committed with it, whatever was committed before", async () => {
    const level = async (durability: "power-loss" | "process", durable: boolean) => {
      const connection = new Connection(path, { durability });
      await connection.write(() => {}, { durable: false });
      const found = await connection.write(
        () => connection.database?.prepare("PRAGMA synchronous").get()?.synchronous,
        { durable },
      );
      await connection.close();
      return found;
    };
    expect(await level("power-loss", true)).toBe(2);
    expect(await level("power-loss", false)).toBe(1);
    expect(await level("process", true)).toBe(1);
  });

  it("names a database in memory", async () => {
    const storage = sqlite(":memory:");
    expect(await codes(storage)).toEqual(["durability_none"]);
    await storage.close();
  });
});

describe("a file that another program keeps locked", () => {
  it("waits without holding up the event loop, and goes on when it is free", async () => {
    await filled();
    const storage = sqlite(path);
    await storage.migrate();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const append = storage.outbox.append([entry("b")]);
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await sleep(300);
    other.exec("COMMIT");
    other.close();
    expect(await append).toMatchObject([{ status: "stored" }]);
    clearInterval(watch);
    expect(longest).toBeLessThan(250);
    expect(await stored(storage)).toEqual(["a", "b"]);
    await storage.close();
  });
});

const mayMount = process.platform === "linux" && process.getuid?.() === 0;
const required = process.env.REQUIRE_SERVICES === "1";
if (!mayMount && !required)
  console.warn("Full and read-only disks are left out: run as root on Linux, which may mount a tmpfs.");

describe.runIf(mayMount || required)("a disk of two megabytes (mounted by root)", () => {
  const disk = () => join(directory, "disk");
  const mount = (...args: string[]) => execFileSync("mount", [...args, disk()]);

  beforeEach(() => {
    mkdirSync(disk());
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs");
    path = join(disk(), "test.db");
  });
  afterEach(() => {
    execFileSync("umount", ["-l", disk()]);
  });

  /** Appends until it is refused; answers what was acknowledged. */
  async function fill(storage: Storage): Promise<{ ids: string[]; error: Record<string, unknown> }> {
    const ids: string[] = [];
    for (let n = 0; ; n++) {
      try {
        await storage.outbox.append([entry(`e${n}`, 30_000)]);
        ids.push(`e${n}`);
      } catch (error) {
        return { ids, error: error as Record<string, unknown> };
      }
    }
  }

  it("full: clear error, nothing acknowledged that is not stored, and it goes on when there is space", async () => {
    const storage = sqlite(path);
    await storage.outbox.open([group]);
    const { ids, error } = await fill(storage);
    expect(ids.length).toBeGreaterThan(5);
    expect(error).toMatchObject({
      code: "unavailable",
      retryable: true,
      message: "The disk of the SQLite file is full; the call stored nothing.",
    });
    mount("-o", "remount,size=8m");
    expect(await storage.outbox.append([entry("later", 30_000)])).toMatchObject([{ status: "stored" }]);
    await storage.close();
    const again = sqlite(path);
    expect(await stored(again)).toEqual([...ids, "later"]);
    await again.close();
  });

  it("full when many calls share a transaction: each is told the truth", async () => {
    const storage = sqlite(path);
    await storage.outbox.open([group]);
    const all = Array.from({ length: 120 }, (_, n) => `e${n}`);
    const answers = await Promise.allSettled(all.map((id) => storage.outbox.append([entry(id, 30_000)])));
    const told = all.filter((_, n) => answers[n]?.status === "fulfilled");
    expect(told.length).toBeLessThan(all.length);
    await storage.close();
    mount("-o", "remount,size=16m");
    const again = sqlite(path);
    expect((await stored(again)).sort()).toEqual(told.sort());
    await again.close();
  });

  it("full before the tables are there: the same file is used when there is space", async () => {
    writeFileSync(join(disk(), "ballast"), new Uint8Array(2 * 1024 * 1024 - 8_192));
    const storage = sqlite(path);
    expect(await refusal(storage.migrate())).toMatchObject({ code: "unavailable", retryable: true });
    rmSync(join(disk(), "ballast"));
    await storage.migrate();
    await storage.outbox.open([group]);
    await storage.outbox.append([entry("a")]);
    expect(await stored(storage)).toEqual(["a"]);
    await storage.close();
  });

  it("made read-only while in use: clear error, and what was acknowledged is there", async () => {
    const storage = sqlite(path);
    await storage.outbox.open([group]);
    await storage.outbox.append([entry("a")]);
    await storage.close();
    mount("-o", "remount,ro");
    const reading = sqlite(path);
    expect(await refusal(reading.outbox.append([entry("b")]))).toMatchObject({
      code: "unavailable",
      retryable: false,
      kind: "fix_configuration",
    });
    await reading.close();
    mount("-o", "remount,rw");
    const again = sqlite(path);
    expect(await stored(again)).toEqual(["a"]);
    await again.close();
  });

  it("check() says that the file lies in memory, and that the disk is nearly full", async () => {
    const storage = sqlite(path);
    await storage.migrate();
    const codes = (await storage.check()).map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(["file_in_memory", "disk_nearly_full"]));
    await storage.close();
  });
});
