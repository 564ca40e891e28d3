/** More than this many slips of the pen make another word. */
const MAX_SLIPS = 2;

/** ` Did you mean …?`, where one of the words is what was meant; else nothing. */
export function didYouMean(given: string, words: Iterable<string>): string {
  let best: { word: string; slips: number } | undefined;
  for (const word of words) {
    const slips = slipsBetween(given.toLowerCase(), word.toLowerCase());
    if (slips <= Math.min(MAX_SLIPS, word.length / 3) && slips < (best?.slips ?? Number.POSITIVE_INFINITY)) {
      best = { word, slips };
    }
  }
  return best ? ` Did you mean ${best.word}?` : "";
}

/** Letters that were added, left out or mistaken (Levenshtein). */
function slipsBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > MAX_SLIPS) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === other[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? Number.POSITIVE_INFINITY;
}
