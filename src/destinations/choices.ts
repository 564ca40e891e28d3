import type { SnapchatError } from "../errors.ts";
import type { StoredDestination } from "./destination.ts";
import { invalid } from "./failure.ts";
import type { AccountTree, AdAccountChoice, Choice, OrganizationChoice } from "./interfaces.ts";

/** The four dropdowns of a destination. */
export type Chosen = Pick<StoredDestination, "organizationId" | "adAccountId" | "pixelId" | "mobileAppId">;

export interface FoundAccount {
  organization: OrganizationChoice;
  adAccount: AdAccountChoice;
}

export function findAccount(tree: AccountTree, adAccountId: string): FoundAccount | undefined {
  for (const organization of tree.organizations) {
    const adAccount = organization.adAccounts.find(({ id }) => id === adAccountId);
    if (adAccount) return { organization, adAccount };
  }
  return undefined;
}

export interface FoundPixel extends FoundAccount {
  pixel: Choice;
}

/** Wherever in the tree a pixel is; that of `preferred` first, as one pixel may be shown under several accounts. */
export function findPixel(tree: AccountTree, pixelId: string, preferred?: string): FoundPixel | undefined {
  let elsewhere: FoundPixel | undefined;
  for (const organization of tree.organizations) {
    for (const adAccount of organization.adAccounts) {
      const pixel = adAccount.pixels.find(({ id }) => id === pixelId);
      if (!pixel) continue;
      if (preferred === undefined || adAccount.id === preferred) return { organization, adAccount, pixel };
      elsewhere ??= { organization, adAccount, pixel };
    }
  }
  return elsewhere;
}

/**
 * Refuses what the dropdowns would not offer, and fills in the organization of a chosen ad account.
 *
 * @throws {SnapchatError} in a marketer's words: `organization_not_offered`, `ad_account_not_offered`,
 * `ad_account_not_available`, `pixel_not_offered`, `pixel_not_available`, `pixel_of_other_ad_account`,
 * `pixel_of_other_organization`, `mobile_app_not_offered`
 */
export function checkChoices(tree: AccountTree, chosen: Chosen): Chosen {
  const account = chosen.adAccountId === undefined ? undefined : wantedAccount(tree, chosen.adAccountId);
  const organizationId = chosen.organizationId ?? account?.organization.id;
  const organization = tree.organizations.find(({ id }) => id === organizationId);
  if (organizationId !== undefined && !organization) {
    throw notOffered(
      "organization",
      "business",
      "Choose one of the businesses in the list, or sign in as a person who is a member of it.",
    );
  }
  if (account && account.organization.id !== organizationId) {
    throw invalid(
      "ad_account_of_other_organization",
      `The ad account “${account.adAccount.name}” belongs to the business “${account.organization.name}”, not to the chosen one.`,
      "Choose the business and the ad account together.",
    );
  }
  if (chosen.pixelId !== undefined) checkPixel(tree, chosen.pixelId, account, organizationId);
  if (chosen.mobileAppId !== undefined) checkApp(tree, chosen.mobileAppId, organization);
  return { ...chosen, ...(organizationId === undefined ? {} : { organizationId }) };
}

function wantedAccount(tree: AccountTree, adAccountId: string): FoundAccount {
  const found = findAccount(tree, adAccountId);
  if (!found) {
    throw notOffered(
      "ad_account",
      "ad account",
      "Choose one from the list. Missing there? Ask for the role Account Admin or Data Manager in Ads Manager, then sign in again.",
    );
  }
  return { ...found, adAccount: available(found.adAccount, "ad_account", "ad account") };
}

function checkPixel(
  tree: AccountTree,
  pixelId: string,
  account: FoundAccount | undefined,
  organizationId: string | undefined,
): void {
  const found = findPixel(tree, pixelId, account?.adAccount.id);
  if (!found)
    throw notOffered("pixel", "Snap Pixel", "Choose one from the list; create it in Events Manager if there is none.");
  if (organizationId !== undefined && found.organization.id !== organizationId) {
    throw invalid(
      "pixel_of_other_organization",
      `This Snap Pixel belongs to the business “${found.organization.name}”, not to the chosen one.`,
      "Choose a Snap Pixel of the chosen business, or change business and ad account with it.",
    );
  }
  if (account && found.adAccount.id !== account.adAccount.id) {
    throw invalid(
      "pixel_of_other_ad_account",
      `This Snap Pixel belongs to the ad account “${found.adAccount.name}”, not to “${account.adAccount.name}”.`,
      "Choose a Snap Pixel of the chosen ad account, or choose ad account and pixel together.",
    );
  }
  available(found.pixel, "pixel", "Snap Pixel");
}

function checkApp(tree: AccountTree, mobileAppId: string, organization: OrganizationChoice | undefined): void {
  const organizations = organization ? [organization] : tree.organizations;
  const app = organizations.flatMap(({ mobileApps = [] }) => mobileApps).find(({ id }) => id === mobileAppId);
  if (!app) throw notOffered("mobile_app", "app", "Choose a Snap App ID of the chosen business.");
  available(app, "mobile_app", "app");
}

function available<T extends Choice>(choice: T, code: string, word: string): T {
  if (choice.available) return choice;
  throw invalid(
    `${code}_not_available`,
    `The ${word} “${choice.name}” cannot be used: ${choice.why ?? "Snapchat does not allow it"}.`,
    `Mend that in Ads Manager, or choose another ${word}.`,
  );
}

function notOffered(code: string, word: string, fix: string): SnapchatError {
  return invalid(`${code}_not_offered`, `This ${word} is not among those that the signed-in person can use.`, fix);
}
