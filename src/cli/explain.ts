import type { Explanation } from "../snapchat/explain.ts";
import { COMMON, COMMON_HELP, type Command, type CommandIo, EXIT, readArguments, UsageError } from "./command.ts";
import { withTenant } from "./host.ts";
import { painter } from "./screen.ts";

export const HELP = `Usage: snapchat-destination explain <destination> --tenant <id> [options] < event.json

Says what would happen to an event and why: rules, filters, consent, the JSON for Snapchat, the pixel's call.
Sends and stores nothing. Identifiers are shown as digests only.

  --received-at <time>     When you received the event, for one that carries no time of its own. ISO 8601.
${COMMON_HELP}

Exit code 3: the event would be rejected.
`;

const MAX_BYTES = 16 * 1024 * 1024;

/** `snapchat-destination explain`: the event comes on standard input. */
export const run: Command = async (argv, io) => {
  const options = { ...COMMON, "received-at": { type: "string" } } as const;
  const { values, positionals } = readArguments(argv, options, ["destination"]);
  const receivedAt = values["received-at"] === undefined ? new Date() : new Date(values["received-at"]);
  if (Number.isNaN(receivedAt.getTime()))
    throw new UsageError("--received-at takes a time such as 2026-11-25T10:00:00Z.");
  const event = await readEvent(io);
  return withTenant(values, async (tenant) => {
    const explanation = await tenant.explain(positionals[0] ?? "", event, { receivedAt });
    io.stdout.write(values.json ? `${JSON.stringify(explanation)}\n` : asText(explanation, painter(io)));
    return explanation.parts.some(({ status }) => status === "rejected") ? EXIT.problem : EXIT.ok;
  });
};

async function readEvent({ stdin }: CommandIo): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stdin ?? []) {
    const chunk = Buffer.from(part);
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new UsageError("Standard input holds more than one event may.");
    parts.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    throw new UsageError("Standard input holds no JSON: pipe one event in, for example `< event.json`.");
  }
}

function asText({ eventId, route, parts }: Explanation, paint: ReturnType<typeof painter>): string {
  const lines: string[] = [];
  if (eventId !== undefined) {
    const from = route ? ` (from ${route.eventId.from})` : "";
    lines.push(`Event id ${eventId}${from}: the same for pixel and server.`);
  }
  if (route)
    lines.push(`Read as "${route.event.name}" of ${route.event.source}; ${route.rules.length} rules look at it.`);
  for (const part of parts) {
    const colour = part.status === "queued" ? "green" : part.status === "rejected" ? "red" : "yellow";
    const rule = part.rule === "" ? "" : ` by rule ${part.rule}`;
    const target = part.target === "" ? "" : ` as ${part.target}`;
    const status = part.status === "queued" ? "would be sent" : part.status;
    lines.push("", paint(colour, `${part.channel}: ${status}${target}${rule}`));
    if (part.words) lines.push(`  ${part.words.message}`, `  → ${part.words.fix}`);
    if (part.identifiers?.length) lines.push(`  identifiers: ${part.identifiers.join(", ")}`);
    for (const issue of part.issues ?? []) lines.push(`  ${issue.path}: ${issue.message} ${issue.fix}`);
    if (part.json) lines.push(`  ${part.json}`);
    if (part.call) lines.push(`  snaptr(${part.call.map((argument) => JSON.stringify(argument)).join(", ")})`);
  }
  for (const rule of route?.rules ?? []) {
    for (const failed of rule.failed) {
      lines.push(
        `  rule ${rule.rule}: ${failed.path} is ${JSON.stringify(failed.found)}, wanted ${failed.op} ${JSON.stringify(failed.value)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
