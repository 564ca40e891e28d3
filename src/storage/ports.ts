// The contract between the library and a storage engine, version 1. Frozen: adapters are written by others.
// They are judged by the conformance kit, which holds one named case for every sentence below.

/** Rules for all ports.
 *  1. No caller clock crosses a port: inputs are durations (…Ms), the ENGINE's clock decides. Factories take `clock?` for tests: with it, every
 *     statement uses that time instead, so that a test can jump 48 h on any engine; the kit runs once with it and once without.
 *  2. Values are bytes; the library encodes (first byte = format version). Ids are ≤ 200 bytes of any UTF-8, record keys ≤ 2,000; adapters escape them.
 *  3. Calls are safe to repeat after an unknown outcome; where a repeat may answer otherwise, the call says so. Failures are StorageError.
 *     Nothing acknowledged before it is stored. */
export interface Storage {
  readonly portVersion: 1;
  readonly name: string;
  readonly capabilities: {
    durability: "none" | "process" | "power-loss" | "replicated"; // what an acknowledged append survives; Redis: stated by the host, checked by check()
    shared: "process" | "machine" | "network";
    transactions: boolean; // append({ tx }); false: `tx` is refused with capability_missing
    wakes: boolean; // wait() hears other processes
    maxEntryBytes: number; // ≥ 65,536; the library splits larger entries
    maxValueBytes: number; // of one record, ≥ 65,536
  };
  readonly records: Records;
  readonly outbox: Outbox;
  readonly members?: Members; // absent: segments.sync "mirror", retention renewal, re-send after recreate refuse with `capability_missing`
  readonly journal?: Journal; // absent: receipts.find() refuses
  readonly slots?: Slots; // absent: limiter on records
  /** Create or migrate; safe from 20 processes at once; expand-only within a major, so N and N−1 run together. */
  migrate(): Promise<void>;
  /** Settings of the engine that break a promise (eviction, no AOF, lazy fsync, missing rights, clock skew over 1 s), as findings. */
  check(): Promise<Finding[]>;
  /** Ends what the adapter opened by itself; every later call fails as `closed`. The host closes its own clients. */
  close(): Promise<void>;
}
/** What an adapter throws; see `storageError`. */
export interface StorageError extends Error {
  code:
    | "version_conflict"
    | "unknown_group"
    | "too_large"
    | "unavailable"
    | "throttled"
    | "capability_missing"
    | "closed"
    | "corrupt";
  retryable: boolean; // the library waits and repeats; the adapter does not
  retryAfterMs?: number;
}

/** Configuration and coordination: destinations, connections, sealed tokens, segment links, tombstones; under "~" locks, states, limiter. */
export interface Records {
  /** The record, or `undefined`. */
  get(key: string): Promise<Record_ | undefined>; // expired = absent, swept or not
  /** ifVersion: undefined = whatever; 0 = must not exist (expired = does not); n = must be n. version_conflict otherwise. Returns the new version.
   *  Without ttlMs it never expires, also where the old value did. A repeat may meet its own first write as version_conflict: re-read and compare. */
  put(key: string, value: Uint8Array, o?: { ifVersion?: number; ttlMs?: number }): Promise<number>;
  /** false: was absent. version_conflict: present at another version. */
  delete(key: string, o?: { ifVersion?: number }): Promise<boolean>;
  /** Byte order of the UTF-8 key, `after` exclusive, no expired ones; fewer than `limit` = the end. Keys under "~" are not listed, so need no index. */
  list(prefix: string, o: { after?: string; limit: number }): Promise<Record_[]>;
  /** The engine's clock, ms since 1970. An engine without one answers its own process's, and check() says so. */
  now(): Promise<number>;
  /** Optional. Without it the library re-reads what it caches every 2 s. */
  watch?(prefix: string, signal: AbortSignal): AsyncIterable<string>;
}
/** version: safe integer, strictly rising per key and NEVER reused after delete or expiry (no ABA), so it doubles as a fencing number. */
export interface Record_ {
  key: string;
  value: Uint8Array;
  version: number;
}

