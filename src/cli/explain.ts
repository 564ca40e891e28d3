import type { Explanation } from "../snapchat/explain.ts";
import type { Tenant } from "../snapchat/tenant.ts";
import { COMMON, COMMON_HELP, type Command, type CommandIo, EXIT, readArguments, UsageError } from "./command.ts";
import { withTenant } from "./host.ts";
import { didYouMean } from "./nearest.ts";
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
    const text = () => nameMeant(explanation, tenant).then((meant) => asText(explanation, painter(io), meant));
    io.stdout.write(values.json ? `${JSON.stringify(explanation)}\n` : await text());
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
  const text = Buffer.concat(parts).toString("utf8");
  if (text.trim() === "")
    throw new UsageError("Standard input is empty: pipe one event in, for example `< event.json`.");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Standard input is not JSON${placeOf(error)}: it takes one event, a JSON object.`);
  }
}

/** Where JSON breaks off. Not what stands there: that may be somebody's address. */
function placeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  if (/end of JSON|Unterminated/.test(message)) return " to its end";
  const [, place] = /\((line \d+ column \d+)\)/.exec(message) ?? [];
  return place === undefined ? "" : `, from ${place} on`;
}

/** For an event that no rule knows: the name of a rule that is nearly the same. */
async function nameMeant({ destinationId, route, parts }: Explanation, { events }: Tenant): Promise<string> {
  if (!route || !parts.some(({ reason }) => reason === "unknown_event")) return "";
  const { rows } = await events.list(destinationId);
  const names = rows.filter(({ rule }) => rule !== undefined).map(({ event }) => event);
  return didYouMean(route.event.name, names).trim();
}

function asText({ eventId, route, parts }: Explanation, paint: ReturnType<typeof painter>, meant: string): string {
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
    if (meant !== "" && part.reason === "unknown_event") lines.push(`  → ${meant}`);
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
