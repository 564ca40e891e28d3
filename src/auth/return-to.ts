import { SnapchatError } from "../errors.ts";

const ANY_ORIGIN = "https://same.invalid";
const LONGEST = 2_000;

/**
 * Checks where somebody is sent after the sign-in: a path of the host's own site, `/settings/snapchat?tab=1`. Everything
 * that a browser could read as another site is refused: `//evil`, `/\evil`, tabs and line breaks inside, schemes.
 *
 * @throws {SnapchatError} `return_to_refused` (fix_data)
 * @example
 * ```ts
 * import { checkReturnTo } from "snapchat-destination/auth";
 *
 * checkReturnTo("/settings/snapchat?tab=1"); // "/settings/snapchat?tab=1"
 * checkReturnTo("//evil.example"); // throws return_to_refused
 * ```
 */
export function checkReturnTo(returnTo: string): string {
  // The parser that browsers use: it reads `/\\evil` and `/\t/evil` as they do, as another host.
  if (returnTo.startsWith("/") && returnTo.length <= LONGEST && URL.canParse(returnTo, ANY_ORIGIN)) {
    const url = new URL(returnTo, ANY_ORIGIN);
    // `/.//evil` is a path here and would become `//evil` when it is written again.
    if (url.origin === ANY_ORIGIN && !url.pathname.startsWith("//")) return url.pathname + url.search + url.hash;
  }
  throw new SnapchatError({
    code: "return_to_refused",
    kind: "fix_data",
    message: "The address to return to is not a path of this site.",
    fix: "Give a path that begins with one slash, such as /destinations/42.",
  });
}

/** The same path with more in its query. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(path, ANY_ORIGIN);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.pathname + url.search + url.hash;
}
