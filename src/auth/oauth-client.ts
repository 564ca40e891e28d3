import { type Clock, systemClock } from "../clock.ts";
import { isSnapchatError, Secret, SnapchatError } from "../errors.ts";
import { createHttpClient, type Fetch, type HttpClient, type HttpResponse } from "../http/index.ts";
import { type Endpoints, OAUTH_PATHS, OAUTH_SCOPES } from "../wire/endpoints.ts";
import { checkRedirectUri, resolveEndpoints } from "./endpoints.ts";
import { tokenFailure, unreadableAnswer } from "./oauth-failure.ts";

/** An OAuth app of Business Manager (Business Details, OAuth Apps). */
export interface OAuthApp {
  clientId: string;
  /** Shown once, when the app is made. */
  clientSecret: string | Secret;
  /** To the letter as registered. TLS, or this machine. */
  redirectUri: string;
}

export interface OAuthClientOptions extends OAuthApp {
  /** Other hosts than Snapchat's: a simulator. */
  endpoints?: Partial<Endpoints> | undefined;
  http?: HttpClient | undefined;
  fetch?: Fetch | undefined;
  /** Repeats after 429, 5xx and network faults of the token endpoint. Default: 2, from half a second on, with jitter. */
  retry?: { retries?: number; minTimeoutMs?: number } | undefined;
  /** Deadline of one request. Milliseconds. Default 10,000. */
  timeoutMs?: number | undefined;
  clock?: Clock | undefined;
}

/** What the token endpoint gives. */
export interface TokenSet {
  accessToken: Secret;
  /** Absent where Snapchat sent none: the one in use stays good. */
  refreshToken: Secret | undefined;
  /** From the answer on. Milliseconds. */
  expiresInMs: number;
  /** Scopes as granted. Absent where Snapchat did not say. */
  scopes: readonly string[] | undefined;
}

/** What every call of the token endpoint takes, last. */
export interface TokenCallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Runs right before every attempt; what it throws ends the call and nothing is sent. */
  beforeAttempt?: () => Promise<void>;
}

/** Both scopes: one login then does audiences and events. */
export const DEFAULT_SCOPES: readonly string[] = [OAUTH_SCOPES.marketing, OAUTH_SCOPES.conversions];

/** Older apps were given 30 minutes; used only where Snapchat does not say. */
const EXPIRES_IN_SECONDS_UNSAID = 1_800;
/** No wait between two attempts is longer: a caller holds a lock meanwhile. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Snapchat's OAuth: authorization URL, code exchange, refresh. Holds no token.
 *
 * Credentials go in the form body and there is no PKCE: Snapchat documents neither a Basic header nor a challenge
 * (Ads-API/authentication).
 *
 * @throws {SnapchatError} from the constructor: `oauth_app_incomplete`, `redirect_uri_invalid`, `redirect_uri_insecure`,
 * `endpoint_insecure` (fix_configuration)
 * @example
 * ```ts
 * import { OAuthClient } from "snapchat-destination/auth";
 *
 * const oauth = new OAuthClient({
 *   clientId: "client-id",
 *   clientSecret: "client-secret",
 *   redirectUri: "https://cdp.example/snapchat/callback",
 * });
 * const url = oauth.authorizationUrl({ state: "random, kept with the session" });
 * export const connected = async (code: string) => oauth.exchange(code);
 * ```
 */
