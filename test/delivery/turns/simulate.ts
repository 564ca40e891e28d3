import { createDelivery } from "../../../src/delivery/index.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { event, fakeEvents, loginsUnder, onClock, seeded } from "../support.ts";

export interface TurnsOptions {
  tenants: number;
  /** Requests a second of the app that all share. */
  perSecond: number;
  /** How many times the work of the others the first tenant has. */
  noisy: number;
  seconds: number;
  workers: number;
}

/** When each tenant's requests left, in seconds from the start; the first one is the noisy one. */
export interface Turns {
  sentAt: number[][];
  claims: number;
  released: number;
}

/**
 * Tenants that all wait, on one OAuth app, in virtual time: one request an entry, so that every request is a turn.
 * Every tenant has work left at the end.
 */
export async function simulateTurns(options: TurnsOptions): Promise<Turns> {
  const { tenants, perSecond, noisy, seconds, workers } = options;
  const clock = createFakeClock();
  const random = seeded(11);
  const storage = onClock(memory({ clock }), clock, 5);
  const idOf = (n: number) => `t${n}`;
  const sentAt: number[][] = Array.from({ length: tenants }, () => []);
  const fake = fakeEvents(clock);
  const startedAt = clock.monotonic();
  const deliveries = Array.from({ length: workers }, () =>
    createDelivery({
      storage,
      clock,
      random,
      settings: { lingerMs: 0, limitShare: 1 },
      credentials: loginsUnder((id) => [
        { key: id, perWindow: 10, windowMs: 1_000 },
        { key: "app", perWindow: perSecond, windowMs: 1_000 },
      ]),
      events: {
        async sendPrepared(assetId, items, o) {
          const answer = await fake.sendPrepared(assetId, items, o);
          if (answer.requests.length > 0) {
            sentAt[Number(assetId.slice(1))]?.push((clock.monotonic() - startedAt) / 1_000);
          }
          await clock.sleep(20 + random() * 60);
          return answer;
        },
      },
    }),
  );
  const [first] = deliveries;
  const each = Math.ceil((seconds * perSecond * 1.3) / tenants) + 2;
  await first?.open(
    sentAt.map((_, n) => ({
      tenantId: idOf(n),
      destinationId: idOf(n),
      name: `events/${idOf(n)}`,
      exclusive: false,
      credentialId: `oauth/${idOf(n)}`,
    })),
  );
  for (let n = 0; n < tenants; n++) {
    const count = n === 0 ? each * noisy : each;
    for (let k = 0; k < count; k++) {
      const place = { tenantId: idOf(n), destinationId: idOf(n), assetId: idOf(n) };
      await first?.append([event(`${n}-${k}`, place)]);
    }
  }
  const running = deliveries.map((delivery) => delivery.startWorker({ maxBatch: 1, concurrency: 16 }));
  await clock.advance(seconds * 1_000);
  const counters = deliveries.map((delivery) => ({ ...delivery.counters }));
  const stopped = Promise.all(running.map((worker) => worker.stop()));
  await clock.run(stopped);
  const sum = (name: "claims" | "released") => counters.reduce((total, counter) => total + counter[name], 0);
  return { sentAt, claims: sum("claims"), released: sum("released") };
}

export interface Fairness {
  /** Over every window of 20·K/C seconds: the smallest part of C/K that a tenant got. */
  leastShare: number;
  /** The longest time between two requests of a tenant, in parts of K/C. */
  longestWait: number;
  /** Requests a second over all. */
  perSecond: number;
}

/** Invariant 7: at least half of C/K in every such window, and no wait beyond 2·K/C. */
export function fairnessOf({ sentAt }: Turns, { tenants, perSecond, seconds }: TurnsOptions): Fairness {
  const turn = tenants / perSecond;
  const windowS = 20 * turn;
  let leastShare = Number.POSITIVE_INFINITY;
  let longestWait = 0;
  for (const times of sentAt) {
    let last = 0;
    for (const at of [...times, seconds]) {
      longestWait = Math.max(longestWait, (at - last) / turn);
      last = at;
    }
    for (let from = 0; from + windowS <= seconds; from += turn) {
      const got = times.filter((at) => at >= from && at < from + windowS).length;
      leastShare = Math.min(leastShare, got / 20);
    }
  }
  return { leastShare, longestWait, perSecond: sentAt.flat().length / seconds };
}
