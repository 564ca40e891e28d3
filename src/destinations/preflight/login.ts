import { OAUTH_SCOPES } from "../../wire/endpoints.ts";
import { type Check, ok, problem, warning } from "./engine.ts";
import type { SetupFacts } from "./facts.ts";

const SIGN_IN = "Click “Authenticate Snapchat” and sign in as a member of the business.";

/** Whether somebody is signed in, and whether Snapchat still accepts that. */
export const login: Check<SetupFacts> = {
  name: "login",
  look({ connection, destination, treeError }) {
    if (!connection || connection.status === "disconnected") {
      const lacks = "Nobody is signed in at Snapchat";
      return destination.token
        ? [
            warning(
              "login_missing",
              `${lacks}: events go out with the Conversions API token, audiences cannot be kept in step.`,
              SIGN_IN,
            ),
          ]
        : [problem("login_missing", `${lacks}, and there is no Conversions API token: nothing can be sent.`, SIGN_IN)];
    }
    const lost =
      "Snapchat no longer accepts the sign-in: it was revoked, or the person left the business or lost their rights.";
    if (connection.status === "reauth_required" || treeError?.kind === "reauthorize") {
      const effect = destination.token
        ? "Audiences wait; events go on with the Conversions API token."
        : "Events and audiences wait and are kept.";
      return [problem("login_lost", `${lost} ${effect}`, "Sign in again; what waits is then sent.")];
    }
    // A login without the right to list accounts has a line of its own.
    if (treeError && (connection.scopes?.includes(OAUTH_SCOPES.marketing) ?? true)) {
      return [warning("accounts_unreachable", `The accounts could not be read: ${treeError.message}`, treeError.fix)];
    }
    return [ok("login", "Signed in at Snapchat.")];
  },
};

/** Whether the signed-in person allowed all that is needed. */
export const scopes: Check<SetupFacts> = {
  name: "scopes",
  look({ connection, destination }) {
    if (connection?.status !== "connected" || !connection.scopes) return [];
    const again = "Sign in again and leave every permission that Snapchat shows switched on.";
    const lines = [];
    if (!connection.scopes.includes(OAUTH_SCOPES.marketing)) {
      lines.push(
        problem(
          "scope_missing",
          "The sign-in does not allow managing ads: accounts cannot be listed and audiences not be kept in step.",
          again,
        ),
      );
    }
    if (!connection.scopes.includes(OAUTH_SCOPES.conversions)) {
      const message = "The sign-in does not allow sending conversions";
      lines.push(
        destination.token
          ? warning("scope_missing", `${message}: only the Conversions API token can.`, again)
          : problem("scope_missing", `${message}, and there is no Conversions API token.`, again),
      );
    }
    return lines.length > 0 ? lines : [ok("scopes", "The sign-in allows managing ads and sending conversions.")];
  },
};

/** Organization and ad account roles that let a person write audiences. */
const ORGANIZATION_ROLES = ["admin"];
const AD_ACCOUNT_ROLES = ["admin", "audience", "general"];

/** Whether the signed-in person's roles suffice for audiences. A warning only: Snapchat has the last word. */
export const roles: Check<SetupFacts> = {
  name: "roles",
  look({ account }) {
    if (!account || !(account.organization.roles || account.adAccount.roles)) return [];
    const enough =
      account.organization.roles?.some((role) => ORGANIZATION_ROLES.includes(role)) ||
      account.adAccount.roles?.some((role) => AD_ACCOUNT_ROLES.includes(role));
    if (enough) return [ok("roles", "The signed-in person may manage audiences of this ad account.")];
    return [
      warning(
        "role_missing",
        `The signed-in person has no role in the ad account “${account.adAccount.name}” that may manage audiences.`,
        "Ask an administrator of the business for Account Admin or Data Manager on this ad account, then sign in again.",
      ),
    ];
  },
};
