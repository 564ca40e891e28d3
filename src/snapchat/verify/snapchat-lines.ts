import type { ConversionsClient, EventLogEntry, EventStats } from "../../capi/index.ts";
import type { Clock } from "../../clock.ts";
import { type CheckLine, ok, problem, warning } from "../../destinations/index.ts";
import { isSnapchatError, type Secret } from "../../errors.ts";
import type { PixelDomain } from "../pixel-domains.ts";
import type { SignalReport } from "../signals/report.ts";
import { wordsOf } from "../words.ts";

/** Snapchat's own counters, test log and domains. */
export interface SnapchatSaw {
  stats: EventStats;
  log: EventLogEntry[];
  /** Where the pixel's events of the last seven days came from; absent where the login may not read it. */
  domains?: readonly PixelDomain[];
}

export interface SnapchatQuestions {
  pixelId: string | undefined;
  /** Tokens to ask with, the one that events leave with first. */
  tokens: readonly Secret[];
  /** A slot of the limits, for each request. */
  beforeRequest(): Promise<void>;
  conversions: Pick<ConversionsClient, "stats" | "logs" | "validate">;
  domains: () => Promise<readonly PixelDomain[] | undefined>;
  integration: string | undefined;
  clock: Clock;
}

/** What its answers come to: lines, and the answers themselves. */
export interface Asked {
  lines: CheckLine[];
  saw: SnapchatSaw | undefined;
}

const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Asks Snapchat what it saw, and whether it takes an event built from this set-up. Counts nothing. */
export async function askSnapchat(questions: SnapchatQuestions, signals: SignalReport): Promise<Asked> {
  const { pixelId, tokens, beforeRequest, conversions, clock } = questions;
  if (!pixelId || tokens.length === 0) return { lines: [], saw: undefined };
  try {
    // One after the other and patiently: reading the accounts has just used most of a login's ten requests a second.
    const call = { token: tokens, maxRetries: 5, beforeRequest };
    const counted = await conversions.stats(pixelId, call).withResponse();
    const log = await conversions.logs(pixelId, call);
    const domains = await questions.domains();
    const stats = counted.data;
    const date = Date.parse(counted.response?.headers.get("date") ?? "");
    const theirMs = Number.isNaN(date) ? clock.now() : date;
    const lines = [
      ...clockLines(theirMs, clock),
      ...statsLines(stats, signals),
      ...domainLines(domains),
      ...logLines(log),
      ...(await trialLines(questions, pixelId, theirMs)),
    ];
    return { lines, saw: { stats, log, ...(domains ? { domains } : {}) } };
  } catch (error) {
    const said = isSnapchatError(error) ? error : undefined;
    const line = warning(
      "snapchat_unanswered",
      `Snapchat did not say what it has seen: ${said?.message ?? "an unexpected failure"}`,
      said?.fix ?? "Try again in a minute.",
    );
    return { lines: [line], saw: undefined };
  }
}

/** Snapchat's time of its answer against ours: events are judged by age, so a wrong clock loses them. */
function clockLines(theirMs: number, clock: Clock): CheckLine[] {
  const offMs = clock.now() - theirMs;
  if (Math.abs(offMs) <= CLOCK_TOLERANCE_MS) return [];
  const minutes = Math.round(Math.abs(offMs) / 60_000);
  const side = offMs > 0 ? "ahead of" : "behind";
  return [
    problem(
      "clock_wrong",
      `This machine's clock is ${minutes} minutes ${side} Snapchat's.`,
      "Set the clock by NTP; events may be refused as too old or in the future until then.",
    ),
  ];
}

