import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { csvMembers, ndjsonMembers, progressLine, type SyncMode } from "../audiences/index.ts";
import { COMMON, COMMON_HELP, type Command, EXIT, readArguments, UsageError } from "./command.ts";
import { withTenant } from "./host.ts";
import { columns, liveLine } from "./screen.ts";

export const HELP = `Usage: snapchat-destination segments list <destination> --tenant <id> [options]
       snapchat-destination segments sync <destination> <key> <file.csv|file.ndjson> --tenant <id> [options]

list   The segments that are known, and where each stands at Snapchat.
sync   Brings a whole file into a segment, streaming, and delivers it. Called again after a crash it goes on.

  --mode mirror|add|remove Default mirror: afterwards the segment holds who is in the file and nobody else.
  --max-removed <share>    Share of the segment that a mirror may remove, 0 to 1. Default 0.5.
  --run-id <id>            The run's own id. Default: made from the file's name, size and time.
  --name <name>            The segment's name, where this call makes it known.
${COMMON_HELP}
`;

/** `snapchat-destination segments`. */
export const run: Command = async (argv, io) => {
  const options = {
    ...COMMON,
    mode: { type: "string", default: "mirror" },
    "max-removed": { type: "string" },
    "run-id": { type: "string" },
    name: { type: "string" },
  } as const;
  const { values, positionals } = readArguments(argv, options, ["list|sync", "destination", "key?", "file?"]);
  const [action = "", destination = "", key, file] = positionals;
  if (action === "list") {
    return withTenant(values, async ({ segments }) => {
      const known = await segments.list(destination);
      const rows = known.map(({ key: own, name, words }) => [own, name, words]);
      io.stdout.write(values.json ? `${JSON.stringify(known)}\n` : `${columns([["key", "name", "state"], ...rows])}\n`);
      return EXIT.ok;
    });
  }
  if (action !== "sync") throw new UsageError(`"${action}" is none of list, sync.`);
  if (key === undefined || file === undefined) throw new UsageError("sync takes <destination> <key> <file>.");
  const { mode } = values;
  if (mode !== "mirror" && mode !== "add" && mode !== "remove")
    throw new UsageError("--mode takes mirror, add or remove.");
  const share = values["max-removed"] === undefined ? undefined : Number(values["max-removed"]);
  if (share !== undefined && !(share >= 0 && share <= 1)) throw new UsageError("--max-removed takes a share, 0 to 1.");
  const runId = values["run-id"] ?? (await runIdOf(file, key, mode));
  return withTenant(values, async ({ segments }, snapchat) => {
    // A list is done when Snapchat has taken it, so something has to deliver.
    const worker = snapchat.startWorker();
    const line = liveLine(io);
    try {
      const progress = await segments.sync(destination, key, membersOf(file), {
        mode,
        runId,
        ...(share === undefined ? {} : { maxRemovedShare: share }),
        ...(values.name === undefined ? {} : { name: values.name }),
        ...(io.signal ? { signal: io.signal } : {}),
        onProgress: (now) => line.show(progressLine(now)),
      });
      line.end();
      io.stdout.write(values.json ? `${JSON.stringify(progress)}\n` : `${progressLine(progress)}\n`);
      return progress.phase === "done" ? EXIT.ok : EXIT.problem;
    } finally {
      line.end();
      await worker.stop();
    }
  });
};

function membersOf(file: string) {
  const text = createReadStream(file);
  return /\.(?:ndjson|jsonl)$/i.test(file) ? ndjsonMembers(text) : csvMembers(text);
}

/** The same file gives the same run, a changed one a new run. */
async function runIdOf(file: string, key: string, mode: SyncMode): Promise<string> {
  const { size, mtimeMs } = await stat(file).catch(() => {
    throw new UsageError(`There is no file ${file}.`);
  });
  const facts = JSON.stringify([basename(file), size, mtimeMs, key, mode]);
  return `file-${createHash("sha256").update(facts).digest("hex").slice(0, 24)}`;
}
