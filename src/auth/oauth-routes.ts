import { type Clock, systemClock } from "../clock.ts";
import { isSnapchatError, type SnapchatError } from "../errors.ts";
import type { Records } from "../storage/ports.ts";
import type { AccountsClient } from "./accounts-client.ts";
import type { SavedConnection } from "./connections.ts";
import { DEFAULT_SCOPES, type TokenSet } from "./oauth-client.ts";
import { cookieName, cookieText, readCookie } from "./oauth-cookie.ts";
import { authorizeFailure } from "./oauth-failure.ts";
import { type PageText, PRIVATE, pageResponse, redirectResponse } from "./oauth-page.ts";
import {
  createStateStore,
  type FoundState,
  isSameBrowser,
  newBrowserSecret,
  type SignIn,
  STATE_LIFE_MS,
} from "./oauth-state.ts";
import { checkReturnTo, withQuery } from "./return-to.ts";
import {
  codeRefused,
  foreignState,
  methodRefused,
  notAuthorized,
  nothingToConnect,
  replayed,
  wrongKindOfApp,
} from "./sign-in-failure.ts";
import type { Vault } from "./vault.ts";

/** What the routes work with. */
export interface OAuthRoutesOptions {
  vault: Vault;
  records: Records;
  /** Asks who signed in, for the settings page. Left out: nobody is named. */
  accounts?: Pick<AccountsClient, "me"> | undefined;
  /**
   * Runs when a login is stored and before anything is answered: put it into the destination. Where it throws, a new login
   * is forgotten again.
   */
  onConnected?: ((connected: Connected) => void | Promise<void>) | undefined;
  /** Other words, or another language, for the page. */
  page?: ((outcome: { connected?: Connected; error?: SnapchatError }) => PageText) | undefined;
  /**
   * Accepts a sign-in that another browser began. Snapchat has no PKCE, so without the cookie an attacker can have a victim
   * finish the attacker's sign-in, and the victim's events go to the attacker's account. Only where connect and callback
   * cannot share a host, and `authorize` binds the sign-in to a session in some other way.
   */
  allowUnboundState?: boolean | undefined;
  clock?: Clock | undefined;
}

/** Whose sign-in begins, and where it ends. */
export interface ConnectOptions {
  tenantId: string;
  destinationId: string;
  /** A path of the host's own site. Gets `snapchat=connected` or `snapchat_error=<code>` in its query. */
  returnTo?: string | undefined;
  /** A key of `apps`. Default `default`. */
  appId?: string | undefined;
  /** The login that the destination has: the new one takes its place, and waiting work goes on. */
  connectionId?: string | undefined;
  scopes?: readonly string[] | undefined;
}

/** Who may finish a sign-in. */
export interface CallbackOptions {
  /** Whether whoever calls may change this tenant's destination. Asked before anything happens; anything but `true` ends it. */
  authorize(signIn: { tenantId: string; destinationId: string; request: Request }): boolean | Promise<boolean>;
  /** Who calls, for the audit trail: an id of yours, not a mail address. Default: Snapchat's id of the person who signed in. */
  actor?: string | undefined;
}

/** A finished sign-in. */
export interface Connected {
  tenantId: string;
  destinationId: string;
  connection: SavedConnection;
  returnTo?: string;
  /** Who did it, for the audit trail. */
  actor: string;
}

/** The two addresses of a sign-in, as web-standard requests and responses. */
export interface OAuthRoutes {
  /** Sends a person to Snapchat's sign-in. Sets the cookie that binds it to this browser. */
  connect(request: Request, o: ConnectOptions): Promise<Response>;
  /** Where Snapchat sends them back to: stores the login; answers a redirect to `returnTo` or a small page. */
  callback(request: Request, o: CallbackOptions): Promise<Response>;
  /** For hosts that answer by themselves: the address to go to, and the `Set-Cookie` text to send along. */
  authorizationUrl(o: ConnectOptions): Promise<{ url: string; cookie: string | undefined }>;
  /** `callback` without the answer. @throws {SnapchatError} each way to fail has its own code, see the security document */
  finish(request: Request, o: CallbackOptions): Promise<Connected>;
}

