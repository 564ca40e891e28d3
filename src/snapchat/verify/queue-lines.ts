import { type CheckLine, ok, problem } from "../../destinations/index.ts";
import { wordsOf } from "../words.ts";
import type { VerifyReport } from "./verify.ts";

/** An item of a healthy queue is younger than this. */
const LATE_MS = 15 * 60_000;

/** What waits here, why, and what could not be delivered. */
export function queueLines(queue: VerifyReport["queue"], paused: readonly string[]): CheckLine[] {
  const lines: CheckLine[] = [queueLine(queue, paused)];
  for (const [reason, count] of Object.entries(queue.deadLetters)) {
    const many = `${count} could not be delivered (${reason})`;
    const fix = "Look at them with deadLetters.list(), mend the cause, then deadLetters.replay().";
    lines.push(problem("dead_letters", `${many}.${said(reason)}`, fix));
  }
  return lines;
}

function said(reason: string): string {
  const { message } = wordsOf(reason);
  return message === reason || message === "" ? "" : ` ${message}`;
}

/** Reasons for a pause that have a line of their own, in the words of what caused them. */
const TOLD: ReadonlySet<string> = new Set([
  "deleting",
  "disabled",
  "no_credential",
  "reauth_required",
  "segment_deleted",
  "server_side_off",
  "tenant_suspended",
  "token_refused",
]);

function queueLine(queue: VerifyReport["queue"], paused: readonly string[]): CheckLine {
  const count = `${queue.waiting} waiting`;
  if (paused.length > 0 && queue.waiting > 0) {
    const untold = paused.filter((reason) => !TOLD.has(reason));
    if (untold.length === 0) return ok("queue", `${count}, for what is said above.`);
    return problem(
      "queue_paused",
      `${count}; delivery is paused: ${untold.join(", ")}.`,
      "Take the pause back with resume(); waiting work then goes on by itself.",
    );
  }
  if (queue.oldestAgeMs > LATE_MS) {
    return problem(
      "queue_late",
      `${count}, the oldest since ${Math.round(queue.oldestAgeMs / 60_000)} minutes.`,
      "Check that a worker runs (startWorker or drain) and that Snapchat answers.",
    );
  }
  return ok("queue", `${count}.`);
}
