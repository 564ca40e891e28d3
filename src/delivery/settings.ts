import { SnapchatError } from "../errors.ts";
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
  /** Failed requests after which an item is dead. */
  maxAttempts: number;
  /** The shortest wait before another try. */
  retryMinMs: number;
  /** The longest; also between two probes of an asset that does not answer. */
  retryMaxMs: number;
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
  maxAttempts: 200,
  retryMinMs: 1_000,
  retryMaxMs: 15 * 60_000,
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

/** Numbers that may be nought. */
const MAY_BE_ZERO = new Set<string>(["lingerMs", "memberLingerMs", "journalShare", "settleDownMs", "dedupeMs"]);
const SHARES = new Set<string>(["limitShare", "journalShare"]);

/**
 * The defaults with a host's own numbers.
 *
 * @throws {SnapchatError} `delivery_settings_invalid` (fix_configuration)
 */
export function settingsOf(own: Partial<DeliverySettings> = {}): DeliverySettings {
  const settings: DeliverySettings = { ...DEFAULT_SETTINGS, ...own };
  for (const name of Object.keys(DEFAULT_SETTINGS) as (keyof DeliverySettings)[]) {
    const value: unknown = settings[name];
    if (value === undefined && DEFAULT_SETTINGS[name] === undefined) continue;
    if (typeof value !== "number" || !(value >= 0)) throw invalid(name, "is not a number from 0 up");
    if (value === 0 && !MAY_BE_ZERO.has(name)) throw invalid(name, "is 0");
    if (value > 1 && SHARES.has(name)) throw invalid(name, "is a part: from 0 to 1");
  }
  const { leaseMs, renewEveryMs, requestTimeoutMs } = settings;
  if (requestTimeoutMs + settleMarginMs(settings).members + renewEveryMs > leaseMs) {
    throw invalid("leaseMs", "does not hold a request, its settle and the time between two renewals");
  }
  return settings;
}

/** The bounds of the wait between two tries. */
export const retryBounds = ({ retryMinMs, retryMaxMs }: DeliverySettings) => ({ minMs: retryMinMs, maxMs: retryMaxMs });

/** The same between two probes of an asset that failed five times in a row. */
export const probeBounds = ({ retryMinMs, retryMaxMs }: DeliverySettings) => ({
  minMs: Math.min(5 * retryMinMs, retryMaxMs),
  maxMs: retryMaxMs,
});

/** What is kept under the lease after a request's deadline: for the settle, for members also for what is written down. */
export function settleMarginMs({ leaseMs }: Pick<DeliverySettings, "leaseMs">): { events: number; members: number } {
  return { events: Math.min(5_000, leaseMs / 12), members: Math.min(10_000, leaseMs / 6) };
}

function invalid(name: string, why: string): SnapchatError {
  return new SnapchatError({
    code: "delivery_settings_invalid",
    kind: "fix_configuration",
    message: `The delivery setting ${name} ${why}.`,
    fix: "Leave it out for the default; docs/delivery.md says what each number does.",
    details: { setting: name },
  });
}
