/** The most of `times` that any interval of `windowMs` holds. */
export function densest(times: readonly number[], windowMs: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
}
