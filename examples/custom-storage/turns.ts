import { mkdirSync } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { createLock } from "./lock.ts";

const CHANGES_PER_TURN = 500;

/** What a change does while it is alone at the files. */
export interface Turn {
  /** A version that no key has ever had. */
  version(): number;
  /** Puts a file in place as a whole: written beside, flushed, renamed. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** What was renamed or removed in it is on the disk before anybody hears that the change was done. */
  flush(directory: string): void;
}

type Change = { run(turn: Turn): Promise<unknown>; done(): void; failed(error: unknown): void };

/**
 * Changes, one after the other among all processes. All that wait in this process share a turn: one lock, one step of
 * the counter, one flush of each directory.
 */
export function createTurns(root: string) {
  mkdirSync(root, { recursive: true });
  const lock = createLock(join(root, "lock.db"), 10_000);
  const counter = join(root, "last-version");
  const waiting: Change[] = [];
  let running: Promise<void> | undefined;

  async function replace(path: string, bytes: Uint8Array): Promise<void> {
    const beside = join(root, "beside");
    {
      await using file = await open(beside, "w");
      await file.writeFile(bytes);
      await file.sync();
    }
    await rename(beside, path);
  }

  async function takeTurn(changes: readonly Change[]): Promise<void> {
    const directories = new Set<string>();
    const last = Number((await unlessAbsent(readFile(counter, "utf8"))) ?? 0);
    let version = last;
    // Before any is used: after a power cut some were skipped, none is given twice.
    await replace(counter, Buffer.from(String(last + changes.length)));
    await flush(root);
    const turn: Turn = {
      version: () => ++version,
      replace,
      flush: (directory) => directories.add(directory),
    };
    const done: Change[] = [];
    for (const change of changes) {
      try {
        await change.run(turn);
        done.push(change);
      } catch (error) {
        change.failed(error);
      }
    }
    for (const directory of directories) await unlessAbsent(flush(directory));
    for (const change of done) change.done();
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const changes = waiting.splice(0, CHANGES_PER_TURN);
      try {
        await lock.hold(() => takeTurn(changes));
      } catch (error) {
        for (const change of changes) change.failed(error);
      }
    }
    running = undefined;
  }

  return {
    /** Runs a change in the next turn, answers when it is on the disk. */
    take<T>(change: (turn: Turn) => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, failed) => {
        let answer: T;
        waiting.push({
          run: async (turn) => {
            answer = await change(turn);
          },
          done: () => resolve(answer),
          failed,
        });
        running ??= Promise.resolve().then(run);
      });
    },
    async close(): Promise<void> {
      await running;
      lock.close();
    },
  };
}

/** A rename is on the disk when its directory is. */
async function flush(directory: string): Promise<void> {
  await using handle = await open(directory, "r");
  await handle.sync();
}

/** What a call on a file answers, `undefined` where there is no such file. */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
