import type { Clock } from "../../../src/clock.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import type { FakeClock } from "../../../src/testing/clock.ts";
import type { Random } from "./snapchat-model.ts";

/** A process that can be killed at any await, stopped for minutes, and whose wall clock is off. */
export interface LogicalProcess {
  readonly name: string;
  readonly clock: Clock;
  dead: boolean;
  /** SIGSTOP until then, monotonic. */
  frozenUntil: number;
  /** The storage as this process reaches it: late, failing, and never answering once it is dead. */
  reach(storage: Storage): Storage;
  /** A call to anything outside the process. */
  step<T>(name: string, call: () => Promise<T> | T): Promise<T>;
}

export interface Chances {
  /** Of a crash at one step. */
  crash: number;
  /** Of a stop of the whole process beyond its lease. */
  freeze: number;
  /** Of one call that takes longer than a lease. */
  stall: number;
  /** Of a storage call that fails before or after it took effect. */
  storageFault: number;
}

const never = () => new Promise<never>(() => {});

export function createProcess(
  name: string,
  base: FakeClock,
  random: Random,
  chances: () => Chances,
  note: (text: string) => void,
  tick: () => void,
): LogicalProcess {
  const skewMs = Math.round((random() - 0.5) * 4_000);
  const startMs = Math.round(random() * 1e6);
  const self: LogicalProcess = {
    name,
    dead: false,
    frozenUntil: 0,
    clock: {
      now: () => base.now() + skewMs,
      monotonic: () => base.monotonic() + startMs,
      async sleep(ms, signal) {
        if (self.dead) return never();
        await base.sleep(ms, signal);
        await thaw();
      },
    },
    step,
    reach,
  };

  async function thaw(): Promise<void> {
    while (!self.dead && self.frozenUntil > base.monotonic()) await base.sleep(self.frozenUntil - base.monotonic());
    if (self.dead) await never();
  }

  async function step<T>(what: string, call: () => Promise<T> | T): Promise<T> {
    tick();
    if (self.dead) return never();
    const { crash, freeze, stall } = chances();
    const dice = random();
    const moment = random();
    if (dice < crash) {
      note(`${name} crashes ${moment < 0.5 ? "before" : "after"} ${what}`);
      if (moment >= 0.5) await call();
      self.dead = true;
      return never();
    }
    if (dice < crash + freeze) {
      self.frozenUntil = base.monotonic() + 61_000 + random() * 120_000;
      note(`${name} is stopped at ${what}`);
    }
    const stalled = dice > 1 - stall ? 61_000 + random() * 60_000 : 0;
    if (stalled > 0) note(`${name} stalls at ${what}`);
    await base.sleep(random() * 8 + (moment < 0.5 ? stalled : 0));
    await thaw();
    try {
      return await call();
    } finally {
      await base.sleep(random() * 8 + (moment >= 0.5 ? stalled : 0));
      await thaw();
    }
  }

  function reach(storage: Storage): Storage {
    const port = <T extends object>(of: string, methods: T): T =>
      Object.fromEntries(
        Object.entries(methods).map(([method, call]) => [
          method,
          typeof call === "function"
            ? (...args: unknown[]) =>
                faulty(`${of}.${method}`, () => (call as (...a: unknown[]) => unknown).apply(methods, args))
            : port(`${of}.${method}`, call as object),
        ]),
      ) as T;

    async function faulty(what: string, call: () => unknown): Promise<unknown> {
      const dice = random();
      const { storageFault } = chances();
      if (dice < storageFault / 2) {
        await step(what, () => undefined);
        note(`${name} ${what} fails`);
        throw unavailable();
      }
      const answer = await step(what, call as () => Promise<unknown>);
      if (dice < storageFault) {
        note(`${name} ${what} loses its answer`);
        throw unavailable();
      }
      return answer;
    }

    const outbox = port("outbox", storage.outbox);
    // Some engines wake whoever waits, some are asked again and again, some do neither.
    outbox.wait = ({ maxMs, signal }) => self.clock.sleep(random() < 0.75 ? maxMs : random() * maxMs, signal);
    return {
      ...storage,
      outbox,
      records: port("records", storage.records),
      ...(storage.members ? { members: port("members", storage.members) } : {}),
      ...(storage.slots ? { slots: port("slots", storage.slots) } : {}),
    };
  }
  return self;
}

function unavailable(): Error {
  return Object.assign(new Error("unavailable"), { code: "unavailable", retryable: true, kind: "retry" });
}
