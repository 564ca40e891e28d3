import type { Plot } from "./plot.ts";

/** One line of `npm run bench`: a value beside what it is compared with, all measured in the same run. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  /** What the machine allows for the same work, or the number that may not be passed. */
  limit?: number | undefined;
  /** What a published peer does with the same work. */
  peer?: number | undefined;
  /** What the row has to reach, judged by its own numbers. None: it is only reported. */
  goals: readonly Goal[];
  /** A count that is the same on every machine and at every size: judged by `--smoke` too. */
  isCount?: true;
  /** Where a target is missed: what its profile says of the cause. */
  profile?: string;
  /** What it measured over time, people or processes, drawn on the page. */
  plot?: Plot;
}

export interface Goal {
  words: string;
  isMet(row: Row): boolean;
}

type Of = "limit" | "peer";

/** `atLeast(0.5, "limit", "crypto.hash alone")`: half of the row's limit, which is said in words. */
export function atLeast(amount: number, of?: Of, called?: string): Goal {
  return { words: `≥ ${words(amount, of, called)}`, isMet: (row) => row.value >= bound(row, amount, of) };
}

export function atMost(amount: number, of?: Of, called?: string): Goal {
  return { words: `≤ ${words(amount, of, called)}`, isMet: (row) => row.value <= bound(row, amount, of) };
}

/** A row with its verdict, as it leaves the process that measured it. */
export interface Judged extends Omit<Row, "goals"> {
  /** What is asked of it, in words; empty: nothing. */
  target: string;
  /** `null`: not judged, because nothing is asked of it or because a smoke run is too short to say. */
  ok: boolean | null;
}

export function judged({ goals, ...row }: Row, { smoke }: BenchOptions): Judged {
  const isJudged = goals.length > 0 && (!smoke || row.isCount === true);
  const ok = isJudged ? goals.every((goal) => goal.isMet({ ...row, goals })) : null;
  return { ...row, target: goals.map(({ words }) => words).join("; "), ok };
}

function words(amount: number, of: Of | undefined, called: string | undefined): string {
  const number = amount.toLocaleString("en");
  if (of === undefined) return number;
  return amount === 1 ? (called ?? of) : `${number} of ${called ?? of}`;
}

/** A row that lacks what it is judged by has failed. */
function bound(row: Row, amount: number, of: Of | undefined): number {
  return of === undefined ? amount : amount * (row[of] ?? Number.NaN);
}

export interface BenchOptions {
  /** True in the gate: a small count that shows that the bench runs, not how fast we are. */
  smoke: boolean;
}

/** A bench file: `export const rows: Bench`. */
export type Bench = (options: BenchOptions) => Promise<Row[]>;

/** Runs `task` again and again for at least `ms`, after one warm-up, and answers operations per second. */
export async function perSecond(operations: number, ms: number, task: () => unknown): Promise<number> {
  await task();
  let done = 0;
  const started = performance.now();
  let elapsed = 0;
  do {
    await task();
    done += operations;
    elapsed = performance.now() - started;
  } while (elapsed < ms);
  return (done / elapsed) * 1_000;
}
