import type { CheckLine, PreflightReport } from "../../destinations/index.ts";
import type { Depth } from "../../storage/ports.ts";
import type { LinkedSegment } from "../segments/status.ts";
import type { SignalReport } from "../signals/report.ts";
import { inHostWords, type Say } from "../words.ts";
import { queueLines } from "./queue-lines.ts";
import { segmentLines } from "./segment-lines.ts";
import { type EventMemory, signalLines } from "./signal-lines.ts";
import { askSnapchat, type SnapchatQuestions, type SnapchatSaw } from "./snapchat-lines.ts";
import { asMarkdown, asText } from "./text.ts";

/** What Snapchat last saw of a destination, what waits here, how good its signal is, and what to fix. */
export interface VerifyReport {
  destinationId: string;
  /** No line is a problem. */
  ok: boolean;
  lines: CheckLine[];
  /** Snapchat's own counters, log and domains; absent where it did not answer. */
  snapchat: SnapchatSaw | undefined;
  queue: { waiting: number; oldestAgeMs: number; deadLetters: Readonly<Record<string, number>> };
  /** What was counted here over the last day. */
  signals: SignalReport;
  /** The report as text for a terminal. */
  text(): string;
  /** The report as Markdown for a ticket. */
  markdown(): string;
}

export interface VerifyInput {
  destinationId: string;
  preflight: PreflightReport;
  questions: SnapchatQuestions;
  /** Where its segments stand. */
  segments: readonly LinkedSegment[];
  signals: SignalReport;
  /** What is remembered of its events' names. */
  events: EventMemory;
  depth: Depth | undefined;
  /** The host's own words. */
  say: Say | undefined;
}

/** The live half of the check engine: asks Snapchat what it saw and looks at what waits here. Counts nothing. */
export async function verify(input: VerifyInput): Promise<VerifyReport> {
  const { destinationId, signals, depth, say } = input;
  const asked = await askSnapchat(input.questions, signals);
  const queue = { waiting: depth?.items ?? 0, oldestAgeMs: depth?.oldestAgeMs ?? 0, deadLetters: depth?.dead ?? {} };
  const lines = [
    ...input.preflight.lines,
    ...asked.lines,
    ...segmentLines(input.segments),
    ...signalLines(signals, input.events),
    ...queueLines(queue, depth?.paused ?? []),
  ].map((line) => (say ? inHostWords(line.code, line, say) : line));
  return {
    destinationId,
    ok: lines.every(({ status }) => status !== "problem"),
    lines,
    snapchat: asked.saw,
    queue,
    signals,
    text: () => asText(lines),
    markdown: () => asMarkdown(lines),
  };
}
