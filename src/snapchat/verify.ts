import type { ConversionsClient, EventLogEntry, EventStats } from "../capi/index.ts";
import { type CheckLine, ok, type PreflightReport, problem, warning } from "../destinations/index.ts";
import { isSnapchatError, type Secret } from "../errors.ts";
import type { Depth } from "../storage/ports.ts";
import { segmentLines } from "./segments/segment-lines.ts";
import type { LinkedSegment } from "./segments/status.ts";

/** What Snapchat last saw of a destination, what waits here, and what to fix. */
export interface VerifyReport {
  destinationId: string;
  /** No line is a problem. */
  ok: boolean;
  lines: CheckLine[];
  /** Snapchat's own counters and log; absent where it did not answer. */
  snapchat: { stats: EventStats; log: EventLogEntry[] } | undefined;
  queue: { waiting: number; oldestAgeMs: number; deadLetters: Readonly<Record<string, number>> };
  /** The report as text for a terminal. */
  text(): string;
  /** The report as Markdown for a ticket. */
  markdown(): string;
}

export interface VerifyInput {
  destinationId: string;
  preflight: PreflightReport;
  pixelId: string | undefined;
  /** Tokens to ask with, the one that events leave with first. */
  tokens: readonly Secret[];
  conversions: Pick<ConversionsClient, "stats" | "logs">;
  /** Where its segments stand. */
  segments: readonly LinkedSegment[];
  depth: Depth | undefined;
}

const HOUR_MS = 3_600_000;

/** The live half of the check engine: asks Snapchat what it saw and looks at what waits here. Sends no event. */
export async function verify(input: VerifyInput): Promise<VerifyReport> {
  const lines = [...input.preflight.lines];
  const snapchat = await askSnapchat(input, lines);
  lines.push(...segmentLines(input.segments));
  const depth = input.depth;
  const queue = { waiting: depth?.items ?? 0, oldestAgeMs: depth?.oldestAgeMs ?? 0, deadLetters: depth?.dead ?? {} };
  lines.push(queueLine(queue, depth?.paused ?? []));
  for (const [reason, count] of Object.entries(queue.deadLetters)) {
    lines.push(
      problem(
        "dead_letters",
        `${count} could not be delivered: ${reason}.`,
        "Look at them with deadLetters.list(), mend the cause, then deadLetters.replay().",
      ),
    );
  }
  const report = {
    destinationId: input.destinationId,
    ok: lines.every(({ status }) => status !== "problem"),
    lines,
    snapchat,
    queue,
  };
  return { ...report, text: () => asText(lines), markdown: () => asMarkdown(lines) };
}

async function askSnapchat(input: VerifyInput, lines: CheckLine[]): Promise<VerifyReport["snapchat"]> {
  const { pixelId, tokens, conversions } = input;
  if (!pixelId || tokens.length === 0) return undefined;
  try {
    const [stats, log] = await Promise.all([
      conversions.stats(pixelId, { token: tokens }),
      conversions.logs(pixelId, { token: tokens }),
    ]);
    lines.push(...statsLines(stats), ...logLines(log));
    return { stats, log };
  } catch (error) {
    const said = isSnapchatError(error) ? error : undefined;
    lines.push(
      warning(
        "snapchat_unanswered",
        `Snapchat did not say what it has seen: ${said?.message ?? "an unexpected failure"}`,
        said?.fix ?? "Try again in a minute.",
      ),
    );
    return undefined;
  }
}

function statsLines({ live, test }: EventStats): CheckLine[] {
  const lines: CheckLine[] = [];
  if (live.latestEventMs === undefined) {
    lines.push(
      warning(
        "no_live_event",
        "Snapchat has not seen an event of this pixel from the server yet.",
        "Switch an event on in the workflow and let one happen.",
      ),
    );
  } else {
    const last = new Date(live.latestEventMs).toISOString();
    lines.push(ok("live_events", `Snapchat last saw an event at ${last}; ${live.eventsPastHour} in the past hour.`));
  }
  if (test.latestEventMs !== undefined) {
    lines.push(ok("test_events", `${test.eventsPastHour} test events in the past hour; they are not counted.`));
  }
  return lines;
}

function logLines(log: readonly EventLogEntry[]): CheckLine[] {
  const invalid = log.filter(({ valid }) => !valid);
  const [first] = invalid;
  if (!first) return [];
  return [
    warning(
      "test_log_errors",
      `Snapchat's test log holds ${invalid.length} invalid events; the first says: ${first.errors[0] ?? "no reason"}.`,
      "Mend the field Snapchat names, then send a test event again.",
    ),
  ];
}

function queueLine(queue: VerifyReport["queue"], paused: readonly string[]): CheckLine {
  const count = `${queue.waiting} waiting`;
  if (paused.length > 0) {
    return problem(
      "queue_paused",
      `${count}; delivery is paused: ${paused.join(", ")}.`,
      "Mend the reason; waiting work then goes on by itself.",
    );
  }
  if (queue.oldestAgeMs > HOUR_MS) {
    return problem(
      "queue_old",
      `${count}, the oldest since ${Math.round(queue.oldestAgeMs / 60_000)} minutes.`,
      "Check that a worker runs (startWorker or drain) and that Snapchat answers.",
    );
  }
  return ok("queue", `${count}.`);
}

const MARK = { ok: "✓", warning: "!", problem: "✗" } as const;

function asText(lines: readonly CheckLine[]): string {
  return lines.map(({ status, message, fix }) => `${MARK[status]} ${message}${fix ? `\n  → ${fix}` : ""}`).join("\n");
}

function asMarkdown(lines: readonly CheckLine[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const rows = lines.map(({ status, message, fix }) => `| ${status} | ${cell(message)} | ${cell(fix)} |`);
  return ["| | what | what to do |", "|---|---|---|", ...rows].join("\n");
}
