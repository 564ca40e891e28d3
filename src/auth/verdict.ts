import type { AdAccount, Organization, Pixel } from "./accounts-entities.ts";

/** Whether something may be chosen, in words for the dropdown. */
export interface Verdict {
  available: boolean;
  /** Why not; or, where it may be chosen, what to know about it. */
  why?: string;
}

/** Roles that are known to be unable to change audiences or send events. Names as in Business Manager. */
const TOO_SMALL: Readonly<Record<string, string>> = { creative: "Creative Manager", reports: "Data Analyst" };
/** Roles that may manage customer lists (Ads-API/roles; "audience" is Business Manager's Data Manager). */
const LARGE_ENOUGH: ReadonlySet<string> = new Set(["admin", "general", "audience"]);

const ASK = "Ask an admin of the business for the role Data Manager or Account Admin.";

export function judgeAdAccount(
  account: AdAccount,
  organizationRoles: readonly string[],
  pixels: number,
  allowTestAccounts: boolean,
): Verdict {
  if (account.status === "PAUSED") {
    return no("This ad account is paused in Ads Manager. Switch it on there, then choose it here.");
  }
  if (account.status !== undefined && account.status !== "ACTIVE") {
    return no(`This ad account is not active at Snapchat (${account.status.toLowerCase()}).`);
  }
  if (account.test === true && !allowTestAccounts) {
    return no("This is a test account: it takes events and audiences, but never shows an ad.");
  }
  const role = judgeRoles(account.roles, organizationRoles);
  if (!role.available) return role;
  if (pixels === 0) {
    return yes("This ad account has no Snap Pixel yet. Create one in Ads Manager, Events Manager, to send web events.");
  }
  return account.test === true ? yes("This is a test account: its ads are never shown.") : role;
}

/** An admin of the organization may everything. Roles that nobody here knows are let through: Snapchat has the last word. */
function judgeRoles(roles: readonly string[] | undefined, organizationRoles: readonly string[]): Verdict {
  if (organizationRoles.includes("admin") || roles === undefined) return yes();
  if (roles.some((role) => LARGE_ENOUGH.has(role))) return yes();
  if (roles.length === 0) return no(`You have no role in this ad account. ${ASK}`);
  const names = roles.map((role) => TOO_SMALL[role]).filter((name) => name !== undefined);
  if (names.length === roles.length) return no(`As ${names.join(" and ")} you cannot manage audiences here. ${ASK}`);
  return yes("Your role in this ad account may not be enough to manage audiences.");
}

export function judgeOrganization(
  organization: Organization,
  adAccounts: readonly { available: boolean; why?: string }[],
): Verdict {
  if (organization.state !== undefined && organization.state !== "ACTIVE") {
    return no(`This business is not active at Snapchat (${organization.state.toLowerCase()}).`);
  }
  if (adAccounts.length === 0) {
    return no(
      "You reach no ad account of this business. Ask one of its admins for a role in one, or create one there.",
    );
  }
  if (!adAccounts.some(({ available }) => available)) {
    return no("None of the ad accounts that you reach in this business can be chosen; each says why.");
  }
  return yes();
}

export function judgePixel(pixel: Pixel): Verdict {
  const status = pixel.effective_status ?? pixel.status ?? "ACTIVE";
  return status === "ACTIVE" ? yes() : no(`This pixel is not active at Snapchat (${status.toLowerCase()}).`);
}

export function judgeMobileApp(): Verdict {
  return yes();
}

function yes(why?: string): Verdict {
  return { available: true, ...(why === undefined ? {} : { why }) };
}

function no(why: string): Verdict {
  return { available: false, why };
}
