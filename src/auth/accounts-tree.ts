import type { Clock } from "../clock.ts";
import { isSnapchatError } from "../errors.ts";
import type { AccountsCall, AccountsClient, AccountsList } from "./accounts-client.ts";
import type { AdAccount, MobileApp, Organization, Pixel } from "./accounts-entities.ts";
import { judgeAdAccount, judgeMobileApp, judgeOrganization, judgePixel, type Verdict } from "./verdict.ts";

/** One row of a dropdown. */
export interface Choice extends Verdict {
  id: string;
  name: string;
}

export interface AdAccountChoice extends Choice {
  /** Snapchat's word: `ACTIVE`, `PAUSED`, … */
  status?: string;
  currency?: string;
  timezone?: string;
  /** The person's roles in this ad account. */
  roles: readonly string[];
  /** Takes lists and events, never serves an ad. */
  test: boolean;
  pixels: readonly Choice[];
}

export interface OrganizationChoice extends Choice {
  roles: readonly string[];
  adAccounts: readonly AdAccountChoice[];
  /** Snap App IDs: for app events. */
  mobileApps: readonly Choice[];
}

/** What a person may choose from, for three dropdowns. */
export interface AccountTree {
  organizations: readonly OrganizationChoice[];
  /** What Snapchat did not give, in a marketer's words: the tree may be incomplete. */
  notes: readonly string[];
}

/** What the tree shows. */
export interface TreeOptions {
  /** Only this organization: for a person who reaches hundreds. */
  organizationId?: string;
  /** Test accounts may be chosen: while trying things out. Default `false`. */
  allowTestAccounts?: boolean;
}

/** Organizations read at a time: an access token may ask ten times a second. */
const AT_ONCE = 3;
const REQUESTS_A_SECOND = 8;

export async function readTree(
  client: AccountsClient,
  given: AccountsCall & TreeOptions,
  clock: Clock,
): Promise<AccountTree> {
  const call = { ...given, beforeRequest: given.beforeRequest ?? pace(clock) };
  const notes: string[] = [];
  const all = await collect(client.organizations(call), notes, "Some organizations could not be read.");
  const wanted = all.filter(({ id }) => call.organizationId === undefined || id === call.organizationId);
  const organizations: OrganizationChoice[] = new Array(wanted.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < wanted.length; at = next++) {
      organizations[at] = await readOrganization(client, wanted[at] as Organization, call, notes);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.length) }, lane));
  return { organizations, notes };
}

/** Eight requests a second where the caller brings no limit of its own: below the ten that a token has, with others beside. */
function pace(clock: Clock): () => Promise<void> {
  const starts: number[] = [];
  return async () => {
    for (;;) {
      const now = clock.monotonic();
      while (starts.length > 0 && (starts[0] as number) <= now - 1_000) starts.shift();
      if (starts.length < REQUESTS_A_SECOND) {
        starts.push(now);
        return;
      }
      await clock.sleep((starts[0] as number) + 1_000 - now);
    }
  };
}

async function readOrganization(
  client: AccountsClient,
  organization: Organization,
  call: AccountsCall & TreeOptions,
  notes: string[],
): Promise<OrganizationChoice> {
  const of = { organizationId: organization.id };
  const roles = organization.roles ?? [];
  const incomplete = (what: string) => `${what} of ${organization.name} could not be read completely.`;
  const details = await readable<AdAccount>(client.adAccounts(of, call), notes, incomplete("The ad accounts"));
  const accounts = merge(organization.ad_accounts ?? [], details ?? []);
  const pixels = await readPixels(client, organization, accounts, call, notes);
  const apps = await readable<MobileApp>(client.mobileApps(of, call), notes, incomplete("The apps"));

  const adAccounts = accounts.map((account): AdAccountChoice => {
    const own = pixels.filter((pixel) => pixel.ad_account_id === account.id);
    return {
      id: account.id,
      name: account.name ?? account.id,
      ...judgeAdAccount(account, roles, own.length, call.allowTestAccounts === true),
      ...(account.status === undefined ? {} : { status: account.status }),
      ...(account.currency === undefined ? {} : { currency: account.currency }),
      ...(account.timezone === undefined ? {} : { timezone: account.timezone }),
      roles: account.roles ?? [],
      test: account.test === true,
      pixels: own.map((pixel) => ({ id: pixel.id, name: pixel.name ?? pixel.id, ...judgePixel(pixel) })),
    };
  });
  return {
    id: organization.id,
    name: organization.name ?? organization.id,
    ...judgeOrganization(organization, adAccounts),
    roles,
    adAccounts,
    mobileApps: (apps ?? []).map((app) => ({ id: app.id, name: app.name ?? app.id, ...judgeMobileApp() })),
  };
}

/** Roles stand in one answer, the test mark in another. */
function merge(withRoles: readonly AdAccount[], withDetails: readonly AdAccount[]): AdAccount[] {
  const byId = new Map<string, AdAccount>();
  for (const account of withRoles) byId.set(account.id, account);
  for (const account of withDetails) byId.set(account.id, { ...account, ...byId.get(account.id) });
  return [...byId.values()];
}

/** In one list where Snapchat gives it, else account by account. */
async function readPixels(
  client: AccountsClient,
  organization: Organization,
  accounts: readonly AdAccount[],
  call: AccountsCall,
  notes: string[],
): Promise<Pixel[]> {
  const listed = await readable<Pixel>(client.pixels({ organizationId: organization.id }, call), [], "");
  if (listed) return listed;
  const pixels: Pixel[] = [];
  for (const account of accounts) {
    const note = `The pixels of ${account.name} could not be read.`;
    const own = await readable<Pixel>(client.pixels({ adAccountId: account.id }, call), notes, note);
    pixels.push(...(own ?? []).map((pixel) => ({ ...pixel, ad_account_id: account.id })));
  }
  return pixels;
}

/** A list that the person may lack the right to: `undefined` and a note, while every other fault is thrown. */
async function readable<T>(list: AccountsList<T>, notes: string[], note: string): Promise<T[] | undefined> {
  try {
    return await collect(list, notes, note);
  } catch (error) {
    const code = isSnapchatError(error) ? error.code : "";
    if (code !== "access_forbidden" && code !== "entity_not_found" && code !== "request_refused") throw error;
    if (note !== "") notes.push(note);
    return undefined;
  }
}

async function collect<T>(list: AccountsList<T>, notes: string[], note: string): Promise<T[]> {
  const items: T[] = [];
  let failures = 0;
  for await (const page of list.pages()) {
    items.push(...page.items);
    failures += page.failures.length;
  }
  if (failures > 0 && note !== "") notes.push(note);
  return items;
}
