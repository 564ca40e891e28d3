import { setImmediate } from "node:timers";

/**
 * Shares the event loop among calls: together they work for about `maxMs` of each of its turns. `undefined`: go on.
 * A promise: wait for a turn to come; those that wait get one each, in the order they came.
 */
export function createTurns(maxMs: number): () => Promise<void> | undefined {
  const waiting: (() => void)[] = [];
  let began: number | undefined;

  function newTurn(): void {
    began = undefined;
    const next = waiting.shift();
    if (!next) return;
    begin();
    next();
  }

  function begin(): void {
    began = performance.now();
    setImmediate(newTurn);
  }

  return () => {
    if (began === undefined) begin();
    else if (performance.now() - began >= maxMs) return new Promise((resolve) => waiting.push(resolve));
    return undefined;
  };
}
