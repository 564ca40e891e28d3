import {
  type AccountsClient,
  type CallbackOptions,
  type Connected,
  type ConnectOptions,
  createOAuthRoutes,
  type Vault,
} from "../auth/index.ts";
import type { Clock } from "../clock.ts";
import type { Destinations } from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";
import type { Records } from "../storage/ports.ts";

/** The sign-in of one destination. Where it has a login already, the new one takes its place and waiting work goes on. */
export type SignInOptions = Omit<ConnectOptions, "connectionId">;

/** Signing in from your web framework. */
export interface SnapchatOAuth {
  /** Sends a person to Snapchat's sign-in. */
  connect(request: Request, options: SignInOptions): Promise<Response>;
  /** Where Snapchat sends them back to. */
  callback(request: Request, options: CallbackOptions): Promise<Response>;
  /** For hosts that answer by themselves: the address to go to, and the `Set-Cookie` text to send along. */
  authorizationUrl(options: SignInOptions): Promise<{ url: string; cookie: string | undefined }>;
  /** `callback` without the answer. @throws {SnapchatError} each way to fail has its own code, see the security document */
  finish(request: Request, options: CallbackOptions): Promise<Connected>;
}

interface SignInDependencies {
  vault: Vault;
  destinations: Pick<Destinations, "connect" | "connectionChanged" | "connectionOf">;
  accounts: Pick<AccountsClient, "me">;
  apps: Readonly<Record<string, unknown>>;
  records: Records;
  clock: Clock;
}

/** Joins the routes of the sign-in with the destinations: a sign-in begins and ends at one of the tenant's own. */
export function createSignIn({
  vault,
  destinations,
  accounts,
  apps,
  records,
  clock,
}: SignInDependencies): SnapchatOAuth {
  const routes = createOAuthRoutes({
    vault,
    records,
    clock,
    accounts,
    async onConnected({ tenantId, destinationId, connection, actor }) {
      await destinations.connect(tenantId, destinationId, connection.id, { actor });
      await destinations.connectionChanged(tenantId, connection.id);
    },
  });

  /** @throws {SnapchatError} `not_found`, also for another tenant's destination */
  async function target(o: SignInOptions): Promise<ConnectOptions> {
    const connectionId = await destinations.connectionOf(o.tenantId, o.destinationId);
    return { ...o, connectionId, appId: o.appId ?? (await sameApp(o.tenantId, connectionId)) };
  }

  /** A login is renewed with the app that it was made with, as long as there is that app. */
  async function sameApp(tenantId: string, connectionId: string | undefined): Promise<string | undefined> {
    if (connectionId === undefined) return undefined;
    try {
      const appId = (await vault.connections.get(tenantId, connectionId))?.appId;
      return appId !== undefined && Object.hasOwn(apps, appId) ? appId : undefined;
    } catch (error) {
      // Its key is gone: a new login is the way out.
      if (isSnapchatError(error) && error.kind === "fix_configuration") return undefined;
      throw error;
    }
  }

  return {
    connect: async (request, o) => routes.connect(request, await target(o)),
    callback: (request, o) => routes.callback(request, o),
    authorizationUrl: async (o) => routes.authorizationUrl(await target(o)),
    finish: (request, o) => routes.finish(request, o),
  };
}
