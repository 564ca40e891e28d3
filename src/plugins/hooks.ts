import type { CanonicalContext, CanonicalEvent, Source } from "../rules/event.ts";
import type { Operator } from "../rules/filter.ts";
import type { MappingFunction } from "../rules/functions.ts";
import type { OneOrMany, SnapEventInput, UserDataInput } from "../wire/event.ts";

/** What every hook is told besides its payload. */
export interface HookContext {
  readonly tenantId: string;
  /** Absent where the call is not about one destination. */
  readonly destinationId?: string | undefined;
  /** Aborted when the hook's time is over; what it answers afterwards is not heard. */
  readonly signal: AbortSignal;
}

type Awaitable<T> = T | Promise<T>;

/** What a plugin adds to an event. Keys it does not name stay; `null` takes a key away. */
export interface Enrichment {
  traits?: Readonly<Record<string, unknown>>;
  properties?: Readonly<Record<string, unknown>>;
  context?: { readonly [K in keyof CanonicalContext]?: CanonicalContext[K] | null };
  consent?: Readonly<Record<string, boolean | null>>;
  ids?: {
    userId?: string | null;
    anonymousId?: string | null;
    external?: Readonly<Record<string, string | null>>;
  };
}

/** A person as an event, a membership or a request to forget names them. */
export interface PersonReference {
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
  readonly external?: Readonly<Record<string, string>>;
  /** The host's own key of the person, where it is known already. */
  readonly personKey?: string | undefined;
  /** Raw identifiers that came along. */
  readonly identifiers?: Readonly<UserDataInput>;
}

/** What the host knows of a person: identifiers in plain or hashed, and its own key. */
export interface ResolvedPerson {
  /** The same for ever and for nobody else: memberships and requests to forget hang on it. */
  personKey?: string;
  identifiers?: UserDataInput;
}

/** What a person is resolved for. */
export type IdentityPurpose = "ingest" | "membership" | "forget";

/** Who is asked about. At ingest identifiers are raw, at delivery they are SHA-256 digests. */
export interface ConsentSubject {
  readonly personKey?: string | undefined;
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
  readonly identifiers: Readonly<UserDataInput>;
}

/** Sending events, or being a member of audience lists. */
export type ConsentPurpose = "events" | "audiences";

/** A segment of the host's. */
export interface HostSegment {
  key: string;
  name?: string;
  /** Members, where the host knows; for progress only. */
  size?: number;
}

/** One member of a host's segment: identifiers in plain or hashed. */
export interface HostMember {
  email?: OneOrMany<string>;
  phone?: OneOrMany<string>;
  mobileAdId?: OneOrMany<string>;
  /** Ties the identifiers to a person, so that removing the person removes each of them. */
  personKey?: string;
}

/** Something a person should hear about. Told at least once; `id` is the same in every repetition. */
export interface Notification {
  readonly id: string;
  readonly type: "reauth_required" | "paused" | "dead_letters" | (string & {});
  readonly tenantId: string;
  readonly destinationId?: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** A line of the audit trail or of receipts: ids, words and numbers, never a person. */
export type SinkLine = Readonly<Record<string, unknown>>;

/** Where sealing keys come from; the shape of `KeyProvider` in `snapchat-destination/auth`. */
export interface KeyHook {
  /** The key that seals now: 32 bytes, and an id that stays with what it sealed. */
  sealingKey(tenantId: string): Awaitable<{ id: string; key: Uint8Array }>;
  /** The key of an id; `undefined`: it is gone, and what it sealed with it. */
  openingKey(id: string, tenantId: string): Awaitable<Uint8Array | undefined>;
}

/** As the platform's `fetch`, by what is used of it. */
export type FetchLike = (request: Request) => Promise<Response>;

/** What `beforeSend` may answer: nothing (as it is), the edited event, or a reason to drop it. */
export type BeforeSendAnswer = SnapEventInput | { readonly drop: string } | undefined;

/** Values of the host's hooks. All are optional; a plugin without any is refused. */
export interface Hooks {
  /** Envelopes of the host's own. A workflow's `source` names one. Synchronous and total. */
  source?: Source | readonly Source[];
  /**
   * Adds what the host's own systems know to events, a batch at a time, before they are routed. Answers one entry per
   * event, `undefined` for none. Id, name and time of an event cannot be changed: a repetition must stay a repetition.
   */
  enrich?(
    events: readonly CanonicalEvent[],
    context: HookContext,
  ): Awaitable<readonly (Enrichment | undefined | null)[] | undefined>;
  /** Finds a person's identifiers and key. `undefined`: nothing more is known. */
  resolveIdentity?(
    person: PersonReference,
    context: HookContext & { readonly purpose: IdentityPurpose },
  ): Awaitable<ResolvedPerson | undefined>;
  /** Whether the person agrees. `undefined`: no opinion. One `false` of any plugin denies. */
  consent?(subject: ConsentSubject, purpose: ConsentPurpose, context: HookContext): Awaitable<boolean | undefined>;
  /** Edits or drops a mapped event. It gets a copy: only what it answers counts. Id, name and time stay. */
  beforeSend?(event: SnapEventInput, context: HookContext): Awaitable<BeforeSendAnswer>;
  /** Functions that mappings `call` by name. Pure, synchronous, bounded. */
  functions?: Readonly<Record<string, MappingFunction>>;
  /** Operators that filters use by name. Pure, synchronous, bounded. */
  operators?: Readonly<Record<string, Operator>>;
  /** The host's segments and who is in them. Asking again must be possible: a run that broke off begins anew. */
  segments?: {
    /** The tenant's segments. */
    list(context: HookContext): Iterable<HostSegment> | AsyncIterable<HostSegment> | Promise<readonly HostSegment[]>;
    /** `undefined`: not one of ours. */
    members(
      key: string,
      context: HookContext,
    ): Iterable<HostMember> | AsyncIterable<HostMember> | Promise<readonly HostMember[] | undefined> | undefined;
  };
  /** Names of the tenant's own events, for the event screen. */
  catalogue?(context: HookContext): Awaitable<readonly (string | { name: string; label?: string })[]>;
  /** Keys from a key management service. One plugin at most. */
  keys?: KeyHook;
  /** Sees every request to Snapchat, tokens included. `next` sends it on. */
  fetch?(request: Request, next: FetchLike): Promise<Response>;
  /** Hears what a person should hear. Throwing means: tell me again later. */
  notify?(notification: Notification, context: HookContext): Awaitable<unknown>;
  /** Takes audit lines, some at a time. */
  audit?(lines: readonly SinkLine[], context: { readonly signal: AbortSignal }): Awaitable<unknown>;
  /** Takes lines about what was delivered, some at a time. */
  receipts?(lines: readonly SinkLine[], context: { readonly signal: AbortSignal }): Awaitable<unknown>;
  /** Says a code in the host's own words. `undefined`: the English ones. Synchronous. */
  messages?(
    code: string,
    message: { readonly english: string; readonly locale?: string | undefined; readonly tenantId?: string | undefined },
  ): string | undefined;
}

/** Name of a hook. */
export type HookName = keyof Hooks;

/** A host's own world, plugged in. Make one with {@link definePlugin}. */
export interface Plugin extends Hooks {
  /** Lower-case letters, digits and hyphens, at most 64: what `explain` and receipts name. */
  readonly name: string;
  /** Time limits of this plugin's hooks, instead of the usual ones. Milliseconds. */
  readonly timeLimitsMs?: Partial<Record<HookName, number>>;
}