/** Identity: destinationId + name. */
export interface Group {
  tenantId: string; // fairness
  destinationId: string; // bound, stats, purge
  name: string; // "events/<asset>" | "members/<segment link>"
  exclusive: boolean; // true: at most one open claim, strictly by position; a head that waits for its retry holds the group
  credentialId: string; // claim() can skip one that is blocked; pause() can stop one
}
/** What a pause or a burial is about: a destination, one of its groups, or everything of a credential. */
export type Target = { destinationId: string; group?: string } | { credentialId: string };

/** The queue: entries in groups, claims with leases, dead letters. */
export interface Outbox {
  /** Makes groups known; outside any host transaction, when a destination or segment link is saved. Idempotent; overwrites all but the identity
   *  (a new token = a new credentialId), for entries already queued too. append() to a group never opened: unknown_group. */
  open(groups: Group[]): Promise<void>;
  /** ≤ 1,000 entries of any groups, answered in order. All or none per group; over all groups only where `transactions` (a failed call is repeated with
   *  the same ids, stored ones answer "duplicate"). Same id while stored and dedupeMs after it left → "duplicate", with the first one's position.
   *  `tx`: anything with query(text, values); the entry exists when the host commits. Takes no lock another append waits for, the same id excepted. */
  append(entries: NewEntry[], o?: { tx?: unknown }): Promise<Appended[]>;
  /** Entries of ONE group, in position order: as many as fit, at least one even if that one is over maxItems or maxBytes.
   *  Due: its delay is over, its group is not paused, held, of a skipped credential, or exclusive and claimed. Of the tenants with a due entry the one
   *  with the smallest virtual time; in it the lowest priority number, then the oldest, but every fourth claim of a tenant the oldest whatever its
   *  priority; that entry's group. A first delay (linger) only says when the group becomes due: its other never-claimed entries come along; an entry
   *  waiting for a retry comes when its own time is over. An entry with claims ≥ 5 comes alone.
   *  Virtual time: +1 a claim; a tenant that returns takes the larger of its own and the minimum of those with due entries. An engine with partitions
   *  keeps this inside each and takes partitions by the number of tenants due in them.
   *  Counts the claim durably BEFORE returning. A lost answer costs one lease and one count, nothing else. */
  claim(o: {
    owner: string;
    leaseMs: number;
    maxItems: number;
    maxBytes: number;
    skipCredentials?: readonly string[];
  }): Promise<Claim | undefined>;
  /** From now. false: lost; stop before the next byte is written. */
  extend(claim: Claim, leaseMs: number): Promise<boolean>;
  /** Atomic and fenced: all outcomes and the hold, or "lost" and nothing. Lost exactly when another claim has taken one of its entries (exclusive: the
   *  group) or they were buried or purged; a lease that ran out and that nobody took still settles. Repeated within its lease: "settled" again, nothing
   *  changed. Entries not named return to ready, their claims not reset. An id that is not in the claim is an error. */
  settle(claim: Claim, outcomes: Outcome[], o?: { holdGroupMs?: number }): Promise<"settled" | "lost">;
  /** Nothing was sent: entries return to ready, neither the claim nor the turn is counted. */
  release(claim: Claim, o?: { holdGroupMs?: number }): Promise<void>;
  /** Claims skip it; nothing is counted meanwhile. Survives restarts, open() and entries appended later. Reasons are a set: claims go on when the last
   *  is resumed. A lost login pauses its credential, so events on a Conversions token go on. "reauth_required" | "operator" | … */
  pause(target: Target, reason: string): Promise<void>;
  /** Takes one reason away. */
  resume(target: Target, reason: string): Promise<void>;
  /** Returns when work may be ready, or after maxMs. Spurious returns allowed. */
  wait(o: { maxMs: number; signal: AbortSignal }): Promise<void>;
  /** Approximate, at most 1 s old. Feeds the soft bound, stats() and `outbox_full`. */
  depth(destinationIds?: string[]): Promise<Depth[]>;
  /** Newest first. Replay = append({ id: digest of dead.id, position: dead.position, dedupeMs: 48 h }), then dead.delete: safe to repeat. */
  readonly dead: {
    /** A page of dead letters. */
    list(o: {
      destinationId: string;
      reason?: string;
      maxAgeMs?: number;
      after?: string;
      limit: number;
    }): Promise<Page<DeadLetter>>;
    /** How many were there and are gone. */
    delete(o: { destinationId: string; ids: string[] }): Promise<number>;
  };
  /** Unclaimed entries become dead letters whole (itemIndex −1, their progress as detail), paused or not: a dropped queue, entries past their age.
   *  false until none is left. */
  bury(target: Target, reason: string, o: { olderThanMs?: number; limit: number }): Promise<boolean>;
  /** Removes dead letters of that age. false until none is left. */
  expire(o: { deadOlderThanMs: number; limit: number }): Promise<boolean>;
  /** Forgets a destination (offboarding): entries, dead letters, groups, not the groups' fences. Returns false until nothing is left. */
  purge(destinationId: string, o: { limit: number }): Promise<boolean>;
}
/** An entry to store. */
export interface NewEntry {
  id: string;
  group: Pick<Group, "destinationId" | "name">;
  priority: 0 | 1 | 2 | 3; // live events, membership, bulk, replay
  items: number;
  payload: Uint8Array;
  delayMs?: number; // linger
  position?: number; // absent: the next one. Given (replay; the later pages of a run carry its first page's): kept, counter unmoved
  dedupeMs?: number; // default 0
}
/** position rises per group: of two appends, one answered before the other was called, the later has the higher. */
export interface Appended {
  status: "stored" | "duplicate";
  position: number;
}
/** fence rises per group with every claim and never goes back: not when the group is empty, purged and opened again, nor after a restart.
 *  In a shared group an entry belongs to the claim that took it last. */
