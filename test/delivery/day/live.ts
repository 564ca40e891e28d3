import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDelivery } from "../../../src/delivery/index.ts";
import { sqlite } from "../../../src/sqlite/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { inTurn } from "../checker/engine.ts";
import { event, eventsOf, fakeSegments, goodCredentials, linkSegment, member, onClock, seeded } from "../support.ts";

/** What a process holds at the end of an hour. */
export interface Hour {
  hour: number;
  /** Data after a collection, without what the engine has compiled meanwhile. Bytes. */
  heap: number;
  /** Timers, sockets, files, and sleeps of the fake clock. */
  handles: number;
}

const MINUTE = 60_000;

/** A worker that lives through hours of virtual time: events, memberships, faults, lost logins, sweeps. */
export async function liveThrough(hours: number): Promise<{ samples: Hour[]; delivered: number; failed: number }> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const clock = createFakeClock({ idle: () => calls.idle() });
  const storage = sqlite(":memory:", { clock });
  await storage.migrate();
  const calls = inTurn(storage);
  const random = seeded(3);
  let failed = 0;
  const segments = fakeSegments(() => {
    segments.calls.length = 0;
  });
  const delivery = createDelivery({
    storage: onClock(calls.storage, clock, 2_000),
    clock,
    random,
    credentials: goodCredentials,
    segments,
    events: {
      async sendPrepared(_asset, items, { beforeRequest }) {
        await beforeRequest?.();
        await clock.sleep(100 + 200 * random());
        const fault = random() < 0.05;
        if (fault) failed++;
        const outcome = fault
          ? ({ status: "retry", known: false, code: "http_503" } as const)
          : ({ status: "delivered", known: true, requestId: "r" } as const);
        return {
          outcomes: items.map(() => outcome),
          requests: [{ status: fault ? 503 : 200, durationMs: 1, items: items.length }],
        };
      },
    },
  });
  await delivery.open([eventsOf()]);
  await linkSegment(calls.storage);
  const worker = delivery.startWorker();
  const samples: Hour[] = [];
  let n = 0;
  for (let hour = 1; hour <= hours; hour++) {
    for (let minute = 0; minute < 60; minute++) {
      const eventTime = Math.floor(clock.now() / 1_000);
      await delivery.append(Array.from({ length: 20 }, () => event(n++, { eventTime, acceptedAtMs: clock.now() })));
      if (minute % 5 === 0) {
        const person = n % 500;
        await delivery.append([member(person, random() < 0.5 ? "add" : "remove", { acceptedAtMs: clock.now() })]);
      }
      await clock.advance(MINUTE);
    }
    collect();
    samples.push({
      hour,
      heap: dataBytes(),
      handles: process.getActiveResourcesInfo().length + clock.sleeping,
    });
  }
  await clock.run(worker.stop());
  await storage.close();
  return { samples, delivered: delivery.counters.delivered, failed };
}

const CODE = new Set(["code_space", "code_large_object_space", "trusted_space", "trusted_large_object_space"]);

function dataBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !CODE.has(space_name))
    .reduce((total, { space_used_size }) => total + space_used_size, 0);
}
