import { SnapchatError } from "../errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { isRecord } from "./answer.ts";

/** Kinds of identifiers that customer lists take. Names and addresses are not among them. */
export type MemberKind = "email" | "phone" | "mobile_ad_id";

/** Snapchat's names of the kinds; one kind a request (Ads-API/customer-lists). */
export const MEMBER_SCHEMAS: Readonly<Record<MemberKind, string>> = {
  email: "EMAIL_SHA256",
  phone: "PHONE_SHA256",
  mobile_ad_id: "MOBILE_AD_ID_SHA256",
};

/** What became of one membership request. */
export interface MembersAccepted {
  /** Identifiers that were asked for, repetitions included. */
  asked: number;
  /** Different identifiers that were sent. */
  sent: number;
  /** Identifiers that Snapchat says it took (`number_uploaded_users`): accepted, not matched. */
  accepted: number;
  /**
   * People matched: Snapchat never says it of a request. The segment's `approximateNumberUsers` tells how many it has
   * matched in all, hours later.
   */
  matched: undefined;
  requestId?: string | undefined;
}

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * The digests once each, in lower case.
 *
 * @throws {SnapchatError} `identifiers_not_hashed`, `too_many_identifiers` (fix_data), `member_kind_invalid`
 */
export function checkedHashes(kind: MemberKind, hashes: readonly string[]): string[] {
  if (!Object.hasOwn(MEMBER_SCHEMAS, kind)) throw kindInvalid();
  const different = new Set<string>();
  let wrong = 0;
  for (const hash of hashes) {
    const digest = typeof hash === "string" ? (DIGEST.test(hash) ? hash : hash.toLowerCase()) : "";
    if (DIGEST.test(digest)) different.add(digest);
    else wrong++;
  }
  if (wrong > 0) throw notHashed(wrong, hashes.length);
  if (different.size > LIMITS.identifiersPerRequest) throw tooMany(different.size);
  return [...different];
}

/**
 * The body of a membership request. Digests need no escaping, so their text is joined, a hundred thousand in one go: with
 * what stands around them, since a text of seven megabytes that grows by a word is copied before it is sent.
 */
export function membersBody(kind: MemberKind, hashes: readonly string[]): string {
  const parts = [...hashes];
  parts[0] = `{"users":[{"schema":["${MEMBER_SCHEMAS[kind]}"],"data":[["${parts[0]}`;
  parts.push(`${parts.pop()}"]]}]}`);
  return parts.join('"],["');
}

/** How many Snapchat took. An answer that succeeded without a number took them all. */
export function acceptedOf(user: unknown, sent: number): number {
  const number = isRecord(user) ? Number(user.number_uploaded_users) : Number.NaN;
  return Number.isFinite(number) ? number : sent;
}

function kindInvalid(): SnapchatError {
  return new SnapchatError({
    code: "member_kind_invalid",
    kind: "fix_data",
    message: "Customer lists take e-mail addresses, phone numbers and mobile advertising ids, nothing else.",
    fix: "Use email, phone or mobile_ad_id.",
  });
}

function notHashed(wrong: number, count: number): SnapchatError {
  return new SnapchatError({
    code: "identifiers_not_hashed",
    kind: "fix_data",
    message: `${wrong} of ${count} identifiers are no SHA-256 digests.`,
    fix: "Hash them with hashedMember() of snapchat-destination/identity and leave out what it leaves out.",
    details: { wrong, count },
  });
}

function tooMany(count: number): SnapchatError {
  return new SnapchatError({
    code: "too_many_identifiers",
    kind: "fix_data",
    message: `One request takes ${LIMITS.identifiersPerRequest} identifiers, not ${count}.`,
    fix: "Send them in pages: memberPages() makes them.",
    details: { count },
  });
}
