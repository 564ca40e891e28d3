/**
 * The function, which keeps its first `limit` answers: for few values and many people. What names a person must not be kept.
 * `undefined` is asked again.
 */
export function keeping<T extends string | undefined>(limit: number, ask: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const answer = ask(text);
    if (answer !== undefined && kept.size < limit) kept.set(text, answer);
    return answer;
  };
}
