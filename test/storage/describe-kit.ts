import { describe, it } from "vitest";
import { type StorageKitOptions, testStorage } from "../../src/testing/storage-kit/index.ts";

/** The conformance kit as vitest tests. Cases mostly wait, so more of them run at once than the runner would start. */
export function describeKit(name: string, options: StorageKitOptions, o: { atOnce?: number } = {}): void {
  describe.concurrent(name, () => {
    const cases = testStorage(options);
    const turn = turnstile(o.atOnce ?? 24);
    let started: Promise<void>[] | undefined;
    const start = () => {
      started = cases.map(({ run }) => turn(run));
      for (const result of started) result.catch(() => {});
      return started;
    };
    for (const [index, { name }] of cases.entries()) it(name, () => (started ?? start())[index], 120_000);
  });
}

/** Lets `atOnce` tasks run at a time, the others after them in order. */
function turnstile(atOnce: number): (task: () => Promise<void>) => Promise<void> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      await task();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
