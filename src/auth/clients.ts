import { SnapchatError } from "../errors.ts";
import { OAuthClient } from "./oauth-client.ts";
import type { VaultOptions } from "./vault.ts";

type ClientOptions = Pick<VaultOptions, "apps" | "endpoints" | "http" | "fetch" | "clock" | "oauthClient">;

/** The OAuth client of each app. @throws {SnapchatError} where an app's settings are wrong */
export function createClients(options: ClientOptions): (appId: string) => OAuthClient {
  const { apps, endpoints, http, fetch, clock } = options;
  const made = new Map<string, OAuthClient>();
  // All at once: a wrong redirect URI shall show when the program starts, not when somebody connects.
  for (const [appId, app] of Object.entries(apps)) {
    if (!options.oauthClient) made.set(appId, new OAuthClient({ ...app, endpoints, http, fetch, clock }));
  }
  return (appId) => {
    const client = made.get(appId) ?? options.oauthClient?.(appId);
    if (client) return client;
    throw new SnapchatError({
      code: "oauth_app_unknown",
      kind: "fix_configuration",
      message: `There is no OAuth app "${appId}".`,
      fix: "Keep every app in `apps` as long as a login made with it is in use.",
      details: { appId },
    });
  };
}
