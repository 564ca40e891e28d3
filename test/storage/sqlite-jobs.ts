import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { SqliteJob } from "./sqlite-process.ts";

export interface SqliteLine {
  stored?: string;
  /** Said before they are settled. */
  claimed?: string[];
  consumed?: string[];
  end?: true;
  error?: { code: string; kind: string; retryable?: boolean; message: string; fix: string };
}

export interface Running {
  process: ChildProcess;
  lines: SqliteLine[];
  /** Resolves when it has said so many lines. */
  said(count: number): Promise<void>;
  /** All lines, when it has ended. */
  ended: Promise<SqliteLine[]>;
}

const script = fileURLToPath(new URL("sqlite-process.ts", import.meta.url));
export const SOURCE = new URL("../../src/sqlite/index.ts", import.meta.url).href;

/** Starts a process that works on the file. */
export function startJob(job: Omit<SqliteJob, "module"> & { module?: string }): Running {
  const input = JSON.stringify({ module: SOURCE, ...job } satisfies SqliteJob);
  const child = spawn(process.execPath, [script, input], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: SqliteLine[] = [];
  const waiting = new Set<() => void>();
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    // The last line of a process that was killed may be a part.
    if (line.endsWith("}")) lines.push(JSON.parse(line) as SqliteLine);
    for (const look of waiting) look();
  });
  const ended = once(child, "close").then(() => {
    for (const look of waiting) look();
    return lines;
  });
  return {
    process: child,
    lines,
    ended,
    said: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (lines.length < count && child.exitCode === null && child.signalCode === null) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