/**
 * The two addresses of the sign-in, with web-standard requests and responses: for every framework.
 *
 * @example
 * ```ts
 * import { createOAuthRoutes, type Vault } from "snapchat-destination/auth";
 * import type { Records } from "snapchat-destination/storage";
 *
 * export function routes(vault: Vault, records: Records, session: { mayEdit(tenantId: string): boolean }) {
 *   const oauth = createOAuthRoutes({ vault, records });
 *   return {
 *     connect: (request: Request) => oauth.connect(request, { tenantId: "acme", destinationId: "d1", returnTo: "/d1" }),
 *     callback: (request: Request) =>
 *       oauth.callback(request, { authorize: ({ tenantId }) => session.mayEdit(tenantId) }),
 *   };
 * }
 * ```
 */
export function createOAuthRoutes(options: OAuthRoutesOptions): OAuthRoutes {
  const { vault, records } = options;
  const clock = options.clock ?? systemClock;
  const states = createStateStore(records, clock);
  const isSecure = (appId: string) => new URL(vault.client(appId).redirectUri).protocol === "https:";

  async function authorizationUrl(o: ConnectOptions): Promise<{ url: string; cookie: string | undefined }> {
    if (!o.tenantId || !o.destinationId) throw nothingToConnect();
    const appId = o.appId ?? "default";
    const client = vault.client(appId);
    const signIn: SignIn = {
      tenantId: o.tenantId,
      destinationId: o.destinationId,
      appId,
      ...(o.connectionId === undefined ? {} : { connectionId: o.connectionId }),
      ...(o.returnTo === undefined ? {} : { returnTo: checkReturnTo(o.returnTo) }),
      scopes: o.scopes ?? DEFAULT_SCOPES,
    };
    const secret = options.allowUnboundState === true ? undefined : newBrowserSecret();
    const state = await states.start(signIn, secret);
    const secure = isSecure(appId);
    const cookie =
      secret &&
      cookieText({ name: cookieName(state, secure), value: secret, secure, maxAgeSeconds: STATE_LIFE_MS / 1_000 });
    return { url: client.authorizationUrl({ state, scopes: signIn.scopes }), cookie };
  }

  async function connect(_request: Request, o: ConnectOptions): Promise<Response> {
    try {
      const { url, cookie } = await authorizationUrl(o);
      const headers = new Headers({ ...PRIVATE, location: url });
      if (cookie) headers.append("set-cookie", cookie);
      return new Response(null, { status: 302, headers });
    } catch (error) {
      return failureResponse(ours(error), undefined);
    }
  }

  /** The state, bound and unused; everything that Snapchat or an attacker may send is judged here. */
  async function verified(request: Request, o: CallbackOptions): Promise<FoundState> {
    // A scanner that looks at links with HEAD shall not use a sign-in up.
    if (request.method !== "GET") throw methodRefused();
    const query = new URL(request.url).searchParams;
    const state = query.get("state") ?? undefined;
    const found = await states.find(state);
    if (found.browser !== undefined) {
      const name = cookieName(state as string, isSecure(found.signIn.appId));
      if (!isSameBrowser(found.browser, readCookie(request.headers.get("cookie"), name))) throw foreignState();
    } else if (options.allowUnboundState !== true) {
      throw foreignState();
    }
    const { tenantId, destinationId } = found.signIn;
    if ((await o.authorize({ tenantId, destinationId, request })) !== true) throw notAuthorized();
    if (!(await found.take())) throw replayed();
    return found;
  }

  async function finishVerified(request: Request, { signIn }: FoundState, o: CallbackOptions): Promise<Connected> {
    const query = new URL(request.url).searchParams;
    const error = query.get("error");
    if (error !== null) throw authorizeFailure(error);
    const code = query.get("code");
    if (!code) throw authorizeFailure("");
    const { tenantId, destinationId, appId, connectionId, returnTo, scopes } = signIn;
    const tokens = await exchange(appId, code);
    const connection = await vault.connections.save(tenantId, {
      id: connectionId,
      appId,
      tokens,
      askedScopes: scopes,
      person: await whoIs(tokens),
    });
    const connected: Connected = {
      tenantId,
      destinationId,
      connection,
      actor: o.actor ?? (connection.personId === undefined ? "snapchat" : `snapchat:${connection.personId}`),
      ...(returnTo === undefined ? {} : { returnTo }),
    };
    try {
      await options.onConnected?.(connected);
    } catch (error) {
      // A login that no destination knows of would be refreshed for ever.
      if (connection.replaced === "new") await vault.connections.disconnect(tenantId, connection.id);
      throw error;
    }
    return connected;
  }

  async function exchange(appId: string, code: string): Promise<TokenSet> {
    try {
      return await vault.client(appId).exchange(code);
    } catch (error) {
      if (!isSnapchatError(error) || error.code !== "oauth_invalid_grant") throw error;
      throw codeRefused(error);
    }
  }

  /** Who signed in. A token that cannot even say that is of no use; any other trouble does not stand in the way. */
  async function whoIs(tokens: TokenSet): Promise<{ id?: string; name?: string } | undefined> {
    if (!options.accounts) return undefined;
    try {
      const me = await options.accounts.me({ token: tokens.accessToken });
      const name = me.display_name ?? me.email;
      return { id: me.id, ...(name ? { name } : {}) };
    } catch (error) {
      if (isSnapchatError(error) && error.code === "access_token_refused") throw wrongKindOfApp(error);
      return undefined;
    }
  }

  async function finish(request: Request, o: CallbackOptions): Promise<Connected> {
    return finishVerified(request, await verified(request, o), o);
  }

  async function callback(request: Request, o: CallbackOptions): Promise<Response> {
    let found: FoundState | undefined;
    let response: Response;
    try {
      found = await verified(request, o);
      response = successResponse(await finishVerified(request, found, o));
    } catch (error) {
      response = failureResponse(ours(error), found?.signIn.returnTo);
    }
    const state = new URL(request.url).searchParams.get("state");
    if (found?.browser !== undefined && state) {
      const secure = isSecure(found.signIn.appId);
      const gone = cookieText({ name: cookieName(state, secure), value: "", secure, maxAgeSeconds: 0 });
      response.headers.append("set-cookie", gone);
    }
    return response;
  }

  function successResponse(connected: Connected): Response {
    const { returnTo, connection } = connected;
    if (returnTo !== undefined) {
      const missing = connection.missingScopes.join(" ");
      return redirectResponse(
        withQuery(returnTo, { snapchat: "connected", ...(missing ? { snapchat_missing_scopes: missing } : {}) }),
      );
    }
    const text = options.page?.({ connected }) ?? {
      title: "Snapchat is connected",
      message: connection.person ? `Connected as ${connection.person}.` : "The login is stored.",
      advice:
        connection.missingScopes.length > 0
          ? "Not everything was allowed at Snapchat, so some of it will not work. Connect again and allow all of it."
          : "You can close this window.",
    };
    return pageResponse(200, text, { alert: false });
  }

  function failureResponse(error: SnapchatError, returnTo: string | undefined): Response {
    if (returnTo !== undefined) return redirectResponse(withQuery(returnTo, { snapchat_error: error.code }));
    const text = options.page?.({ error }) ?? {
      title: error.code === "oauth_access_denied" ? "Snapchat was not connected" : "Snapchat could not be connected",
      message: error.message,
      advice: error.fix,
    };
    return pageResponse(STATUS[error.code] ?? (error.kind === "retry" ? 503 : 400), text, {
      code: error.code,
      alert: true,
    });
  }

  return { connect, callback, authorizationUrl, finish };
}

const STATUS: Readonly<Record<string, number>> = { oauth_not_authorized: 403, sign_in_method_refused: 405 };

/** What the host's own code throws (`authorize`, `onConnected`) is the host's: a framework's redirect, an error to log. */
function ours(error: unknown): SnapchatError {
  if (isSnapchatError(error)) return error;
  throw error;
}
