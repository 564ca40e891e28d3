/**
 * The first of `seeds` histories that fails. One that is known to find the bug is tried before all others; histories
 * change with the code, and where it finds it no longer, all are run and the seed to write down is told.
 */
export async function firstFailing(
  bug: string,
  { known, seeds, fails }: { known: number | undefined; seeds: number; fails(seed: number): Promise<boolean> },
): Promise<number | undefined> {
  if (known !== undefined && known <= seeds && (await fails(known))) return known;
  for (let seed = 1; seed <= seeds; seed++) {
    if (seed === known || !(await fails(seed))) continue;
    if (known !== undefined) console.warn(`Seed ${seed} finds it now: ${bug}`);
    return seed;
  }
  return undefined;
}
