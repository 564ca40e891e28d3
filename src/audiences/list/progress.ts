/** Where a run is. Nothing in it is about a person. */
export interface SyncProgress {
  runId: string;
  mode: SyncMode;
  /**
   * - `reading`: the list is read and what it changes is sent.
   * - `removing`: whoever is not in it leaves.
   * - `stopped`: more would leave than may; a person has to look.
   * - `done`.
   */
  phase: "reading" | "removing" | "stopped" | "done";
  /** Lines read. */
  read: number;
  /** Lines and identifiers that could not be used, by reason. */
  unusable: Readonly<Record<string, number>>;
  /** Usable identifiers. */
  identifiers: number;
  /** Identifiers that were not in Snapchat's list before. */
  new: number;
  /** Identifiers sent to leave. */
  removed: number;
  /** Identifiers sent, entering or leaving. */
  sent: number;
  /** Of those, how many Snapchat says it took. */
  accepted: number;
  /** Requests these took. */
  requests: number;
  /** Lines to be read, where it was told. */
  size: number | undefined;
  /** About how long it will go on; absent where `size` is not known. Milliseconds. */
  etaMs: number | undefined;
}

/**
 * - `mirror`: afterwards the segment holds who is in the list and nobody else.
 * - `add`, `remove`: who is in the list enters, or leaves.
 */
export type SyncMode = "mirror" | "add" | "remove";

const WIDTH = 20;

/**
 * A run's progress as one line with a bar, for a terminal.
 *
 * @example
 * ```ts
 * import { progressLine, type SyncProgress } from "snapchat-destination/audiences";
 *
 * export const show = (progress: SyncProgress) => process.stderr.write(`\r${progressLine(progress)}`);
 * ```
 */
export function progressLine(progress: SyncProgress): string {
  const { phase, read, size, new: entered, removed, accepted, etaMs } = progress;
  const share = phase === "done" ? 1 : size ? Math.min(1, read / size) : undefined;
  const bar =
    share === undefined
      ? ""
      : `${"█".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "░")} ${Math.floor(share * 100)} % `;
  const number = (value: number) => value.toLocaleString("en");
  const of = size === undefined ? "" : ` of ${number(size)}`;
  const left = etaMs === undefined || phase !== "reading" ? "" : `, ${duration(etaMs)} left`;
  return `${bar}${phase}: ${number(read)}${of} read, ${number(entered)} new, ${number(removed)} removed, ${number(accepted)} accepted${left}`;
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
