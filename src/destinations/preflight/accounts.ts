import { findPixel } from "../choices.ts";
import type { AccountTree } from "../interfaces.ts";
import { type Check, ok, problem, warning } from "./engine.ts";
import type { SetupFacts } from "./facts.ts";

const hasNoAdAccount = (tree: AccountTree): boolean =>
  tree.organizations.every((organization) => organization.adAccounts.length === 0);

/** A thing that is not there may be among what Snapchat did not give. */
const incomplete = (notes: readonly string[], what: string) =>
  warning(
    "accounts_incomplete",
    `The ${what} could not be looked up: ${notes.slice(0, 3).join(" ")}`,
    "Ask an administrator of the business for a role that may see it, then sign in again.",
  );

/** Whether an ad account is chosen, seen by the login, and running. */
export const adAccount: Check<SetupFacts> = {
  name: "ad_account",
  look({ destination, tree, account }) {
    if (!tree) return [];
    if (hasNoAdAccount(tree)) {
      return [
        problem(
          "no_ad_account",
          "The signed-in person has no ad account at Snapchat.",
          "Create one in Ads Manager, or sign in as a person who has a role in one.",
        ),
      ];
    }
    if (destination.adAccountId === undefined) {
      return [problem("ad_account_missing", "No ad account is chosen.", "Choose one from the list and save.")];
    }
    if (!account) {
      if (tree.notes?.length) return [incomplete(tree.notes, "chosen ad account")];
      return [
        problem(
          "ad_account_lost",
          "The signed-in person can no longer see the chosen ad account.",
          "Ask for a role in it and sign in again, or choose another ad account.",
        ),
      ];
    }
    const { name, status, test } = account.adAccount;
    if (status !== undefined && status.toUpperCase() !== "ACTIVE") {
      return [
        problem(
          "ad_account_not_active",
          `The ad account “${name}” is not active (${status.toLowerCase()}).`,
          "Activate it in Ads Manager, or choose another one.",
        ),
      ];
    }
    if (test) {
      return [
        warning(
          "ad_account_test",
          `“${name}” is a test account: lists are kept, ads are never shown.`,
          "Choose the real ad account before going live.",
        ),
      ];
    }
    return [ok("ad_account", `The ad account “${name}” is active.`)];
  },
};

/** Whether a pixel is chosen that belongs to the ad account. */
export const pixel: Check<SetupFacts> = {
  name: "pixel",
  look({ destination, tree, account }) {
    const { pixelId, mobileAppId } = destination;
    if (tree && hasNoAdAccount(tree)) return [];
    if (pixelId === undefined) {
      if (mobileAppId !== undefined) return [ok("pixel", "Events go to an app; no Snap Pixel is needed for that.")];
      if (account?.adAccount.pixels.length === 0) {
        return [
          problem(
            "ad_account_without_pixel",
            `The ad account “${account.adAccount.name}” has no Snap Pixel.`,
            "Create one in Ads Manager (Events Manager, Connect data source), then choose it here.",
          ),
        ];
      }
      return [
        problem(
          "pixel_missing",
          "No Snap Pixel is chosen: events have nowhere to go.",
          "Choose the Snap Pixel and save.",
        ),
      ];
    }
    // Without a login nobody can say; with an account out of sight, that is the trouble.
    if (!tree || (destination.adAccountId !== undefined && !account)) return [];
    const found = findPixel(tree, pixelId, destination.adAccountId);
    if (!found) {
      if (tree.notes?.length) return [incomplete(tree.notes, "chosen Snap Pixel")];
      return [
        problem(
          "pixel_not_visible",
          "The chosen Snap Pixel is in none of the ad accounts that the signed-in person can see.",
          "Choose a Snap Pixel from the list, or sign in as a person of the business that owns it.",
        ),
      ];
    }
    if (destination.organizationId !== undefined && found.organization.id !== destination.organizationId) {
      return [
        problem(
          "pixel_of_other_organization",
          `The Snap Pixel belongs to the business “${found.organization.name}”, not to the chosen one.`,
          "Choose business, ad account and Snap Pixel together.",
        ),
      ];
    }
    if (account && found.adAccount.id !== account.adAccount.id) {
      return [
        problem(
          "pixel_of_other_ad_account",
          `The Snap Pixel belongs to the ad account “${found.adAccount.name}”, not to “${account.adAccount.name}”: its events and these audiences do not come together.`,
          "Choose the Snap Pixel of the chosen ad account.",
        ),
      ];
    }
    if (!found.pixel.available) {
      return [
        problem(
          "pixel_not_available",
          `The Snap Pixel “${found.pixel.name}” cannot be used: ${found.pixel.why ?? "Snapchat does not allow it"}.`,
          "Mend that in Events Manager, or choose another one.",
        ),
      ];
    }
    return [ok("pixel", `The Snap Pixel “${found.pixel.name}” belongs to the chosen ad account.`)];
  },
};

/** Two senders on one pixel count things twice unless their ids agree. */
export const sharedPixel: Check<SetupFacts> = {
  name: "shared_pixel",
  look({ destination, siblings }) {
    const { pixelId } = destination;
    if (pixelId === undefined) return [];
    const others = siblings.filter((sibling) => sibling.enabled && sibling.pixelId === pixelId);
    const [other] = others;
    if (!other) return [ok("shared_pixel", "No other destination here sends to this Snap Pixel.")];
    return [
      warning(
        "pixel_shared",
        `${others.length === 1 ? `The destination “${other.name}” sends` : `${others.length} other destinations send`} to the same Snap Pixel: an event that both send is counted once only if both give it the same id.`,
        "Use one destination for a pixel, or make sure that no event is switched on in both.",
      ),
    ];
  },
};
