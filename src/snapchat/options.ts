import type { KeyProvider } from "../auth/index.ts";
import type { Clock } from "../clock.ts";
import type { DeliverySettings } from "../delivery/index.ts";
import type { Fetch } from "../http/index.ts";
import type { Plugin } from "../plugins/index.ts";
import type { Storage } from "../storage/ports.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import type { LimitSettings } from "./credentials.ts";
import type { Logger } from "./log.ts";

/** An OAuth app of Snapchat's Business Manager (Business Details → OAuth Apps). Login Kit keys do not work here. */
export interface SnapchatApp {
  clientId: string;
  clientSecret: string;
  /** Exactly as registered; TLS, loopback excepted. */
  redirectUri: string;
}

/** A login that a person has to renew. */
export interface ReauthRequired {
  tenantId: string;
  destinationId: string;
  connectionId: string;
  /** The same for every call of one transition: a host that stores it mails once. */
  transitionId: string;
}

/** What {@link createSnapchat} is made with: an OAuth app, a storage and keys; the rest has defaults. */
export interface SnapchatOptions {
  /** The OAuth app. With several, use `apps`. */
  app?: SnapchatApp;
  /** OAuth apps by name; `default` is used where a connection names none. */
  apps?: Readonly<Record<string, SnapchatApp>>;
  /** Where everything is kept: `sqlite(path)`, `memory()` or your own. */
  storage: Storage;
  /** 32 random bytes in base64 each. The first seals, all open. Or a KMS behind a `KeyProvider`, here or as a plugin. */
  encryptionKeys?: readonly string[] | KeyProvider;
  /** Called at least once per lost login; work of that login waits until the person connects again. */
  onReauthRequired?: (event: ReauthRequired) => unknown;
  /** Hooks into your own world, in order. */
  plugins?: readonly Plugin[];
  /** Your name, sent with every event as `integration`, as Snapchat asks of partners. */
  integration?: string;
  /** Other hosts than Snapchat's: a simulator, a recording proxy. Each origin must also be in `allowEndpoints`. */
  endpoints?: Partial<Endpoints>;
  /** Origins besides Snapchat's that may be sent tokens. */
  allowEndpoints?: readonly string[];
  /** Your own `fetch`: a proxy, mutual TLS. */
  fetch?: Fetch;
  /** Accept a storage that keeps nothing when the process ends (`memory()`). */
  acceptLoss?: boolean;
  /** Create and migrate tables by itself. Default true. */
  autoMigrate?: boolean;
  /** Snapchat's limits where yours differ: a raised quota, or a part of it that others use. */
  limits?: LimitSettings;
  /** The numbers delivery works with: deadlines, lingering, bounds, retention. Each has a default. */
  delivery?: Partial<DeliverySettings>;
  /** Lines about what happens, for a person who looks after it: pino, `console`, or your own. Default: none. */
  logger?: Logger;
  /**
   * The window over which the share of skipped events is watched, against the one before it. Milliseconds. Default an
   * hour. See `on("skip_share")`.
   */
  skipShareWindowMs?: number;
  clock?: Clock;
}

/** One event of a mixed batch. */
export interface TenantEvent {
  tenantId: string;
  event: unknown;
  /** When the host received it: the time of an event that carries none. */
  receivedAt?: Date | number;
}

/** What is said of all events of one `track`. */
export interface TrackOptions {
  /** Ids of the destinations to offer to. Absent: every enabled one. */
  destinations?: readonly string[];
  /** When the host received the events: the time of those that carry none. Keep it with the event, so that a repeat is a repeat. */
  receivedAt?: Date | number;
  /**
   * The host's own transaction (anything with `query(text, values)`): the events exist when it commits. Refused with
   * `capability_missing` where the storage has no transactions.
   */
  tx?: unknown;
}
