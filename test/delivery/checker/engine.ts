import { memory } from "../../../src/storage/memory/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { promisesDone } from "../support.ts";

/** Opens an empty engine on the history's clock, migrated, and says how it is taken away again. */
export type Engine = (clock: { now(): number }) => Promise<{ storage: Storage; remove(): Promise<void> }>;

export const memoryEngine: Engine = async (clock) => {
  const storage = memory({ clock });
  return { storage, remove: () => storage.close() };
};

/**
 * Hands calls to the engine one after the other, in the order in which they were made: a seed then gives the same
 * history on an engine that answers in real time. `idle` resolves when every call is answered and leads to no other.
 */
export function inTurn(storage: Storage): { storage: Storage; idle(): Promise<void> } {
  let last: Promise<unknown> = Promise.resolve();
  let open = 0;

  function queued<T>(call: () => Promise<T>): Promise<T> {
    open++;
    const answer = last.then(call).finally(() => {
      open--;
    });
    last = answer.catch(() => {});
    return answer;
  }
  const port = <T extends object>(methods: T): T =>
    Object.fromEntries(
      Object.entries(methods).map(([name, value]) => [
        name,
        typeof value === "function"
          ? (...args: unknown[]) => queued(() => (value as (...a: unknown[]) => Promise<unknown>).apply(methods, args))
          : port(value as object),
      ]),
    ) as T;

  return {
    storage: {
      ...storage,
      records: port(storage.records),
      outbox: port(storage.outbox),
      ...(storage.members ? { members: port(storage.members) } : {}),
      ...(storage.journal ? { journal: port(storage.journal) } : {}),
      ...(storage.slots ? { slots: port(storage.slots) } : {}),
    },
    async idle() {
      await promisesDone();
      while (open > 0) {
        await last;
        await promisesDone();
      }
    },
  };
}
