/** One line of `npm run bench`: a value beside what it is compared with, all measured in the same run. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  /** What the machine allows for the same work, or the number that may not be passed. */
  limit?: number | undefined;
  /** What a published peer does with the same work. */
  peer?: number | undefined;
  /** The target in words: `"≥ 0.5 of limit"`. */
  target: string;
  ok: boolean;
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
