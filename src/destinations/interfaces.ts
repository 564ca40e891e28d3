import type { Secret } from "../errors.ts";
import type { Outbox } from "../storage/ports.ts";

/**
 * What destinations need of their peers. Each is passed in by the composition, so that this room can be built,
 * tested and replaced alone.
 */

/** Seals and opens text. `aad` binds a ciphertext to its place: moved elsewhere, it does not open. */
export interface Sealer {
  sealText(plain: string, aad: string): string | Promise<string>;
  openText(sealed: string, aad: string): string | Promise<string>;
}

/** The part of the outbox that steers a queue. Structurally the outbox port. */
export type QueueControl = Pick<Outbox, "open" | "pause" | "resume" | "bury" | "depth" | "purge">;

/** What is known of a Snapchat login. */
export interface ConnectionInfo {
  id: string;
  status: "connected" | "reauth_required" | "disconnected";
  /** Who signed in, as Snapchat calls them: for the settings page. */
  person?: string | undefined;
  /** Scopes that Snapchat granted. Absent where unknown. */
  scopes?: readonly string[] | undefined;
}

/** The vault's view of logins, as far as destinations need it. */
export interface Connections {
  /** `undefined`: this tenant has no such login. */
  info(tenantId: string, connectionId: string): Promise<ConnectionInfo | undefined>;
  /** Forgets the login and its tokens. Safe to repeat. */
  disconnect(tenantId: string, connectionId: string, options?: { actor?: string }): Promise<void>;
}

/** One row of a dropdown. */
export interface Choice {
  id: string;
  name: string;
  /** `false`: shown, not choosable. */
  available: boolean;
  /** Why it may not be chosen, or what to know about it, in a marketer's words. */
  why?: string | undefined;
}

export interface AdAccountChoice extends Choice {
  /** Snapchat's word: `ACTIVE`, `PAUSED`, … */
  status?: string | undefined;
  /** The signed-in person's roles in this ad account. */
  roles?: readonly string[] | undefined;
  /** A test account takes lists and never serves an ad. */
  test?: boolean | undefined;
  pixels: readonly Choice[];
}

export interface OrganizationChoice extends Choice {
  roles?: readonly string[] | undefined;
  adAccounts: readonly AdAccountChoice[];
  mobileApps?: readonly Choice[] | undefined;
}

/** What a login may choose from: the three dropdowns as data. */
export interface AccountTree {
  organizations: readonly OrganizationChoice[];
  /** What Snapchat did not give, in a marketer's words: the tree may be incomplete. */
  notes?: readonly string[] | undefined;
}

export interface Accounts {
  /** @throws {SnapchatError} kind `reauthorize` or `retry` where Snapchat does not answer. */
  tree(tenantId: string, connectionId: string): Promise<AccountTree>;
}

export interface TokenCheck {
  /**
   * Asks Snapchat, without counting an event, whether a Conversions API token may write to an asset.
   * `unknown`: no answer that says so (network, 429, 5xx).
   */
  check(
    /** Where the token is kept, under its number. */
    place: { tenantId: string; destinationId: string; n: number },
    asset: { assetId: string; token: Secret },
  ): Promise<"accepted" | "refused" | "unknown">;
}

export interface WorkflowCheck {
  /** The workflow as it shall be stored. @throws {SnapchatError} `workflow_invalid` */
  parse(json: unknown): unknown;
  /** How many rules send on each way; for preflight. */
  toggles?(workflow: unknown): { server: number; client: number; audience: number } | undefined;
  /** Rules that are on and send under a name that is none of Snapchat's; for preflight. */
  ownNames?(workflow: unknown): readonly { rule: string; name: string }[];
}

/** What becomes of a destination's segments at Snapchat. */
export type SegmentsChoice = "keep" | "empty" | "delete";

/** What was done with segments at Snapchat, and what stays there. */
export interface SegmentsReport {
  kept: number;
  emptied: number;
  deleted: number;
  /** Segments that Snapchat did not let go, in a marketer's words. Never names of people. */
  failed: readonly { segment: string; message: string }[];
}

export interface SegmentControl {
  /** Keeps, empties or deletes every segment of a destination and forgets its links. Safe to repeat. */
  release(tenantId: string, destinationId: string, choice: SegmentsChoice): Promise<SegmentsReport>;
  /** Segments belong to an ad account: those of the old one are let go, new ones are made on first use. Safe to repeat. */
  moveAccount(
    tenantId: string,
    destinationId: string,
    move: { from: string; to: string | undefined; queue: "old_asset" | "drop" },
  ): Promise<void>;
  /** The login that membership work uses changed: opens the groups `members/<link>` with the new credential. Safe to repeat. */
  reopen(tenantId: string, destinationId: string, credentialId: string): Promise<void>;
  /** Told of every state of a destination: whether segments are kept in step by events now. Safe to repeat. */
  follow(tenantId: string, destinationId: string, state: { on: boolean }): Promise<void>;
}
