import type { Knobs } from "../knobs.ts";
import type { Random } from "../random.ts";
import type { AdAccount } from "../world.ts";
import { isoTime } from "./envelope.ts";

/** Snapchat's names of the kinds of identifiers. */
export type MemberKind = "EMAIL_SHA256" | "PHONE_SHA256" | "MOBILE_AD_ID_SHA256";
export const MEMBER_KINDS: readonly MemberKind[] = ["EMAIL_SHA256", "PHONE_SHA256", "MOBILE_AD_ID_SHA256"];

/** A segment and who is in it. */
export interface Segment {
  id: string;
  /** Order of creation. */
  order: number;
  account: AdAccount;
  name: string;
  description: string | undefined;
  sourceType: string;
  retentionInDays: number;
  status: string;
  createdAt: number;
  updatedAt: number;
  /** What a lookalike or another kind was made from. */
  spec: Record<string, unknown>;
  /** When each identifier was last added, by kind. */
  members: Record<MemberKind, Map<string, number>>;
  /** When the last upload will have been matched; 0: nothing was ever uploaded. */
  matchedAt: number;
  /** An upload waits to be matched. */
  matching: boolean;
  /** What the last finished matching found. */
  matched: number;
  everMatched: boolean;
  /** Accepted changes that have not taken effect, in the order in which they will. */
  pending: Change[];
}

interface Change {
  at: number;
  kind: MemberKind;
  adds: boolean;
  hashes: readonly string[];
}

const DAY_MS = 86_400_000;
/** Retention that means for ever. */
export const LIFETIME_DAYS = 9_999;

const FIRST_ID = 5_000_000_000_000_000;

/** All segments of all ad accounts. */
export function createSegments(knobs: Knobs, random: Random, now: () => number) {
  const byId = new Map<string, Segment>();
  const byAccount = new Map<string, Map<string, Segment>>();
  let created = 0;

  function accountSegments(accountId: string): Map<string, Segment> {
    let segments = byAccount.get(accountId);
    if (!segments) {
      segments = new Map();
      byAccount.set(accountId, segments);
    }
    return segments;
  }

  /** Brings a segment up to now: changes take effect, members expire, matching finishes. */
  function settle(segment: Segment): void {
    while (segment.pending[0] && segment.pending[0].at <= now()) apply(segment, segment.pending.shift() as Change);
    const due = segment.matching && segment.matchedAt <= now();
    if (expire(segment) || due) segment.matched = Math.round(sizeOf(segment) * knobs.matchedShare);
    if (due) {
      segment.matching = false;
      segment.everMatched = true;
    }
  }

  /** Whether somebody's time was over in a list that is matched already. */
  function expire(segment: Segment): boolean {
    if (segment.retentionInDays >= LIFETIME_DAYS) return false;
    const notBefore = now() - segment.retentionInDays * DAY_MS;
    const before = sizeOf(segment);
    for (const members of Object.values(segment.members)) {
      // A renewed identifier moves to the end, so the oldest stand first.
      for (const [hash, addedAt] of members) {
        if (addedAt > notBefore) break;
        members.delete(hash);
      }
    }
    return !segment.matching && sizeOf(segment) < before;
  }

  return {
    byId,
    get(id: string): Segment | undefined {
      const segment = byId.get(id);
      if (segment) settle(segment);
      return segment;
    },
    ofAccount: (accountId: string): Segment[] => [...accountSegments(accountId).values()],
    countOf: (accountId: string): number => accountSegments(accountId).size,
    create(
      account: AdAccount,
      input: Pick<Segment, "name" | "description" | "sourceType" | "retentionInDays" | "spec">,
    ) {
      created += 1;
      const at = now();
      const segment: Segment = {
        ...input,
        id: String(FIRST_ID + created),
        order: created,
        account,
        status: knobs.newSegmentStatus,
        createdAt: at,
        updatedAt: at,
        members: { EMAIL_SHA256: new Map(), PHONE_SHA256: new Map(), MOBILE_AD_ID_SHA256: new Map() },
        matchedAt: 0,
        matching: false,
        matched: 0,
        everMatched: false,
        pending: [],
      };
      byId.set(segment.id, segment);
      accountSegments(account.id).set(segment.id, segment);
      return segment;
    },
    remove(segment: Segment): void {
      byId.delete(segment.id);
      accountSegments(segment.account.id).delete(segment.id);
    },
    change(segment: Segment, kind: MemberKind, adds: boolean, hashes: readonly string[]): void {
      const at = now() + Math.round(random.next() * knobs.membershipSpreadMs);
      const change = { at, kind, adds, hashes };
      if (at <= now() && segment.pending.length === 0) {
        apply(segment, change);
      } else {
        const later = segment.pending.findIndex((other) => other.at > at);
        segment.pending.splice(later < 0 ? segment.pending.length : later, 0, change);
      }
      uploaded(segment, now());
    },
    empty(segment: Segment): void {
      for (const members of Object.values(segment.members)) members.clear();
      segment.pending.length = 0;
      segment.matched = 0;
      uploaded(segment, now());
    },
    entity(segment: Segment): Record<string, unknown> {
      settle(segment);
      return {
        id: segment.id,
        created_at: isoTime(segment.createdAt),
        updated_at: isoTime(segment.updatedAt),
        name: segment.name,
        ...(segment.description === undefined ? {} : { description: segment.description }),
        ad_account_id: segment.account.id,
        organization_id: segment.account.organizationId,
        status: segment.status,
        targetable_status: targetable(segment),
        upload_status: segment.matching ? "PROCESSING" : segment.matchedAt === 0 ? "NO_UPLOAD" : "COMPLETE",
        source_type: segment.sourceType,
        retention_in_days: segment.retentionInDays,
        approximate_number_users: segment.matched,
        visible_to: [`AdAccountEntity_${segment.account.id}`],
        ...segment.spec,
      };
    },
    clear() {
      byId.clear();
      byAccount.clear();
    },
  };

  function apply(segment: Segment, { at, kind, adds, hashes }: Change): void {
    const members = segment.members[kind];
    if (!adds) {
      for (const hash of hashes) members.delete(hash);
      return;
    }
    const ordered = segment.retentionInDays < LIFETIME_DAYS;
    for (const hash of hashes) {
      if (ordered) members.delete(hash);
      members.set(hash, at);
    }
  }

  function uploaded(segment: Segment, at: number): void {
    segment.matchedAt = at + knobs.processingMs;
    segment.matching = true;
    segment.updatedAt = at;
  }

  function targetable(segment: Segment): string {
    if (!segment.everMatched) return "NOT_READY";
    return segment.matched < knobs.minimumAudience ? "TOO_FEW_USERS" : "READY";
  }
}

export type Segments = ReturnType<typeof createSegments>;

export function sizeOf(segment: Segment): number {
  const { EMAIL_SHA256: emails, PHONE_SHA256: phones, MOBILE_AD_ID_SHA256: devices } = segment.members;
  return emails.size + phones.size + devices.size;
}
