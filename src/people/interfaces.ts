import type { Members } from "../storage/ports.ts";

/** What this room needs of its peers. Each is passed in by the composition. */

/** The random key of each tenant that digests of people are made with. Destroyed when the tenant leaves. */
export interface DigestKeys {
  /** 32 bytes, the same for ever. */
  of(tenantId: string): Promise<Uint8Array>;
  destroy(tenantId: string): Promise<void>;
}

/** A destination as far as people are concerned. */
export interface PeopleDestination {
  id: string;
  /** National phone numbers are read by it; each destination may have its own. */
  defaultCountry?: string | undefined;
}

/** A segment that holds a person. */
export interface Membership {
  destinationId: string;
  /** The segment link, as in its group's name. */
  link: string;
  kind: "email" | "phone" | "mobile_ad_id";
  /** 64 hexadecimal digits. */
  hash: string;
  /** Found by the person's key: only their own claim on it goes, in 16 bytes. Absent: everybody's. */
  person?: Uint8Array | undefined;
}

/** Takes people out of segments at Snapchat: queued, delivered like every removal. */
export interface MemberRemoval {
  remove(tenantId: string, memberships: readonly Membership[]): Promise<void>;
}

/** Who hears of what was done, for the audit trail. Never told who the person is. */
export type PeopleAudit = (entry: {
  tenantId: string;
  actor: string;
  action: "people.forgotten" | "people.consent_revoked";
  destinationId?: string;
  detail: Record<string, string | number | boolean>;
}) => Promise<void>;

export type MembersLookup = Pick<Members, "find">;
