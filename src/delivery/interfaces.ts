import type { Secret } from "../errors.ts";

/**
 * What delivery needs of its peers. Each comes in as an instance, so that this room can be built, tested and replaced
 * alone. The clients of `./capi` and `./audiences` fit {@link EventSender} and {@link SegmentSender} as they are.
 */

/** One of Snapchat's limits that a credential's requests fall under. */
export interface LimitScope {
  /** The same key in every process that shares the limit: `oauth-token/<id>`, `oauth-app/<client id>`. */
  key: string;
  /** Requests in any interval of `windowMs`. */
  perWindow: number;
  windowMs: number;
}

/** What a request leaves with. */
export interface Credential {
  id: string;
  kind: "oauth" | "conversions_token";
  token: Secret;
  /** Rises with every refresh or new token. */
  version: number;
  /** The limits that event requests and segment requests fall under. */
  limits: { events: readonly LimitScope[]; segments: readonly LimitScope[] };
}

/** The vault and the destinations' tokens, seen from the worker. */
export interface Credentials {
  /** @throws {SnapchatError} kind `reauthorize` where a person must sign in again, else kind `retry`. */
  resolve(credentialId: string): Promise<Credential>;
  /**
   * Snapchat refused the token. `retry`: there is a newer one, resolve again. `pause`: a person has to act; the work of
   * this credential waits until `outbox.resume({ credentialId }, "reauth_required")`.
   */
  refused(credential: Credential): Promise<"retry" | "pause">;
  /**
   * Whether a person still has to act, read afresh. Asked after the pause: where somebody acted in that very moment, their
   * resume came before it and will not come again. Absent: it is so.
   */
  lost?(credentialId: string): Promise<boolean>;
}

/** What of an item tells whose it is: an event's JSON text, or a membership's digests. */
export type AskedItem = { json: string } | { identifiers: readonly { kind: MemberKind; hash: Uint8Array | string }[] };

/** Tombstones and consent, asked once more before a request leaves. */
export interface Consent {
  /**
   * May this still be sent? `subjects` are keyed digests of the people the item is about; `item` is the item itself, for
   * a host's own answer.
   *
   * A rejection keeps the item waiting: nothing is sent while the answer is not known.
   */
  allowed(
    tenantId: string,
    destinationId: string,
    subjects: readonly string[],
    acceptedAtMs: number,
    item: AskedItem,
  ): Promise<boolean> | boolean;
  /**
   * The same for a page of a list: places of identifiers (32 bytes each, one after the other) that may not enter.
   * `undefined`: all may. Absent: lists are not asked about again.
   */
  deniedMembers?(
    tenantId: string,
    destinationId: string,
    kind: MemberKind,
    hashes: Uint8Array,
    acceptedAtMs: number,
  ): Promise<ReadonlySet<number> | undefined>;
}

/** Seals what is stored. `aad` binds the bytes to their place: moved elsewhere, they do not open. */
export interface Sealer {
  seal(plain: Uint8Array, aad: string): Uint8Array | Promise<Uint8Array>;
  open(sealed: Uint8Array, aad: string): Uint8Array | Promise<Uint8Array>;
}

/** What became of one event of a request. */
export interface EventOutcome {
  status: "delivered" | "rejected" | "retry" | "unauthorized" | "forbidden";
  /** `false`: no answer that says so; Snapchat may have taken it. */
  known: boolean;
  /** Snapchat's words, redacted. */
  message?: string | undefined;
  code?: string | undefined;
  retryAfterMs?: number | undefined;
  requestId?: string | undefined;
}

/** One HTTP request as it went. */
export interface RequestRecord {
  /** `undefined`: no answer. */
  status: number | undefined;
  requestId?: string | undefined;
  durationMs: number;
  items: number;
  /** `events` or `validate`. */
  purpose?: string | undefined;
  rateLimit?: { limit: number; remaining: number; resetInMs: number } | undefined;
}

export interface EventSendOptions {
  token: Secret;
  testEventCode?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Called before every request, extra ones to find a bad event included. If it rejects, that request does not leave. */
  beforeRequest?: () => Promise<void>;
  validateOnly?: boolean;
}

/** Sends prepared events of one asset. Structurally `ConversionsClient`. */
export interface EventSender {
  sendPrepared(
    assetId: string,
    items: { json: string; eventId?: string }[],
    options: EventSendOptions,
  ): Promise<{ outcomes: EventOutcome[]; requests: RequestRecord[] }>;
}

/** Snapchat's kinds of identifiers in a segment, in the order of {@link MemberKind}. */
export const MEMBER_KINDS = ["email", "phone", "mobile_ad_id"] as const;
/** 0 email, 1 phone, 2 mobile ad id: as the members port numbers them. */
export type MemberKind = 0 | 1 | 2;

export interface SegmentSendOptions {
  token: Secret;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** A refused creation is explained, which takes a request more. */
  explainRefusal?: boolean;
  /** Called before every request of a call that makes several. If it rejects, that request does not leave. */
  beforeRequest?: () => Promise<void>;
}

/** A segment as far as delivery looks at it. */
export interface SegmentSeen {
  id: string;
  description?: string | undefined;
}

/** Makes segments and changes their members. Structurally `AudiencesClient`. */
export interface SegmentSender {
  readonly segments: {
    create(
      adAccountId: string,
      segment: { name: string; description?: string; retentionInDays?: number },
      options: SegmentSendOptions,
    ): Promise<SegmentSeen>;
    list(adAccountId: string, options: SegmentSendOptions): AsyncIterable<SegmentSeen>;
    delete(segmentId: string, options: SegmentSendOptions): Promise<void>;
  };
  readonly members: {
    add(
      segmentId: string,
      kind: (typeof MEMBER_KINDS)[number],
      hashes: string[],
      options: SegmentSendOptions,
    ): Promise<{ accepted: number; requestId?: string | undefined }>;
    remove(
      segmentId: string,
      kind: (typeof MEMBER_KINDS)[number],
      hashes: string[],
      options: SegmentSendOptions,
    ): Promise<{ accepted: number; requestId?: string | undefined }>;
  };
}
