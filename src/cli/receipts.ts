import type { EventReceipt, ReceiptEntry } from "../delivery/index.ts";
import { COMMON, COMMON_HELP, type Command, EXIT, readArguments, UsageError, wholeNumber } from "./command.ts";
import { withTenant } from "./host.ts";
import { columns } from "./screen.ts";

export const HELP = `Usage: snapchat-destination receipts <destination> --tenant <id> [options]

Where is my purchase? Every decision, attempt, answer and time of an event, from the journal.

  --event-id <id>          The event's id, as on its receipt.
  --order-id <id>          The order's id.
  --since <time>           What happened since then. ISO 8601.
  --limit <number>         Journal lines of a listing by time. Default 100.
  --ndjson                 Every journal line as one line of JSON, for a warehouse.
${COMMON_HELP}

The journal keeps failures and a sample (\`journalShare\`) for seven days. Exit code 3: nothing was found.
`;

/** `snapchat-destination receipts`. */
export const run: Command = async (argv, io) => {
  const options = {
    ...COMMON,
    "event-id": { type: "string" },
    "order-id": { type: "string" },
    since: { type: "string" },
    limit: { type: "string" },
    ndjson: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = readArguments(argv, options, ["destination"]);
  const since = values.since === undefined ? undefined : new Date(values.since);
  if (since && Number.isNaN(since.getTime()))
    throw new UsageError("--since takes a time such as 2026-11-25T10:00:00Z.");
  const limit = wholeNumber(values.limit, "limit");
  return withTenant(values, async ({ receipts }) => {
    const [destination = ""] = positionals;
    if (values.ndjson) {
      for await (const line of receipts.export(destination, since ? { since } : {})) io.stdout.write(line);
      return EXIT.ok;
    }
    const { items } = await receipts.find(destination, {
      ...(values["event-id"] === undefined ? {} : { eventId: values["event-id"] }),
      ...(values["order-id"] === undefined ? {} : { orderId: values["order-id"] }),
      ...(since ? { since } : {}),
      ...(limit === undefined ? {} : { limit }),
    });
    io.stdout.write(values.json ? `${JSON.stringify(items)}\n` : asText(items));
    return items.length === 0 ? EXIT.problem : EXIT.ok;
  });
};

function asText(receipts: readonly EventReceipt[]): string {
  if (receipts.length === 0)
    return "The journal holds nothing of it: never offered, not in the sample, or too long ago.\n";
  return receipts
    .map(({ eventId, orderId, status, entries }) => {
      const order = orderId === undefined ? "" : ` (order ${orderId})`;
      const rows = entries.map((entry) => [`  ${new Date(entry.atMs).toISOString()}`, ...cells(entry)]);
      return `${eventId}${order}: ${status}\n${columns(rows)}\n`;
    })
    .join("\n");
}

function cells(entry: ReceiptEntry): string[] {
  switch (entry.type) {
    case "decision":
      return [entry.channel, `${entry.status} ${entry.reason ?? ""}`.trim(), entry.target];
    case "attempt": {
      const status = entry.httpStatus === undefined ? "no answer" : `HTTP ${entry.httpStatus}`;
      return [entry.purpose, entry.answer, [status, entry.requestId, entry.message].filter(Boolean).join(" ")];
    }
    case "end":
      return ["end", `${entry.outcome} ${entry.reason ?? ""}`.trim(), entry.message ?? ""];
  }
}