export interface Claim {
  id: string;
  fence: number;
  group: Group;
  entries: ClaimedEntry[];
}
/** An entry in the hands of a claim. */
export interface ClaimedEntry {
  id: string;
  payload: Uint8Array;
  items: number;
  position: number; // decides "last wins"; survives retry, dead letter and replay
  claims: number; // since the last settle that named it, this one included
  ageMs: number; // since append
  progress?: Uint8Array; // ours, from the last settle: open-item bitmap, attempts, firstMaybeSentAt
}
/** No `rest`: the entry is gone. With it: payload unchanged, progress replaced, ready again after retryInMs.
 *  dead[].payload: that one item, cut out and sealed by the library; a delivered item never reaches a dead letter. */
export interface Outcome {
  id: string;
  dead?: { itemIndex: number; reason: string; payload: Uint8Array; detail: Uint8Array }[];
  rest?: { retryInMs: number; progress: Uint8Array };
}

/** `link` as in the group's name. */
export interface SegmentRef {
  tenantId: string;
  destinationId: string;
  link: string;
}
/** What Snapchat should hold. Rows: (segment, kind, hash, person) → present, position, sentAt, run. Last position wins; ties: remove.
 *  A hash is held while any person's row of it is present. No person on add: the nobody row; on remove: every person's row. */
