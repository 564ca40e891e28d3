import type { AdAccount, Asset, Person } from "./world.ts";

/** Roles of an ad account that may change its audiences: admin, campaign manager, data manager. */
const AUDIENCE_ROLES: ReadonlySet<string> = new Set(["admin", "general", "audience"]);

export function isOrganizationAdmin(person: Person, organizationId: string): boolean {
  return person.organizationRoles.get(organizationId)?.includes("admin") ?? false;
}

export function isMember(person: Person, organizationId: string): boolean {
  return (person.organizationRoles.get(organizationId)?.length ?? 0) > 0;
}

/** Roles a person has in an account; an organization admin has all of it without a role of the account. */
export function adAccountRoles(person: Person, account: AdAccount): string[] {
  const roles = person.adAccountRoles.get(account.id) ?? [];
  return roles.length === 0 && isOrganizationAdmin(person, account.organizationId) ? ["admin"] : [...roles];
}

export function maySeeAdAccount(person: Person, account: AdAccount): boolean {
  return isMember(person, account.organizationId) && adAccountRoles(person, account).length > 0;
}

export function mayChangeAudiences(person: Person, account: AdAccount): boolean {
  return (
    isMember(person, account.organizationId) && adAccountRoles(person, account).some((role) => AUDIENCE_ROLES.has(role))
  );
}

/** Sending events: an organization admin, or a role that changes things in the pixel's ad account. */
export function mayUseAsset(person: Person, asset: Asset): boolean {
  if (isOrganizationAdmin(person, asset.organizationId)) return true;
  if (!isMember(person, asset.organizationId)) return false;
  if (asset.adAccountId === undefined) return false;
  return (person.adAccountRoles.get(asset.adAccountId) ?? []).some((role) => AUDIENCE_ROLES.has(role));
}
