import type { Clock } from "../clock.ts";
import type { Records } from "../storage/ports.ts";
import type { ReauthReason } from "./connection.ts";
import type { OAuthClient } from "./oauth-client.ts";
import type { SealedRecords } from "./sealed-records.ts";

/** A login that is over. Given at least once per transition: `transitionId` tells a repeat from a new one. */
export interface ReauthTransition {
  transitionId: string;
  tenantId: string;
  connectionId: string;
  reason: ReauthReason;
  /** Epoch milliseconds, the engine's clock. */
  atMs: number;
  person?: string;
}

/** Durations of the vault. Milliseconds. */
export interface VaultTimes {
  /** A refresh starts this long before the end, at most a quarter of the token's life. Default 300,000. */
  aheadMs: number;
  /** Spread on top, so that processes and connections do not come together. Default 120,000. */
  aheadJitterMs: number;
  /** A refresh holds the lock this long after its last sign of life. Default 30,000. */
  lockMs: number;
  /** Deadline of one request to the token endpoint; well below `lockMs`. Default 10,000. */
  requestMs: number;
  /** How long a caller without a usable token waits for somebody else's refresh. Default 15,000. */
  waitMs: number;
  /** First wait after a failed refresh; doubles up to 60,000. Default 2,000. */
  coolDownMs: number;
  /** Other processes see a change after at most this long. Default 2,000. */
  rereadMs: number;
  /** `keepAlive` refreshes a login that was idle this long. Default 7 days. */
  idleMs: number;
  /** Between two tries to tell of a transition. Default 60,000. */
  tellAgainMs: number;
}

export const DEFAULT_TIMES: VaultTimes = {
  aheadMs: 300_000,
  aheadJitterMs: 120_000,
  lockMs: 30_000,
  requestMs: 10_000,
  waitMs: 15_000,
  coolDownMs: 2_000,
  rereadMs: 2_000,
  idleMs: 7 * 86_400_000,
  tellAgainMs: 60_000,
};

/** What the parts of the vault share. */
export interface VaultContext {
  records: Records;
  sealed: SealedRecords;
  clock: Clock;
  /** The storage engine's clock, at most a minute after it was read. Epoch milliseconds. */
  now(): Promise<number>;
  client(appId: string): OAuthClient;
  /** A random number from 0 to below 1. */
  jitter(): number;
  /** A random id of 22 characters. */
  randomId(): string;
  times: VaultTimes;
}
