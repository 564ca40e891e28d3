import { LIMITS } from "../wire/limits.ts";

/** The numbers delivery works with. Each has a default; tests and hosts may pass others. */
export interface DeliverySettings {
  /** How long a claim is ours without renewal. */
  leaseMs: number;
  /** How often a claim is renewed while it is worked on. */
  renewEveryMs: number;
  /** Deadline of one request. */
  requestTimeoutMs: number;
  /** Events wait this long for company. */
  lingerMs: number;
  /** Changes of membership wait this long, so that who leaves and comes back costs nothing. */
  memberLingerMs: number;
  /** Nothing is sent again whose outcome has been unknown longer than Snapchat remembers. */
  unknownMs: number;
  /** The same for a PURCHASE with an order id. Off by default: that memory is known between pixel and server only. */
  purchaseUnknownMs: number | undefined;
  /** A backlog's entry is stamped before it is sent when nothing was noted for this long: a crash is then dated. */
  stampAfterMs: number;
  /** An entry claimed this often without a settle has been tried alone; after that it is dead. */
  maxClaims: number;
  /** Failed requests after which an item is dead. */
  maxAttempts: number;
  /** The same call again answers `duplicate` this long after its entries left. */
  dedupeMs: number;
  /** The part of each limit that background work may use. */
  limitShare: number;
  /** Entries waiting for one destination, in items, above which `append` refuses. */
  maxQueuedItems: number;
  /** The same in bytes. */
  maxQueuedBytes: number;
  /** After an unknown membership outcome the group waits this long, so that a late request has landed. */
  settleDownMs: number;
  /** Identifiers of one membership request. */
  identifiersPerRequest: number;
  /** A member is sent again this long after it was last sent, so that a segment's retention does not drop it. */
  renewMembersAfterMs: number | undefined;
  /** How often the retention sweeps run. */
  sweepEveryMs: number;
  /** Entries older than this are dead (`expired`), waiting or paused. */
  entryRetentionMs: number;
  deadLetterRetentionMs: number;
  journalRetentionMs: number;
  /** Journal lines for delivered events: all, none, or this share of requests. Failures are always written. */
  journalShare: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const DEFAULT_SETTINGS: Readonly<DeliverySettings> = {
  leaseMs: 60_000,
  renewEveryMs: 20_000,
  requestTimeoutMs: 15_000,
  lingerMs: 200,
  memberLingerMs: 60_000,
  unknownMs: LIMITS.dedupeMs,
  purchaseUnknownMs: undefined,
  stampAfterMs: 12 * HOUR,
  maxClaims: 5,
  maxAttempts: 200,
  dedupeMs: LIMITS.dedupeMs,
  limitShare: 0.9,
  maxQueuedItems: 5_000_000,
  maxQueuedBytes: 4 * 1024 ** 3,
  settleDownMs: 30_000,
  identifiersPerRequest: LIMITS.identifiersPerRequest,
  renewMembersAfterMs: undefined,
  sweepEveryMs: HOUR,
  entryRetentionMs: 37 * DAY,
  deadLetterRetentionMs: 30 * DAY,
  journalRetentionMs: 7 * DAY,
  journalShare: 0.02,
};
