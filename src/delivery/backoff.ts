/** A random number from 0 up to 1, as `Math.random` gives it. */
export type Random = () => number;

/**
 * Decorrelated jitter: the next wait lies anywhere between the smallest one and three times the last, so that what
 * failed together does not come back together.
 */
export function nextDelay(
  lastMs: number | undefined,
  random: Random,
  { minMs, maxMs }: { minMs: number; maxMs: number },
): number {
  const ceiling = Math.max(minMs, (lastMs ?? minMs) * 3);
  return Math.round(Math.min(maxMs, minMs + random() * (ceiling - minMs)));
}
