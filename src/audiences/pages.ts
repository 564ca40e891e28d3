import type { IdentityOptions, IdentityReason } from "../identity/index.ts";
import { memberDigest } from "../identity/member.ts";
import { LIMITS } from "../wire/limits.ts";
import type { MemberKind } from "./members.ts";

/** Digests for one membership request, and what had to be left out on the way to them. */
export interface MemberPage {
  /** Digests, at most a page. A repetition stays: it is left out when the page is sent. */
  hashes: string[];
  /** Values read for this page, usable or not. */
  read: number;
  /** How many were left out, by reason. */
  omitted: Partial<Record<IdentityReason, number>>;
}

export interface MemberPagesOptions extends IdentityOptions {
  /** Digests on a page. Default and most 100,000. */
  pageSize?: number | undefined;
}

/**
 * Normalises and hashes identifiers and cuts them into pages, holding one page at a time. Repetitions cost nothing but
 * their place: `members.add` leaves them out, and across pages a list is a set.
 *
 * @example
 * ```ts
 * import { memberPages } from "snapchat-destination/audiences";
 *
 * for (const { hashes, omitted } of memberPages("email", ["Jane@Example.com", "not an address"])) {
 *   console.log(hashes.length, omitted); // 1 { not_an_email: 1 }
 * }
 * ```
 */
export function* memberPages(
  kind: MemberKind,
  values: Iterable<unknown>,
  options: MemberPagesOptions = {},
): Generator<MemberPage> {
  const page = openPage(kind, options);
  for (const value of values) {
    if (page.add(value)) yield page.take();
  }
  if (page.read() > 0) yield page.take();
}

/**
 * As {@link memberPages}, from a source that is read piece by piece.
 *
 * @example
 * ```ts
 * import { memberPagesAsync } from "snapchat-destination/audiences";
 *
 * export async function count(addresses: AsyncIterable<string>) {
 *   let people = 0;
 *   for await (const { hashes } of memberPagesAsync("email", addresses)) people += hashes.length;
 *   return people;
 * }
 * ```
 */
export async function* memberPagesAsync(
  kind: MemberKind,
  values: AsyncIterable<unknown> | Iterable<unknown>,
  options: MemberPagesOptions = {},
): AsyncGenerator<MemberPage> {
  const page = openPage(kind, options);
  for await (const value of values) {
    if (page.add(value)) yield page.take();
  }
  if (page.read() > 0) yield page.take();
}

function openPage(kind: MemberKind, options: MemberPagesOptions) {
  const size = Math.max(1, Math.min(options.pageSize ?? LIMITS.identifiersPerRequest, LIMITS.identifiersPerRequest));
  let hashes: string[] = [];
  let omitted: MemberPage["omitted"] = {};
  let read = 0;
  return {
    read: () => read,
    /** Whether the page is full now. */
    add(value: unknown): boolean {
      read++;
      const digest = memberDigest(kind, value, options);
      if (typeof digest === "string") return hashes.push(digest) >= size;
      omitted[digest.reason] = (omitted[digest.reason] ?? 0) + 1;
      return false;
    },
    take(): MemberPage {
      const page = { hashes, read, omitted };
      hashes = [];
      omitted = {};
      read = 0;
      return page;
    },
  };
}
