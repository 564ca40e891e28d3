import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sighting } from "./ear.ts";

/** What each file's ear left: `setup.ts` writes it. */
interface Line {
  file: string;
  searched: number;
  unheard: number;
  texts: number;
  heard: Record<string, number>;
  codes: string[];
  seen: Sighting[];
}

/** Fewer files are no suite, and say nothing about codes that nobody saw. */
const SUITE = 100;

const DOCUMENTED = new URL("../../docs/errors.md", import.meta.url);

/**
 * Adds up what the whole suite heard, and prints which error codes it never made. `WALK_FOLDER=<folder>` keeps each file's
 * part, so that parts of the suite add up.
 */
export default function suite(): () => void {
  const kept = process.env.WALK_FOLDER;
  const folder = kept ?? mkdtempSync(join(tmpdir(), "walk-"));
  process.env.WALK_FOLDER = folder;
  return () => {
    const lines = readdirSync(folder).flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
    });
    if (kept === undefined) rmSync(folder, { recursive: true });
    if (lines.length >= SUITE) console.log(summary(lines));
  };
}

function summary(lines: readonly Line[]): string {
  const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const codes = new Set(lines.flatMap((line) => line.codes));
  const documented = new Set(
    Array.from(readFileSync(DOCUMENTED, "utf8").matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code as string),
  );
  const transport = Map.groupBy(
    lines.flatMap(({ seen }) => seen.filter(({ kind }) => kind === "transport")),
    ({ sink, canary }) => `${canary.split(" ", 1)[0]} in ${sink}`,
  );
  const allowed = [...transport].map(([what, all]) => `${what} (${all.length})`);
  const never = [...documented].filter((code) => !codes.has(code));
  const sinks = Object.keys(lines[0]?.heard ?? {}).map(
    (sink) => `${sink} ${megabytes(sum((line) => line.heard[sink] ?? 0))}`,
  );
  return [
    `The walk looked for ${sum((line) => line.texts)} texts in ${lines.length} files: ${sinks.join(", ")}; ${megabytes(sum((line) => line.unheard))} not heard.`,
    `Transport fields seen: ${allowed.join(", ") || "none"}.`,
    `Error codes walked: ${documented.size - never.length} of ${documented.size}. Never made: ${never.join(", ") || "none"}.`,
  ].join("\n");
}
