import type { Depth } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import type { Control } from "./control.ts";
import type { Counters } from "./counters.ts";
import type { LoweredLimit } from "./limits.ts";

/** What waits, what is dead, what was done. */
export interface DeliveryStats {
  /** What waits, by destination. At most a second old. */
  destinations: Depth[];
  /** Items that wait, over all destinations. */
  waiting: number;
  deadLetters: number;
  /** What this process has done since it started. */
  counters: Readonly<Counters>;
  /** Reasons for which nothing at all is sent. */
  paused: readonly string[];
  /** Assets and segments that do not answer and are left alone for now, as this process sees it. */
  circuits: { asset: string; retryInMs: number }[];
  /** Limits that Snapchat's answers have lowered or blocked, as this process sees it. */
  limits: LoweredLimit[];
}

/** One thing that needs a person, with what to do. */
export interface HealthProblem {
  code: string;
  message: string;
  fix: string;
  destinationId?: string | undefined;
}

/** Whether anything needs a person. */
export interface Health {
  ok: boolean;
  problems: HealthProblem[];
}

/** The oldest item of a healthy queue is younger than this. */
const LATE_MS = 15 * 60_000;

export async function statsOf(context: Context, control: Control): Promise<DeliveryStats> {
  const [destinations, paused] = await Promise.all([context.storage.outbox.depth(), control.paused()]);
  return {
    destinations,
    waiting: destinations.reduce((total, { items }) => total + items, 0),
    deadLetters: destinations.reduce((total, { dead }) => total + countOf(dead), 0),
    counters: { ...context.counters, dead: { ...context.counters.dead } },
    paused,
    circuits: context.circuits.open(),
    limits: context.limits.lowered(),
  };
}

/** What keeps work from being delivered now, in words, with what to do. */
export async function healthOf(context: Context, control: Control): Promise<Health> {
  const problems: HealthProblem[] = [];
  let stats: DeliveryStats;
  try {
    stats = await statsOf(context, control);
  } catch {
    const problem = {
      code: "storage_unavailable",
      message: "The storage engine does not answer.",
      fix: "Check the database; nothing is accepted or sent until it is back.",
    };
    return { ok: false, problems: [problem] };
  }
  if (stats.paused.length > 0) {
    problems.push({
      code: "paused",
      message: `Everything is paused (${stats.paused.join(", ")}).`,
      fix: "Call resume() for each reason when delivery shall go on.",
    });
  }
  for (const { destinationId, paused, oldestAgeMs, items } of stats.destinations) {
    if (items > 0 && paused.length > 0) problems.push({ ...pausedProblem(paused), destinationId });
    else if (items > 0 && oldestAgeMs > LATE_MS) {
      problems.push({
        code: "late",
        message: `The oldest item has waited for ${Math.round(oldestAgeMs / 60_000)} minutes.`,
        fix: "Check that a worker runs. The destination's verify() says what Snapchat refuses, stats() which circuits and limits are in the way.",
        destinationId,
      });
    }
  }
  for (const { asset, retryInMs } of stats.circuits) {
    problems.push({
      code: "circuit_open",
      message: `Snapchat fails for ${asset}; tried again in ${Math.ceil(retryInMs / 1_000)} s.`,
      fix: "Nothing has to be done; if it stays, look at the dead letters and the journal for Snapchat's words.",
    });
  }
  if (context.journal.dropped > 0) {
    problems.push({
      code: "journal_dropped",
      message: `${context.journal.dropped} journal lines could not be written; delivery itself is not affected.`,
      fix: "Check the journal's engine.",
    });
  }
  return { ok: problems.length === 0, problems };
}

function pausedProblem(reasons: readonly string[]): HealthProblem {
  if (reasons.includes("reauth_required")) {
    return {
      code: "reauth_required",
      message: "Work waits because Snapchat does not accept the login or token any more.",
      fix: "Have somebody sign in at Snapchat again, or paste a new Conversions API token.",
    };
  }
  if (reasons.includes("segment_deleted")) {
    return {
      code: "segment_deleted",
      message: "Membership waits because its segment was deleted in Ads Manager.",
      fix: "Decide whether the segment is made again or no longer kept in step.",
    };
  }
  return {
    code: "paused",
    message: `Work waits (${reasons.join(", ")}).`,
    fix: "Call resume() for each reason when it shall go on.",
  };
}

const countOf = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);
