/**
 * One thread for all mutants. vitest starts a thread a run and loads every library in it again: four tenths of a second for
 * a mutant that the first test notices in ten milliseconds.
 */
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { PoolRunnerInitializer } from "vitest/node";

/** After so many runs the thread makes place for a fresh one: what it has gathered goes with it. */
const RUNS_A_THREAD = 200;

let thread: Worker | undefined;
let runs = 0;

export const keptThread: PoolRunnerInitializer = {
  name: "kept-thread",
  createPoolWorker: ({ env, execArgv }) => {
    const kept = () => (thread ??= new Worker(fileURLToPath(new URL("worker.ts", import.meta.url)), { env, execArgv }));
    return {
      name: "kept-thread",
      on: (event, listener) => void kept().on(event, listener),
      off: (event, listener) => void kept().off(event, listener),
      send: (message) => kept().postMessage(message),
      deserialize: (message) => message,
      start: async () => void kept(),
      stop: async () => {
        kept().removeAllListeners("message");
        if (++runs % RUNS_A_THREAD > 0) return;
        await kept().terminate();
        thread = undefined;
      },
    };
  },
};
