/**
 * BullMQ hands jobs over one by one, a request to Snapchat takes 2,000 events: what arrives within `lingerMs` goes
 * together.
 */
export function createBatch<Item, Outcome>(
  send: (items: readonly Item[]) => Promise<readonly Outcome[]>,
  { max, lingerMs }: { max: number; lingerMs: number },
): (item: Item) => Promise<Outcome> {
  type Waiting = { item: Item; resolve(outcome: Outcome): void; reject(error: unknown): void };
  let waiting: Waiting[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    send(batch.map(({ item }) => item)).then(
      (outcomes) => {
        for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] as Outcome);
      },
      (error) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length >= max) flush();
      else timer ??= setTimeout(flush, lingerMs);
    });
}