export class OAuthClient {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly #clientSecret: Secret;
  readonly #accounts: string;
  readonly #http: HttpClient;
  readonly #retries: number;
  readonly #minTimeoutMs: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(options: OAuthClientOptions) {
    if (!options.clientId || !options.clientSecret) {
      throw new SnapchatError({
        code: "oauth_app_incomplete",
        kind: "fix_configuration",
        message: "The OAuth app has no client id or no client secret.",
        fix: "Copy both from Business Manager, Business Details, OAuth Apps.",
      });
    }
    checkRedirectUri(options.redirectUri);
    this.clientId = options.clientId;
    this.redirectUri = options.redirectUri;
    const secret = options.clientSecret;
    this.#clientSecret = typeof secret === "string" ? new Secret(secret.trim()) : secret;
    this.#accounts = resolveEndpoints(options.endpoints).accounts;
    this.#http = options.http ?? createHttpClient({ origins: [this.#accounts], fetch: options.fetch });
    this.#retries = options.retry?.retries ?? 2;
    this.#minTimeoutMs = options.retry?.minTimeoutMs ?? 500;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
  }

  /** Where to send a person to sign in. `state` is mandatory here, although Snapchat calls it optional. */
  authorizationUrl(o: { state: string; scopes?: readonly string[] }): string {
    if (!o.state) {
      throw new SnapchatError({
        code: "oauth_state_missing",
        kind: "fix_configuration",
        message: "An authorization URL needs a state.",
        fix: "Give a random one and compare it when the person comes back.",
      });
    }
    const url = new URL(OAUTH_PATHS.authorize, this.#accounts);
    url.searchParams.set("client_id", this.clientId);
    url.searchParams.set("redirect_uri", this.redirectUri);
    url.searchParams.set("response_type", "code");
    url.searchParams.set("scope", (o.scopes ?? DEFAULT_SCOPES).join(" "));
    url.searchParams.set("state", o.state);
    return url.href;
  }

  /**
   * Exchanges the code of a sign-in for tokens. A code is good once.
   *
   * @throws {SnapchatError} `oauth_invalid_grant` (reauthorize): the code is used, too old, or for another app or
   * redirect URI; `oauth_invalid_client` … (fix_configuration); `oauth_rate_limited`, `oauth_unavailable`,
   * `network_error`, `request_timeout` (retry)
   */
  exchange(code: string | Secret, o: TokenCallOptions = {}): Promise<TokenSet> {
    const form = { grant_type: "authorization_code", code: reveal(code), redirect_uri: this.redirectUri };
    return this.#token(form, "POST token (code)", o);
  }

  /**
   * Gets a new access token. Store a returned refresh token before using anything of the answer: the old one may be dead.
   *
   * @throws {SnapchatError} `oauth_invalid_grant` (reauthorize) is final and never retried; else as {@link OAuthClient.exchange}
   */
  refresh(refreshToken: string | Secret, o: TokenCallOptions = {}): Promise<TokenSet> {
    return this.#token({ grant_type: "refresh_token", refresh_token: reveal(refreshToken) }, "POST token (refresh)", o);
  }

  async #token(form: Record<string, string>, label: string, o: TokenCallOptions): Promise<TokenSet> {
    const body = new URLSearchParams({
      ...form,
      client_id: this.clientId,
      client_secret: this.#clientSecret.reveal(),
    }).toString();
    const attempt = async (): Promise<TokenSet> => {
      if (o.beforeAttempt) await o.beforeAttempt().catch(giveUp);
      const response = await this.#http.request({
        method: "POST",
        url: new URL(OAUTH_PATHS.token, this.#accounts),
        headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
        body,
        label,
        timeoutMs: o.timeoutMs ?? this.#timeoutMs,
        signal: o.signal,
      });
      return readTokens(response, label);
    };
    const { default: pRetry, AbortError } = await import("p-retry");
    // Whatever it throws, a storage fault too, is no fault of the token endpoint.
    const giveUp = (error: Error): never => {
      throw new AbortError(error);
    };
    return pRetry(attempt, {
      retries: this.#retries,
      minTimeout: this.#minTimeoutMs,
      maxTimeout: LONGEST_WAIT_MS,
      randomize: true,
      onFailedAttempt: ({ error, retryDelay, retriesLeft }) => {
        const asked = retriesLeft > 0 && mayRepeat(error) ? (error.retryAfterMs ?? 0) : 0;
        return asked > retryDelay ? this.#clock.sleep(asked - retryDelay, o.signal) : undefined;
      },
      shouldRetry: ({ error }) => mayRepeat(error) && o.signal?.aborted !== true,
      ...(o.signal ? { signal: o.signal } : {}),
    });
  }
}

/** A longer wait than ours belongs to the caller, who need not hold anything meanwhile. */
function mayRepeat(error: unknown): error is SnapchatError {
  if (!isSnapchatError(error) || error.kind !== "retry" || error.code === "aborted") return false;
  return (error.retryAfterMs ?? 0) <= LONGEST_WAIT_MS;
}

function readTokens(response: HttpResponse, label: string): TokenSet {
  if (response.status < 200 || response.status > 299) {
    if (response.status < 400) throw unreadableAnswer(response, label, "a redirect");
    throw tokenFailure(response, label);
  }
  const json = response.json as Record<string, unknown> | undefined;
  if (typeof json !== "object" || json === null) throw unreadableAnswer(response, label, "no JSON");
  const { access_token: access, refresh_token: refresh, expires_in: expiresIn, scope } = json;
  if (typeof access !== "string" || access === "") throw unreadableAnswer(response, label, "no access token");
  const seconds = Number(expiresIn);
  return {
    accessToken: new Secret(access),
    refreshToken: typeof refresh === "string" && refresh !== "" ? new Secret(refresh) : undefined,
    expiresInMs: 1_000 * (Number.isFinite(seconds) && seconds > 0 ? seconds : EXPIRES_IN_SECONDS_UNSAID),
    scopes: typeof scope === "string" ? scope.split(/\s+/).filter((name) => name !== "") : undefined,
  };
}

function reveal(text: string | Secret): string {
  return typeof text === "string" ? text : text.reveal();
}