function statsLines({ live, test }: EventStats, signals: SignalReport): CheckLine[] {
  const delivered = signals.events.reduce((sum, event) => sum + event.delivered, 0);
  const ours = `Delivered from here in the last ${Math.round(signals.windowMs / 3_600_000)} hours: ${delivered}.`;
  const lines: CheckLine[] = [];
  if (live.latestEventMs === undefined) {
    const { why, fix } = whyNone(signals);
    lines.push(
      warning("no_live_event", `Snapchat has not seen an event of this pixel from the server yet. ${ours}${why}`, fix),
    );
  } else {
    const last = new Date(live.latestEventMs).toISOString();
    // Two numbers, not one: Snapchat counts an hour, other senders too, and each event once.
    const theirs = `Snapchat last saw an event at ${last} and counts ${live.eventsPastHour} in the past hour.`;
    lines.push(ok("live_events", `${theirs} ${ours}${surplus(live.eventsPastHour - delivered)}`));
  }
  if (test.latestEventMs !== undefined) {
    lines.push(ok("test_events", `${test.eventsPastHour} test events in the past hour; they are not counted.`));
  }
  return lines;
}

/** Why Snapchat counts more in an hour than left here in a day. */
function surplus(more: number): string {
  if (more <= 0) return "";
  return ` At least ${more} of Snapchat's came from browsers, from other senders, or once more after an answer was lost; reports count each event once.`;
}

/** What became of the events of the last day, where none has reached Snapchat. */
function whyNone({ notSent, events }: SignalReport): { why: string; fix: string } {
  const rejected = notSent.filter(({ status }) => status === "rejected");
  const [most] = rejected;
  if (most) {
    const all = rejected.reduce((sum, { count }) => sum + count, 0);
    const { message, fix } = wordsOf(most.reason);
    const share = rejected.length === 1 ? "" : `, ${most.count} of them`;
    return { why: ` Rejected: ${all}${share} for ${most.reason}. ${message}`, fix };
  }
  const accepted = events.reduce((sum, event) => sum + event.accepted, 0);
  if (accepted > 0) {
    return { why: ` Accepted and not delivered: ${accepted}.`, fix: "Look at what waits, below; a worker has to run." };
  }
  return { why: "", fix: "Switch an event on in the workflow and let one happen." };
}

const SHOWN_DOMAINS = 5;

function domainLines(domains: readonly PixelDomain[] | undefined): CheckLine[] {
  if (!domains || domains.length === 0) return [];
  const total = domains.reduce((sum, { events }) => sum + events, 0);
  const first = domains.slice(0, SHOWN_DOMAINS).map(({ domain, events }) => `${domain} ${events}`);
  const more = domains.length > SHOWN_DOMAINS ? ` and ${domains.length - SHOWN_DOMAINS} more` : "";
  return [ok("pixel_domains", `Events of this pixel in seven days: ${total}, from ${first.join(", ")}${more}.`)];
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

/** One made-up page view through Snapchat's validation. */
async function trialLines(questions: SnapchatQuestions, pixelId: string, atMs: number): Promise<CheckLine[]> {
  const { conversions, tokens, beforeRequest, integration } = questions;
  const event = {
    event_name: "PAGE_VIEW" as const,
    event_time: Math.floor(atMs / 1_000),
    event_id: "verify",
    action_source: "WEB" as const,
    event_source_url: "https://example.com/",
    user_data: { em: "verify@example.com", client_user_agent: "verify", client_ip_address: "192.0.2.1" },
    ...(integration === undefined ? {} : { integration }),
  };
  try {
    const [verdict] = await conversions.validate(pixelId, [event], { token: tokens, maxRetries: 5, beforeRequest });
    if (verdict?.snapchat?.valid !== false) return [ok("trial_event", "Snapchat's validation takes a trial event.")];
    return [
      problem(
        "trial_event_refused",
        `Snapchat's validation refuses a trial event: ${verdict.snapchat.message ?? "no reason given"}.`,
        "Mend what Snapchat names; if the trial event itself is at fault, report it.",
      ),
    ];
  } catch (error) {
    if (!isSnapchatError(error)) throw error;
    return [warning("trial_event_unanswered", `A trial event was not judged: ${error.message}`, error.fix)];
  }
}
