/** Everything of a list that comes in pages. */
export async function everyPage<T>(
  read: (query: { after?: string }) => Promise<{ items: readonly T[]; after?: string | undefined }>,
): Promise<T[]> {
  const found: T[] = [];
  let after: string | undefined;
  do {
    const page = await read(after === undefined ? {} : { after });
    found.push(...page.items);
    after = page.after;
  } while (after !== undefined);
  return found;
}
