import {
  COMMON,
  COMMON_HELP,
  type Command,
  type CommandIo,
  EXIT,
  readArguments,
  UsageError,
  wholeNumber,
} from "./command.ts";
import { withTenant } from "./host.ts";
import { columns } from "./screen.ts";

export const HELP = `Usage: snapchat-destination dead-letters list|replay|purge <destination> --tenant <id> [options]

What could not be delivered: look at it, queue it again behind live traffic, or remove it for good.

  --reason <code>          Only those of this reason.
  --id <id>                Only this one; may be repeated. For replay and purge.
  --newer-than <minutes>   Only those that died at most so long ago.
  --older-than <minutes>   Only those that died at least so long ago.
  --limit <number>         For list. Default 100.
  --after <cursor>         For list: the next page.
  --dry-run                For replay: says what would happen.
  --resend-unknown         For replay: also what Snapchat may have counted already and has forgotten since.
  --yes                    For purge: really remove.
${COMMON_HELP}
`;

const OPTIONS = {
  ...COMMON,
  reason: { type: "string" },
  id: { type: "string", multiple: true },
  "newer-than": { type: "string" },
  "older-than": { type: "string" },
  limit: { type: "string" },
  after: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  "resend-unknown": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
} as const;

/** `snapchat-destination dead-letters`. */
export const run: Command = async (argv, io) => {
  const { values, positionals } = readArguments(argv, OPTIONS, ["list|replay|purge", "destination"]);
  const [action = "", destination = ""] = positionals;
  if (!["list", "replay", "purge"].includes(action))
    throw new UsageError(`"${action}" is none of list, replay, purge.`);
  if (action === "purge" && !values.yes) throw new UsageError("purge removes for good; say --yes.");
  const filter = {
    ...(values.reason === undefined ? {} : { reason: values.reason }),
    ...age("maxAgeMs", wholeNumber(values["newer-than"], "newer-than")),
    ...age("minAgeMs", wholeNumber(values["older-than"], "older-than")),
  };
  const ids = values.id === undefined ? {} : { ids: values.id };
  return withTenant(values, async ({ deadLetters }) => {
    if (action === "list") {
      const limit = wholeNumber(values.limit, "limit") ?? 100;
      const after = values.after === undefined ? {} : { after: values.after };
      const page = await deadLetters.list(destination, { ...filter, ...after, limit });
      io.stdout.write(values.json ? `${JSON.stringify(page)}\n` : list(page));
      return EXIT.ok;
    }
    if (action === "purge") {
      const removed = await deadLetters.purge(destination, { ...filter, ...ids });
      return answer(io, values.json, { removed }, `Removed ${removed}.`);
    }
    const report = await deadLetters.replay(destination, {
      ...filter,
      ...ids,
      dryRun: values["dry-run"],
      resendUnknown: values["resend-unknown"],
    });
    const skipped = Object.entries(report.skipped).map(([reason, count]) => `${count} ${reason}`);
    const words = values["dry-run"] ? "would be queued again" : "queued again";
    const left = skipped.length > 0 ? ` Left as they are: ${skipped.join(", ")}.` : "";
    const gone = report.withdrawn > 0 ? ` Withdrawn by their people: ${report.withdrawn}.` : "";
    return answer(io, values.json, report, `${report.replayed} of ${report.matched} ${words}.${left}${gone}`);
  });
};

const age = (name: string, minutes: number | undefined) => (minutes === undefined ? {} : { [name]: minutes * 60_000 });

function answer(io: CommandIo, json: boolean, data: unknown, text: string): number {
  io.stdout.write(json ? `${JSON.stringify(data)}\n` : `${text}\n`);
  return EXIT.ok;
}

type Letters = Awaited<ReturnType<Parameters<Parameters<typeof withTenant>[1]>[0]["deadLetters"]["list"]>>;

function list({ items, after }: Letters): string {
  if (items.length === 0) return "There are no dead letters.\n";
  const rows = items.map(({ id, reason, ageMs, eventName, eventId, message }) => [
    id,
    `${Math.round(ageMs / 60_000)} min`,
    reason,
    eventName ?? "",
    eventId ?? "",
    message ?? "",
  ]);
  const more = after === undefined ? "" : `More: --after ${after}\n`;
  return `${columns([["id", "died", "reason", "event", "event id", "Snapchat's words"], ...rows])}\n${more}`;
}
