import type { Clock } from "../../clock.ts";
import type { Delivery, DrainReport } from "../../delivery/index.ts";
import type { Backfills } from "./backfill.ts";

const PAUSE_MS = 50;

/** A drain that also brings in members of segments that were switched on: for hosts without a running worker. */
export async function drainWithBackfills(
  {
    delivery,
    backfills,
    clock,
  }: { delivery: Pick<Delivery, "drain">; backfills: Pick<Backfills, "run">; clock: Clock },
  options: Parameters<Delivery["drain"]>[0],
): Promise<DrainReport> {
  const endsAt = clock.monotonic() + options.maxMs;
  const over = new AbortController();
  const { signal } = options;
  let filling = true;
  const filled = backfills
    .run(signal ? AbortSignal.any([signal, over.signal]) : over.signal)
    .catch(() => {})
    .finally(() => {
      filling = false;
    });
  let report = await delivery.drain(options);
  while (filling && clock.monotonic() < endsAt && !signal?.aborted) {
    await clock.sleep(PAUSE_MS, signal);
    const next = await delivery.drain({ ...options, maxMs: Math.max(0, endsAt - clock.monotonic()) });
    report = {
      delivered: report.delivered + next.delivered,
      retrying: report.retrying + next.retrying,
      dead: report.dead + next.dead,
      requests: report.requests + next.requests,
      left: next.left,
    };
  }
  over.abort();
  await filled;
  return report;
}
