import { adAccountRoles, maySeeAdAccount } from "../roles.ts";
import type { AdAccount, Asset, Organization, Person, World } from "../world.ts";
import { isoTime } from "./envelope.ts";

/** The member id of a person in an organization: one each, as live answers show. */
export function memberId(person: Person, organization: Organization): string {
  return `${person.id.slice(0, 18)}-${organization.id.slice(19)}`;
}

export function meEntity(person: Person, world: World): Record<string, unknown> {
  const memberOf = world.organizations.filter((organization) => person.organizationRoles.has(organization.id));
  return {
    id: person.id,
    created_at: isoTime(0),
    updated_at: isoTime(0),
    email: person.email,
    organization_id: memberOf[0]?.id ?? null,
    display_name: person.displayName,
    snapchat_username: person.name,
    member_status: "MEMBER",
    members: memberOf.map((organization) => ({
      id: memberId(person, organization),
      organization_id: organization.id,
      member_status: "MEMBER",
    })),
  };
}

export function organizationEntity(
  organization: Organization,
  person: Person,
  adAccounts: readonly AdAccount[] | undefined,
): Record<string, unknown> {
  return {
    id: organization.id,
    created_at: isoTime(organization.createdAt),
    updated_at: isoTime(organization.createdAt),
    name: organization.name,
    country: organization.country,
    type: "ENTERPRISE",
    state: "ACTIVE",
    is_agency: false,
    accepted_term_version: organization.termsAccepted ? "8" : "",
    configuration_settings: { notifications_enabled: true },
    roles: person.organizationRoles.get(organization.id) ?? [],
    my_member_id: memberId(person, organization),
    my_display_name: person.displayName,
    my_invited_email: person.email,
    createdByCaller: false,
    ...(adAccounts && {
      ad_accounts: adAccounts
        .filter((account) => maySeeAdAccount(person, account))
        .map((account) => ({
          id: account.id,
          name: account.name,
          type: "PARTNER",
          status: account.status,
          currency: account.currency,
          timezone: account.timezone,
          roles: adAccountRoles(person, account),
        })),
    }),
  };
}

export function adAccountEntity(account: AdAccount): Record<string, unknown> {
  return {
    id: account.id,
    created_at: isoTime(account.createdAt),
    updated_at: isoTime(account.createdAt),
    name: account.name,
    type: "PARTNER",
    status: account.status,
    organization_id: account.organizationId,
    funding_source_ids: [],
    currency: account.currency,
    timezone: account.timezone,
    advertiser: account.name,
    billing_type: "REVOLVING",
    test: account.test,
    agency_client_metadata: {},
    regulations: { restricted_delivery_signals: false },
  };
}

export function pixelEntity(pixel: Asset, origin: string): Record<string, unknown> {
  return {
    id: pixel.id,
    created_at: isoTime(pixel.createdAt),
    updated_at: isoTime(pixel.createdAt),
    name: pixel.name,
    ad_account_id: pixel.adAccountId,
    organization_id: pixel.organizationId,
    status: pixel.status,
    effective_status: pixel.status,
    visible_to: [`AdAccountEntity_${pixel.adAccountId}`],
    pixel_javascript: `<script src="${origin}/scevent.min.js"></script>`,
  };
}

export function mobileAppEntity(app: Asset): Record<string, unknown> {
  return {
    id: app.id,
    created_at: isoTime(app.createdAt),
    updated_at: isoTime(app.createdAt),
    name: app.name,
    organization_id: app.organizationId,
    ios_app_id: "",
    ios_app_id_verified: false,
    android_app_url: "",
    android_app_url_verified: false,
  };
}

export function memberEntity(member: Person, organization: Organization): Record<string, unknown> {
  return {
    id: memberId(member, organization),
    organization_id: organization.id,
    member_status: "MEMBER",
    email: member.email,
    display_name: member.displayName,
  };
}

/** A person's roles in an organization and its accounts, one entity each. */
export function roleEntities(
  member: Person,
  organization: Organization,
  adAccounts: readonly AdAccount[],
): Record<string, unknown>[] {
  const role = (kind: string, id: string, type: string) => ({
    id: `${memberId(member, organization).slice(0, 24)}${type}`,
    container_kind: kind,
    container_id: id,
    member_id: memberId(member, organization),
    organization_id: organization.id,
    type,
  });
  const own = (member.organizationRoles.get(organization.id) ?? []).map((t) =>
    role("Organizations", organization.id, t),
  );
  const accounts = adAccounts.flatMap((account) =>
    (member.adAccountRoles.get(account.id) ?? []).map((type) => role("AdAccounts", account.id, type)),
  );
  return [...own, ...accounts];
}
