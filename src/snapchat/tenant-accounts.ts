import type {
  Accounts,
  AccountsList,
  AccountsOptions,
  AccountTree,
  AdAccount,
  Me,
  MobileApp,
  Organization,
  Pixel,
  TreeOptions,
} from "../auth/index.ts";
import { SnapchatError } from "../errors.ts";

/** What the person who signed in for a destination reaches at Snapchat. Lists are read as they are walked. */
export interface TenantAccounts {
  /** Organizations with their ad accounts and pixels, with what may not be chosen and why. */
  tree(destinationId: string, options?: TreeOptions): Promise<AccountTree>;
  /** The person who signed in. */
  me(destinationId: string, options?: AccountsOptions): Promise<Me>;
  /** Organizations the person reaches, read as they are walked. */
  organizations(destinationId: string, options?: AccountsOptions): AccountsList<Organization>;
  /** Ad accounts of an organization. */
  adAccounts(destinationId: string, of: { organizationId: string }, options?: AccountsOptions): AccountsList<AdAccount>;
  /** Pixels of an organization or an ad account. */
  pixels(
    destinationId: string,
    of: { organizationId: string } | { adAccountId: string },
    options?: AccountsOptions,
  ): AccountsList<Pixel>;
  /** Snap App IDs of an organization. */
  mobileApps(destinationId: string, of: { organizationId: string }, options?: AccountsOptions): AccountsList<MobileApp>;
}

/** `connectionOf`: the login of one of the tenant's own destinations. */
export function createTenantAccounts(
  tenantId: string,
  accounts: Accounts,
  connectionOf: (destinationId: string) => Promise<{ id: string } | undefined>,
): TenantAccounts {
  async function login(destinationId: string): Promise<string> {
    const connection = await connectionOf(destinationId);
    if (connection) return connection.id;
    throw new SnapchatError({
      code: "not_connected",
      kind: "fix_configuration",
      message: "Nobody has signed in at Snapchat for this destination yet.",
      fix: "Send the marketer to oauth.connect() first.",
    });
  }

  return {
    tree: async (id, o) => accounts.tree(tenantId, await login(id), o),
    me: async (id, o) => accounts.me(tenantId, await login(id), o),
    organizations: (id, o) =>
      accounts.list(
        tenantId,
        () => login(id),
        (client, call) => client.organizations({ ...o, ...call }),
      ),
    adAccounts: (id, of, o) =>
      accounts.list(
        tenantId,
        () => login(id),
        (client, call) => client.adAccounts(of, { ...o, ...call }),
      ),
    pixels: (id, of, o) =>
      accounts.list(
        tenantId,
        () => login(id),
        (client, call) => client.pixels(of, { ...o, ...call }),
      ),
    mobileApps: (id, of, o) =>
      accounts.list(
        tenantId,
        () => login(id),
        (client, call) => client.mobileApps(of, { ...o, ...call }),
      ),
  };
}
