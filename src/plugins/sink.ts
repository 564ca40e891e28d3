import type { Clock } from "../clock.ts";
import { copy } from "./copy.ts";
import type { Guard } from "./guard.ts";
import type { Plugin, SinkLine } from "./hooks.ts";

/** Where a plugin's lines wait until it takes them. */
export interface Sink {
  /** Never waits and never throws. */
  push(line: SinkLine): void;
  /** Waits until every plugin has taken what waits, or has failed once. */
  flush(): Promise<void>;
  /** Lines waiting, taken, and dropped because too many waited, by plugin. */
  stats(): Readonly<Record<string, { waiting: number; taken: number; dropped: number }>>;
  /** Stops trying. */
  close(): void;
}

const MAX_WAITING = 10_000;
const MAX_LINES = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** One buffer for each plugin, so that one that hangs holds nobody up. The oldest lines go first when it is full. */
export function createSink(hook: "audit" | "receipts", guard: Guard, plugins: readonly Plugin[], clock: Clock): Sink {
  const outlets = plugins.map((plugin) => createOutlet(hook, guard, plugin, clock));
  return {
    push(line) {
      for (const outlet of outlets) outlet.push(line);
    },
    async flush() {
      await Promise.all(outlets.map((outlet) => outlet.flush()));
    },
    stats: () => Object.fromEntries(outlets.map((outlet) => [outlet.name, outlet.stats()])),
    close() {
      for (const outlet of outlets) outlet.close();
    },
  };
}

function createOutlet(hook: "audit" | "receipts", guard: Guard, plugin: Plugin, clock: Clock) {
  let waiting: SinkLine[] = [];
  let taken = 0;
  let dropped = 0;
  let pauseMs = 0;
  let running = false;
  let trying: Promise<boolean> | undefined;
  const closed = new AbortController();

  /** One portion. It stays in front of the others until it is taken; `false`: it was not. */
  async function send(): Promise<boolean> {
    const lines = waiting.slice(0, MAX_LINES);
    const before = dropped;
    const outcome = await guard.call(
      plugin,
      hook,
      (context) => plugin[hook]?.(copy(lines), context),
      () => undefined,
    );
    if (!outcome.ok) return false;
    taken += lines.length;
    // Lines dropped meanwhile were the oldest, so they were among these.
    waiting = waiting.slice(Math.max(0, lines.length - (dropped - before)));
    return true;
  }

  function attempt(): Promise<boolean> {
    trying ??= send().finally(() => {
      trying = undefined;
    });
    return trying;
  }

  async function run(): Promise<void> {
    // Lines of one turn of the event loop go together.
    await Promise.resolve();
    while (waiting.length > 0 && !closed.signal.aborted) {
      if (await attempt()) pauseMs = 0;
      else {
        pauseMs = Math.min(pauseMs * 2 || FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
        await clock.sleep(pauseMs, closed.signal);
      }
    }
    running = false;
  }

  return {
    name: plugin.name,
    push(line: SinkLine): void {
      if (closed.signal.aborted) {
        dropped++;
        return;
      }
      waiting.push(line);
      if (waiting.length > MAX_WAITING) {
        waiting.shift();
        dropped++;
      }
      if (running) return;
      running = true;
      void run();
    },
    async flush(): Promise<void> {
      while (waiting.length > 0 && (await attempt()));
    },
    stats: () => ({ waiting: waiting.length, taken, dropped }),
    close: () => closed.abort(),
  };
}