export interface Members {
  /** Reads only. ≤ 10,000 ops, judged together. Per (kind, hash): held after all of them ≠ held before → exactly one op of that direction has bit 1;
   *  held, an add among them, and sent longer than renewAfterMs ago → one add has bit 1; else all 0. Bit i = byte i>>3, value 1<<(i&7). */
  diff(segment: SegmentRef, ops: MemberOp[], o?: { renewAfterMs?: number }): Promise<Uint8Array>;
  /** After Snapchat accepted: ALL ops, sent or not; `sent` = diff's bits, only those move sentAt. Ops older than their row are ignored.
   *  "lost" if a higher fence has committed. A remove leaves a row that is not present, for expire(). */
  commit(
    segment: SegmentRef,
    ops: MemberOp[],
    o: { fence: number; sent: Uint8Array; run?: number },
  ): Promise<"committed" | "lost">;
  /** Present rows, paged: sweep (notSeenIn + positionBefore), expiry (sentBeforeMs), recreate (all), one person (person). Filters are joined by AND. */
  scan(segment: SegmentRef, o: MemberFilter & { after?: string; limit: number }): Promise<Page<MemberRow>>;
  /** Present rows under a filter. */
  count(segment: SegmentRef, o: MemberFilter): Promise<number>; // the 50 % guard, before anything is removed
  /** Where in a tenant these hashes are present. */
  find(tenantId: string, hashes: Uint8Array[]): Promise<{ segment: SegmentRef; hash: Uint8Array }[]>; // forget()
  /** Forgets a segment. */
  drop(segment: SegmentRef): Promise<void>;
  /** Removes rows of members that left that long ago. `false` until none is left. */
  expire(removedOlderThanMs: number, o: { limit: number }): Promise<boolean>;
}
/** One change of one identifier: kind 0 mail, 1 phone, 2 advertising id. */
export interface MemberOp {
  op: "add" | "remove";
  kind: 0 | 1 | 2;
  hash: Uint8Array /* 32 */;
  person?: Uint8Array /* 16 */;
  position: number;
}
/** Which rows; what is given is joined by AND. */
export interface MemberFilter {
  run?: number;
  notSeenIn?: number;
  positionBefore?: number;
  sentBeforeMs?: number;
  person?: Uint8Array;
}
/** A present member. */
export type MemberRow = Pick<MemberOp, "kind" | "hash" | "person" | "position">;

/** One line per request or ingest call. Written after settle, best effort, batched; never in the way of delivery. A repeated write may store a line
 *  twice; `data` carries the line's own id. find: newest first; `id` matches one of `ids` exactly. */
export interface Journal {
  /** Stores lines. */
  write(lines: { destinationId: string; ids: string[] /* event and order ids */; data: Uint8Array }[]): Promise<void>;
  /** A page of lines of a destination, by id and age. */
  find(o: {
    destinationId: string;
    id?: string;
    fromAgeMs: number;
    toAgeMs: number;
    after?: string;
    limit: number;
  }): Promise<Page<Uint8Array>>;
  /** Removes lines of that age. `false` until none is left. */
  expire(olderThanMs: number, o: { limit: number }): Promise<boolean>;
}

/** Send slots on the engine's clock. In no interval of windowMs, wherever it begins, lie more than perWindow slots of a key (aligned windows let twice
 *  as many through at the seam). Each call is judged by the numbers it brings. */
export interface Slots {
  /** All scopes or none, per slot. 1 … want slots, the last at most 1,000 ms ahead; none that soon: retryInMs and the key that blocks.
   *  A slot used later than 250 ms after its time is void (checked by the sender, monotonic clock); an unused slot is lost. */
  reserve(
    scopes: { key: string; perWindow: number; windowMs: number }[],
    want: number,
  ): Promise<{ inMs: number[] } | { retryInMs: number; blockedBy: string }>;
  /** A 429: no new slot of the key before then, in every process; of two blocks the later end counts; slots already given stay good. */
  block(key: string, forMs: number): Promise<void>;
}
/** A page of a list. */
export interface Page<T> {
  items: T[];
  after?: string;
} // no `after`: the end
/** A setting of the engine that breaks a promise, or may. */
export interface Finding {
  code: string;
  severity: "problem" | "warning";
  message: string;
  fix: string;
}
/** What waits of a destination. */
export interface Depth {
  destinationId: string;
  entries: number;
  items: number;
  bytes: number;
  oldestAgeMs: number;
  paused: string[];
  dead: Record<string, number>;
}
/** What could not be delivered. */
export interface DeadLetter {
  id: string;
  entryId: string;
  itemIndex: number;
  group: Group;
  reason: string;
  ageMs: number;
  claims: number;
  position: number;
  payload: Uint8Array;
  detail: Uint8Array;
}
