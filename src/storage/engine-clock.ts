import type { Clock } from "../clock.ts";
import type { Records } from "./ports.ts";

const READ_EVERY_MS = 60_000;

/** The storage engine's clock without a question per call: its distance to our monotonic clock, measured now and then. */
export interface EngineClock {
  /** Milliseconds since 1970. Asks the engine where its answer is more than a minute old. */
  now(): Promise<number>;
  /** The same by the last answer, while another is asked for behind the scenes; `undefined` before the first. */
  known(): number | undefined;
}

export function createEngineClock(records: Pick<Records, "now">, clock: Clock): EngineClock {
  let measured: { offset: number; at: number } | undefined;
  let measuring: Promise<number> | undefined;

  async function measure(): Promise<number> {
    const before = clock.monotonic();
    const engine = await records.now();
    const at = clock.monotonic();
    measured = { offset: engine - (before + at) / 2, at };
    return measured.offset + at;
  }
  const measureOnce = () => {
    measuring ??= measure().finally(() => {
      measuring = undefined;
    });
    return measuring;
  };
  const isFresh = (at: number) => measured !== undefined && at - measured.at < READ_EVERY_MS;

  return {
    async now() {
      const at = clock.monotonic();
      return measured && isFresh(at) ? measured.offset + at : measure();
    },
    known() {
      const at = clock.monotonic();
      // A failure shows where the engine is used for more than its time.
      if (!isFresh(at)) measureOnce().catch(() => {});
      return measured && measured.offset + at;
    },
  };
}
