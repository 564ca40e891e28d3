import { mkdirSync } from "node:fs";
import { mkdir, open, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Records, storageError } from "snapchat-destination/storage";
import { pathOfKey, readName } from "./key-path.ts";
import { createTurns, unlessAbsent } from "./turns.ts";

const HEADER_BYTES = 16;

/**
 * A key-value store of plain files: one file for a key, written beside and renamed into place, so that a reader sees the
 * old record or the new one and never half of it. Changes take turns; readers of one key wait for nobody.
 */
export function fileRecords(root: string, clock?: { now(): number }): Records & { close(): Promise<void> } {
  const data = join(root, "data");
  mkdirSync(data, { recursive: true });
  const turns = createTurns(root);

  /** The file system's clock, which all processes share: the time that a write leaves on a file. */
  async function now(): Promise<number> {
    if (clock) return clock.now();
    await using file = await open(join(root, "clock"), "w");
    await file.write("x");
    return Math.floor((await file.stat()).mtimeMs);
  }

  async function read(file: string) {
    const bytes = await unlessAbsent(readFile(file));
    if (!bytes) return undefined;
    const expiresAt = bytes.readDoubleLE(8);
    // Expired is absent, though its file is still there.
    if (Number.isFinite(expiresAt) && expiresAt <= (await now())) return undefined;
    return { version: bytes.readDoubleLE(0), value: new Uint8Array(bytes.subarray(HEADER_BYTES)) };
  }

  return {
    async get(key) {
      const record = await inWords(read(place(data, key).file));
      return record && { key, ...record };
    },
    async put(key, value, { ifVersion, ttlMs } = {}) {
      // A copy: the caller may write into its bytes while this waits for its turn.
      const bytes = Buffer.concat([Buffer.alloc(HEADER_BYTES), value]);
      const { file, directory, directories } = place(data, key);
      return inWords(
        turns.take(async (turn) => {
          compare((await read(file))?.version ?? 0, ifVersion);
          const version = turn.version();
          bytes.writeDoubleLE(version, 0);
          bytes.writeDoubleLE(ttlMs === undefined ? Number.POSITIVE_INFINITY : (await now()) + ttlMs, 8);
          await mkdir(directory, { recursive: true });
          await turn.replace(file, bytes);
          for (const each of directories) turn.flush(each);
          return version;
        }),
      );
    },
    async delete(key, { ifVersion } = {}) {
      const { file, directories } = place(data, key);
      return inWords(
        turns.take(async (turn) => {
          const record = await read(file);
          if (record) compare(record.version, ifVersion);
          await unlessAbsent(unlink(file));
          for (const each of directories) turn.flush(each);
          await prune(directories.slice(1));
          return record !== undefined;
        }),
      );
    },
    async list(prefix, { after = "", limit }) {
      const wanted = { prefix: Buffer.from(prefix), after: Buffer.from(after) };
      // In a turn: a name that is being replaced may hide from whoever reads its directory meanwhile.
      const list = async () => {
        const found: { key: string; version: number; value: Uint8Array }[] = [];
        for await (const { key, file } of keysIn(data, Buffer.alloc(0), wanted)) {
          if (found.length >= limit) break;
          const record = await read(file);
          if (record) found.push({ key: key.toString(), ...record });
        }
        return found;
      };
      return inWords(turns.take(list));
    },
    now: () => inWords(now()),
    close: () => turns.close(),
  };
}

/** Where a key's record lies, and the directories that lead there, the outermost first. */
function place(data: string, key: string) {
  const path = pathOfKey(key);
  const directories = [data];
  let directory = data;
  for (const name of path.directories) {
    directory = join(directory, name);
    directories.push(directory);
  }
  return { file: join(directory, path.file), directory, directories };
}

/** Keys below a directory in byte order, those of `~` left out, without entering directories that hold none wanted. */
async function* keysIn(
  directory: string,
  above: Buffer,
  wanted: { prefix: Buffer; after: Buffer },
): AsyncGenerator<{ key: Buffer; file: string }> {
  for (const name of ((await unlessAbsent(readdir(directory))) ?? []).sort()) {
    const part = readName(name);
    if (!part) continue;
    const key = Buffer.concat([above, part.bytes]);
    const shared = Math.min(key.length, wanted.prefix.length);
    if (key.compare(wanted.prefix, 0, shared, 0, shared) !== 0 || key.toString("latin1", 0, 1) === "~") continue;
    if (part.kind === "directory") {
      const before = Math.min(key.length, wanted.after.length);
      if (key.compare(wanted.after, 0, before, 0, before) >= 0) yield* keysIn(join(directory, name), key, wanted);
    } else if (key.length >= wanted.prefix.length && key.compare(wanted.after) > 0) {
      yield { key, file: join(directory, name) };
    }
  }
}

function compare(found: number, wanted: number | undefined): void {
  if (wanted === undefined || wanted === found) return;
  throw storageError("version_conflict", `The record is at version ${found}.`, "Read it again.");
}

/** Removes directories that hold nothing, the innermost first. */
async function prune(directories: readonly string[]): Promise<void> {
  for (const directory of directories.toReversed()) {
    try {
      await unlessAbsent(rmdir(directory));
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST"].includes(String(codeOf(error)))) return;
      throw error;
    }
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** Faults of the file system (full, too many files, a disk that fails) in the library's words, without the path. */
async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (typeof (error as { syscall?: unknown }).syscall !== "string") throw error;
    throw storageError("unavailable", `The file system answers ${codeOf(error)}.`, "Look at space, rights and limits.");
  }
}
